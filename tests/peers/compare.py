"""Trine beside llama.cpp and transformers on the same files.

    compare.py DRIVER TRINE BASE.gguf WORK [ADAPTED.gguf]

Prints what was measured and fails where it falls short. Bounds come from what the formats allow: in full precision both
programs must agree; on quantised files llama.cpp rounds its activations to eight bits, and its own results differ from
one batch size to another, so that its agreement with itself is the measure.
"""
import os
import random
import subprocess
import sys
import sysconfig

import llama_cpp
import llama_here  # noqa: F401
import numpy as np

DRIVER, TRINE, BASE, WORK = sys.argv[1:5]
ADAPTED = sys.argv[5] if len(sys.argv) > 5 else None
POSITIONS, STEPS, FEW = 2000, 600, 300
failures = []


def expect(condition, message):
    print(("ok    " if condition else "FAILS ") + message, flush=True)
    if not condition:
        failures.append(message)


def path(name):
    return os.path.join(WORK, name)


def mixed_text():
    """11 MB: code, words, many scripts, emoji, control characters, and random bytes as a decoder with replacement
    reads them."""
    rng = random.Random(1)
    out = bytearray()
    library = sysconfig.get_paths()["stdlib"]
    for name in sorted(os.listdir(library)):
        if name.endswith(".py") and len(out) < 5_000_000:
            with open(os.path.join(library, name), "rb") as file:
                out += file.read().decode("utf-8", "replace").encode()
    ranges = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F),
              (0xE00, 0xE7F), (0x1100, 0x11FF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1F64F),
              (0x1F900, 0x1F9FF), (0x2000, 0x206F), (0x2190, 0x22FF), (0x300, 0x36F), (0x660, 0x669), (0x2150, 0x218F),
              (0x1D400, 0x1D7FF), (1, 0x1F), (0x80, 0x9F)]
    glue = [" ", "  ", "\n", "\r\n", "\t", "   \n", "'s", "'ll", "'T", "123", "1a2", "\u00a0", "\u3000", "..."]
    while len(out) < 8_500_000:
        low, high = rng.choice(ranges)
        run = "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12)))
        other = rng.choice(glue + ["a" * rng.randint(1, 400), " " * rng.randint(1, 400)])
        out += (run + (other if rng.random() < 0.4 else "")).encode()
    while len(out) < 11_000_000:
        out += bytes(rng.getrandbits(8) for _ in range(4096)).decode("utf-8", "replace").replace("\0", " ").encode()
    return bytes(out)


def run(*arguments):
    subprocess.run([str(a) for a in arguments], check=True)


def tokens(model, text):
    with open(path("text"), "wb") as file:
        file.write(text)
    run(DRIVER, "tokens", model, path("text"), path("ids"))
    return np.fromfile(path("ids"), dtype=np.uint32)


def mine(model, ids, chunk, *labels, vocabulary=None):
    np.asarray(ids, dtype=np.uint32).tofile(path("ids"))
    run(DRIVER, "logits", model, path("ids"), path("logits"), chunk, *labels)
    logits = np.fromfile(path("logits"), dtype=np.float32)
    os.unlink(path("logits"))
    return logits.reshape(len(ids), -1)


def theirs(model, ids, batch=512, prepare=None, **options):
    llama = llama_cpp.Llama(model, n_ctx=len(ids) + 8, n_batch=512, n_threads=2, n_threads_batch=2, verbose=False,
                            logits_all=True, **options)
    if prepare is not None:
        prepare(llama)
    for at in range(0, len(ids), batch):
        llama.eval([int(i) for i in ids[at:at + batch]])
    logits = llama.scores[:len(ids)].copy()
    llama.close()
    return logits


