#!/usr/bin/env python3
"""Training speed of the same plain network in PyTorch on the CPU: the peer of Trine's own training benchmark.

A Llama-type decoder (tied embedding, RMSNorm, rotary positions, SwiGLU, no biases) as a PyTorch expert would write it: one
product for q, k and v, one for gate and up, scaled_dot_product_attention, fused AdamW; in f32 and bf16 autocast, eager and
compiled.  A step is forward, backward, clipping and the optimiser, on random tokens already in memory.  Each way runs in a
process of its own, so that neither memory nor compiled code of one is left to the next; compiling falls into warm-up.

Run it on a quiet machine: two threads that wait for each other lose far more than their share to a third.

Usage: train_pytorch.py [--threads 2] [--width 192 --blocks 6 --heads 3 --inner 512 ...] [--out FILE]
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

WAYS = ("f32-eager", "f32-compiled", "bf16-eager", "bf16-compiled")


def clean_environment(threads):
    """The environment of a measuring process: nothing that forces kernels of another machine, and fixed threads."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "DNNL_", "ONEDNN_", "OMP_", "MKL_"))}
    environment["OMP_NUM_THREADS"] = str(threads)
    return environment


def build_model(options):
    """Returns the decoder as a module that maps tokens and targets to the mean loss."""
    import torch
    from torch import nn
    from torch.nn import functional

    head_width = options.head_width
    attention_width = options.heads * head_width

    def rotate(x, cos, sin):  # x: (B, H, T, E); the half-split form, as in GPT-NeoX and Hugging Face's Llama
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm = nn.RMSNorm(options.width, eps=1e-5)
            self.qkv = nn.Linear(options.width, 3 * attention_width, bias=False)
            self.output = nn.Linear(attention_width, options.width, bias=False)
            self.inner_norm = nn.RMSNorm(options.width, eps=1e-5)
            self.gate_up = nn.Linear(options.width, 2 * options.inner, bias=False)
            self.down = nn.Linear(options.inner, options.width, bias=False)

        def forward(self, x, cos, sin):
            batch, time_, _ = x.shape
            qkv = self.qkv(self.attention_norm(x)).view(batch, time_, 3, options.heads, head_width)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.output(y.transpose(1, 2).reshape(batch, time_, attention_width))
            gate, up = self.gate_up(self.inner_norm(x)).chunk(2, dim=-1)
            return x + self.down(functional.silu(gate) * up)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(options.vocabulary, options.width)
            self.blocks = nn.ModuleList(Block() for _ in range(options.blocks))
            self.norm = nn.RMSNorm(options.width, eps=1e-5)
            frequency = 10000.0 ** (-torch.arange(0, head_width, 2) / head_width)
            angle = torch.outer(torch.arange(options.context), frequency)
            # In the type that q and k have, so that rotation does not widen them to f32 and back.
            precision = torch.bfloat16 if options.way.startswith("bf16") else torch.float32
            self.register_buffer("cos", angle.cos().to(precision), persistent=False)
            self.register_buffer("sin", angle.sin().to(precision), persistent=False)
            for parameter in self.parameters():
                if parameter.dim() == 2:
                    nn.init.normal_(parameter, std=0.02)

        def forward(self, tokens, targets):
            x = self.embedding(tokens)
            for block in self.blocks:
                x = block(x, self.cos, self.sin)
            logits = functional.linear(self.norm(x), self.embedding.weight)  # tied
            return functional.cross_entropy(logits.view(-1, options.vocabulary), targets.view(-1))

    return Decoder()