class Agreement:
    def __init__(self, a, b, ids=None):
        divergence, error, size, agree, nats = 0.0, 0.0, 0.0, 0, [0.0, 0.0]
        for i in range(len(a)):
            x, y = a[i].astype(np.float64), b[i].astype(np.float64)
            agree += int(x.argmax() == y.argmax())
            x, y = x - x.mean(), y - y.mean()
            error += ((x - y) ** 2).sum()
            size += (x ** 2).sum()
            x -= np.log(np.exp(x - x.max()).sum()) + x.max()
            y -= np.log(np.exp(y - y.max()).sum()) + y.max()
            divergence += (np.exp(x) * (x - y)).sum()
            if ids is not None and i + 1 < len(a):
                nats[0] -= x[ids[i + 1]]
                nats[1] -= y[ids[i + 1]]
        self.top1, self.divergence = agree / len(a), divergence / len(a)
        self.error = (error / size) ** 0.5
        self.perplexity = [float(np.exp(n / max(1, len(a) - 1))) for n in nats]

    def __str__(self):
        return f"relative error {self.error:.5f}, top-1 agreement {self.top1:.4f}, divergence {self.divergence:.6f} nats"


def check_tokens():
    text = mixed_text()
    ids = tokens(BASE, text)
    llama = llama_cpp.Llama(BASE, vocab_only=True, verbose=False)
    other = np.array(llama.tokenize(text, add_bos=False, special=False), dtype=np.uint32)
    llama.close()
    same = len(ids) == len(other) and bool((ids == other).all())
    expect(same, f"tokens of {len(text) / 1e6:.1f} MB of mixed text: {len(ids)} here, {len(other)} by llama.cpp")


def check_logits(prose):
    ids = tokens(BASE, prose)[:POSITIONS]
    run(TRINE, "export", "--model", BASE, "--as", "gguf", "--type", "f32", "--out", path("f32.gguf"))
    reference = theirs(path("f32.gguf"), ids)
    result = Agreement(reference, mine(path("f32.gguf"), ids, 1), ids)
    expect(len(ids) == POSITIONS and result.top1 >= 0.995 and result.error < 2e-3,
           f"the base in f32, {len(ids)} positions: {result}")
    result = Agreement(reference, mine(path("f32.gguf"), ids, 256), ids)
    expect(result.top1 >= 0.98 and result.error < 0.02, f"the same by bf16 products in chunks of 256: {result}")
    a, few = theirs(BASE, ids), ids[:STEPS]
    itself = Agreement(a[:STEPS], theirs(BASE, few, batch=1))
    print(f"      llama.cpp with itself on the quantised file, batches of 512 and 1: {itself}")
    print(f"      llama.cpp's rounding, its quantised file beside its f32 of the same weights: {Agreement(reference, a)}")
    for chunk, some in ((1, few), (256, ids)):
        logits = mine(BASE, some, chunk)
        print(f"      the same of ours, chunks of {chunk}: {Agreement(reference[:len(some)], logits)}")
        result = Agreement(a[:len(some)], logits, some)
        ratio = result.perplexity[1] / result.perplexity[0] - 1
        bound = 0.005 if len(some) == POSITIONS else 0.01  # few positions leave rounding that averages out over more
        expect(result.top1 >= itself.top1 - 0.02 and abs(ratio) < bound,
               f"the quantised file, chunks of {chunk}, {len(some)} positions: {result}; perplexity "
               f"{result.perplexity[1]:.3f} against {result.perplexity[0]:.3f} ({100 * ratio:+.2f} %)")


def check_memory(prose):
    """What decoding has in memory at most, beside the file and the cache that it cannot do without."""
    for count, prompt in ((100, ["16"]), (640, ["512", "lean"])):
        tokens(BASE, prose)[:count].tofile(path("ids"))
        peak, least = map(int, subprocess.check_output([DRIVER, "memory", BASE, path("ids"), *prompt]).split())
        expect(peak <= 1.05 * least, f"decoding {count} tokens after a prompt of {' '.join(prompt)}: peak of {peak / 1e6:.1f} MB "
                                     f"for {least / 1e6:.1f} MB of file and cache")


def check_exports(prose):
    ids = tokens(BASE, prose)[:FEW]
    exact = mine(path("f32.gguf"), ids, 1)
    run(TRINE, "export", "--model", BASE, "--as", "huggingface", "--type", "f32", "--out", path("huggingface"))
    result = Agreement(exact, mine(path("huggingface"), ids, 1))
    expect(result.error < 2e-3, f"safetensors read back: {result}")
    for kind, bound in (("q8_0", 0.02), ("q4_0", 0.02), ("q4_k", 0.02)):
        run(TRINE, "export", "--model", BASE, "--as", "gguf", "--type", kind, "--out", path("small.gguf"))
        result = Agreement(theirs(path("small.gguf"), ids), mine(path("small.gguf"), ids, 1))
        expect(result.divergence < bound, f"exported as {kind}, in llama.cpp and here: {result}")
        os.unlink(path("small.gguf"))
    check_transformers(ids, exact)


def check_transformers(ids, exact):
    try:
        import torch
        import transformers
    except ImportError:
        print("      transformers and torch are not installed: their part is skipped")
        return
    model = transformers.AutoModelForCausalLM.from_pretrained(path("huggingface"), dtype=torch.float32)
    with torch.no_grad():
        logits = model(torch.tensor([[int(i) for i in ids]])).logits[0].numpy()
    result = Agreement(logits, exact)
    expect(result.error < 2e-3 and result.top1 >= 0.995, f"safetensors in transformers: {result}")


def apply_control_vector(file):
    import ctypes

    import gguf
    reader = gguf.GGUFReader(file)

    def prepare(llama):
        model, context = llama.model, llama.ctx
        width, blocks = llama_cpp.llama_model_n_embd(model), llama_cpp.llama_model_n_layer(model)
        data = np.zeros((blocks - 1, width), dtype=np.float32)
        for tensor in reader.tensors:
            data[int(tensor.name.split(".")[1]) - 1] = tensor.data
        buffer = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        call = getattr(llama_cpp, "llama_set_adapter_cvec", None) or llama_cpp.llama_apply_adapter_cvec
        assert call(context, buffer, data.size, width, 1, blocks) == 0
    return prepare


def check_adapted(prose):
    ids = tokens(ADAPTED, prose)[:FEW]
    labels = ["author=Abraham Lincoln", "date=1863"]
    told = mine(ADAPTED, ids, 256, *labels)
    arguments = [TRINE, "export", "--model", ADAPTED]
    run(*arguments, "--as", "gguf", "--type", "f32", "--out", path("merged.gguf"))
    run(*arguments, "--as", "lora", "--out", path("lora.gguf"))
    run(*arguments, "--as", "control-vector", "--author", "Abraham Lincoln", "--date", "1863", "--out",
        path("direction.gguf"))
    steer = apply_control_vector(path("direction.gguf"))
    merged = theirs(path("merged.gguf"), ids, prepare=steer)
    result = Agreement(merged, told)
    expect(result.divergence < 0.005, f"merged weights and a control vector in llama.cpp, Lincoln in 1863: {result}")
    result = Agreement(theirs(path("f32.gguf"), ids, prepare=steer, lora_path=path("lora.gguf")), merged)
    expect(result.divergence < 0.001, f"base, LoRA file and control vector in llama.cpp, beside merged: {result}")
    other = Agreement(theirs(path("merged.gguf"), ids), told)
    expect(other.divergence > 0.01, f"control: without the control vector they differ: {other}")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "..", "README.md"), "rb") as file:
        prose = file.read()
    with open(os.path.join(here, "..", "..", "doc", "mathematics.md"), "rb") as file:
        prose += file.read()
    check_tokens()
    check_logits(prose)
    check_memory(prose)
    check_exports(prose)
    if ADAPTED:
        check_adapted(prose)
    if failures:
        sys.exit(f"{len(failures)} comparisons fell short")


main()