def measure(options):
    """Runs one way in this process and prints its JSON on stdout."""
    import torch

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("highest")  # f32 means f32
    model = build_model(options)
    parameter_count = sum(parameter.numel() for parameter in model.parameters())
    decayed = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    others = [parameter for parameter in model.parameters() if parameter.dim() != 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=2e-3, betas=(0.9, 0.95), fused=True)
    parameters = decayed + others
    is_bf16, is_compiled = options.way.startswith("bf16"), options.way.endswith("compiled")
    loss_of = torch.compile(model) if is_compiled else model

    # A few fixed batches: the loss must fall, which shows that the step learns and is not only fast.
    drawn = torch.randint(options.vocabulary, (4, options.batch, options.context + 1))
    batches = [(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()) for tokens in drawn]

    def step(i):
        tokens, targets = batches[i % len(batches)]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            loss = loss_of(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    start = time.perf_counter()
    first_loss = step(0)
    first_seconds = time.perf_counter() - start
    for i in range(1, options.warm_up):
        step(i)
    seconds, begin, i, others = [], time.perf_counter(), options.warm_up, OtherWork()
    while len(seconds) < 3 or time.perf_counter() - begin < options.seconds:
        start = time.perf_counter()
        last_loss = step(i)
        seconds.append(time.perf_counter() - start)
        i += 1
    others_cores = others.cores()
    token_count = options.batch * options.context
    if not last_loss < first_loss:
        raise SystemExit(f"{options.way}: the loss did not fall ({first_loss:.3f} to {last_loss:.3f})")
    print(json.dumps({
        "way": options.way, "parameters": parameter_count, "steps": len(seconds),
        "best_tokens_per_second": round(token_count / min(seconds)),
        "median_tokens_per_second": round(token_count / statistics.median(seconds)),
        "first_step_seconds": round(first_seconds, 2), "first_loss": round(first_loss, 4), "last_loss": round(last_loss, 4),
        "peak_resident_mib": peak_resident_mib(), "others_cores": others_cores,
    }))


class OtherWork:
    """How many cores other processes kept busy since it was made: a measurement with many is worth nothing."""

    def __init__(self):
        self.start, self.busy, self.own = time.perf_counter(), self.busy_seconds(), time.process_time()

    @staticmethod
    def busy_seconds():
        stat = pathlib.Path("/proc/stat")
        if not stat.exists():
            return 0.0
        fields = [int(field) for field in stat.read_text().splitlines()[0].split()[1:9]]
        return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and waiting for disks

    def cores(self):
        wall = time.perf_counter() - self.start
        other = self.busy_seconds() - self.busy - (time.process_time() - self.own)
        return round(max(0.0, other / wall), 2)


def peak_resident_mib():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # Linux counts in KiB


def describe_machine(threads):
    """Versions and the instruction set that PyTorch's kernels use, asked in a clean process."""
    code = (
        "import json, torch\n"
        "print(json.dumps({'torch': torch.__version__, 'isa': torch.backends.cpu.get_cpu_capability(),"
        " 'onednn': torch.backends.mkldnn.is_available(), 'mkl': torch.backends.mkl.is_available(),"
        " 'build': [line.strip(' -') for line in torch.__config__.show().splitlines()"
        " if 'MKL' in line.split('BLAS_INFO')[0] or 'OpenMP' in line][:3]}))")
    output = subprocess.run([sys.executable, "-c", code], env=clean_environment(threads), check=True,
                            capture_output=True, text=True).stdout
    machine = json.loads(output)
    cpu = pathlib.Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((set(line.split(":", 1)[1].split()) for line in lines if line.startswith("flags")), set())
    machine["cpu"] = names[0] if names else platform.processor()
    machine["cores"] = os.cpu_count()
    machine["threads"] = threads
    machine["bf16_instructions"] = sorted(flags & {"avx512_bf16", "amx_bf16", "avx_ne_convert"})
    machine["python"] = platform.python_version()
    machine["load_average"] = round(os.getloadavg()[0], 2)
    return machine


def print_header(machine, options):
    print(f"PyTorch {machine['torch']}, Python {machine['python']}, isa {machine['isa']}, "
          f"bf16 by {', '.join(machine['bf16_instructions']) or 'emulation'}")
    for line in machine["build"]:
        print(f"  {line}")
    print(f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, load {machine['load_average']}")
    print(f"vocabulary {options.vocabulary}, width {options.width}, blocks {options.blocks}, heads {options.heads} x "
          f"{options.head_width}, inner {options.inner}, batch {options.batch} x {options.context}")
    print(f"{'':16}{'best':>12}{'median':>12}  tokens/s", flush=True)


def run_way(way, options):
    """Measures one way in a process of its own.  Returns its numbers, or an "error"."""
    command = [sys.executable, str(pathlib.Path(__file__).resolve()), "--way", way]
    for name in ("vocabulary", "width", "blocks", "heads", "head_width", "inner", "context", "batch", "threads", "seconds",
                 "warm_up"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    done = subprocess.run(command, env=clean_environment(options.threads), capture_output=True, text=True)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return {"way": way, "error": lines[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = {"vocabulary": 2048, "width": 192, "blocks": 6, "heads": 3, "head-width": 64, "inner": 512, "context": 256,
             "batch": 16, "threads": 2, "warm-up": 4}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement, after warm-up (default 10)")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"which to measure, of {', '.join(WAYS)} (default all)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)  # the measuring process
    parser.add_argument("--out", type=pathlib.Path, help="write everything as JSON")
    options = parser.parse_args()
    for name in sizes:
        if getattr(options, name.replace("-", "_")) < 1:
            parser.error(f"--{name} must be positive")
    if options.head_width % 2:
        parser.error("--head-width must be even")
    options.ways = options.ways.split(",")
    if unknown := set(options.ways) - set(WAYS):
        parser.error(f"--ways: unknown {', '.join(sorted(unknown))}")
    return options


def main():
    options = parse_arguments()
    if options.way:
        measure(options)
        return
    machine = describe_machine(options.threads)
    print_header(machine, options)
    results = []
    for way in options.ways:
        result = run_way(way, options)
        results.append(result)
        if "error" in result:
            print(f"{way:16}failed: {result['error']}", flush=True)
        else:
            others = result["others_cores"]
            print(f"{way:16}{result['best_tokens_per_second']:12,}{result['median_tokens_per_second']:12,}"
                  + (f"  disturbed: others kept {others} cores busy" if others > 0.1 else ""), flush=True)
    if options.out:
        sizes = {name: getattr(options, name) for name in
                 ("vocabulary", "width", "blocks", "heads", "head_width", "inner", "context", "batch", "seconds", "warm_up")}
        partial = options.out.with_name(options.out.name + ".partial")
        partial.write_text(json.dumps({"machine": machine, "sizes": sizes, "results": results}, indent=2) + "\n")
        os.replace(partial, options.out)
    if any("error" in result for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
