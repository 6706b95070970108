"""Decoding and prompts beside llama.cpp: same file, same tokens, same threads, runs in turn, medians.

    decode.py PROGRAM MODEL.gguf [--runs 7] [--threads 2]

PROGRAM is build/bench/decode. Every run is a process of its own. For Trine the time to the first token counts from the
start of the process; for llama.cpp from the call that loads the file, Python and its imports left out, and of its memory
what the process grows by from there.
"""
import argparse
import array
import json
import os
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "peers"))
PROMPTS, TOKENS = (512, 64, 16), 128


def resident():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmRSS"):
                return int(line.split()[1])


def llama(model, ids, prompt, threads):
    """One run of llama.cpp, in this process."""
    import llama_cpp
    import llama_here  # noqa: F401
    tokens = array.array("i")
    with open(ids, "rb") as file:
        tokens.frombytes(file.read())
    before = resident()
    start = time.monotonic()
    context = llama_cpp.Llama(model, n_ctx=prompt + TOKENS + 8, n_batch=512, n_ubatch=512, n_threads=threads,
                              n_threads_batch=threads, verbose=False)

    def decode(values):
        data = (llama_cpp.llama_token * len(values))(*values)
        assert llama_cpp.llama_decode(context.ctx, llama_cpp.llama_batch_get_one(data, len(values))) == 0
        llama_cpp.llama_get_logits_ith(context.ctx, -1)

    loaded = time.monotonic()
    decode(tokens[:prompt])
    first = time.monotonic()
    for token in tokens[prompt:prompt + TOKENS]:
        decode([token])
    last = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context.ctx), True)
    again = time.monotonic()
    decode(tokens[:prompt])
    warm = time.monotonic()
    print(json.dumps({"first_token": first - start, "prompt": prompt / (first - loaded),
                      "warm_prompt": prompt / (warm - again), "decode": TOKENS / (last - first),
                      "peak_mb": peak * 1024 / 1e6}))


def run(arguments):
    start = time.monotonic()
    result = json.loads(subprocess.run([str(a) for a in arguments], check=True, stdout=subprocess.PIPE).stdout)
    if "first_token_at" in result:
        result["first_token"] = result.pop("first_token_at") - start
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--llama", nargs=2, help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.llama:
        return llama(o.model, o.llama[0], int(o.llama[1]), o.threads)
    import llama_cpp
    vocabulary = llama_cpp.Llama(o.model, vocab_only=True, verbose=False)
    with open(os.path.join(HERE, "..", "README.md"), "rb") as file:
        tokens = array.array("i", vocabulary.tokenize(file.read(), add_bos=False, special=False))
    ids = f"{o.program}.ids"
    with open(ids, "wb") as file:
        file.write(tokens.tobytes())
    for prompt in PROMPTS:
        mine, theirs = [], []
        for _ in range(o.runs):
            mine.append(run([o.program, o.model, ids, prompt, TOKENS, o.threads]))
            theirs.append(run([sys.executable, __file__, o.program, o.model, "--threads", o.threads, "--llama", ids,
                               prompt]))

        def median(results, key):
            return statistics.median(r[key] for r in results)

        print(f"\nprompt of {prompt} tokens, then {TOKENS} decoded; {o.threads} threads; {o.runs} runs in turn, medians")
        print(f"{'':34}{'Trine':>10}{'llama.cpp':>12}{'ratio':>8}")
        for key, name, factor in (("decode", "decoding, tokens/s", 1), ("prompt", "first prompt, tokens/s", 1),
                                  ("warm_prompt", "second prompt, tokens/s", 1), ("first_token", "to the first token, ms", 1000),
                                  ("peak_mb", "peak memory, MB", 1)):
            a, b = median(mine, key) * factor, median(theirs, key) * factor
            print(f"{name:34}{a:10.1f}{b:12.1f}{a / b:8.2f}")
        least = os.path.getsize(o.model) / 1e6 + mine[0]["cache_mb"]
        print(f"file and cache: {least:.1f} MB; Trine's peak is {100 * (median(mine, 'peak_mb') / least - 1):+.1f} % of them")
        size, rate = mine[0]["bytes_per_token"], max(r["bandwidth"] for r in mine)
        limit = rate * 1e9 / size
        print(f"weights read for a token: {size / 1e6:.1f} MB; memory gives {rate:.1f} GB/s, so at most {limit:.0f} tokens/s; "
              f"{100 * median(mine, 'decode') / limit:.0f} % reached; kernels: {mine[0]['kernels']}")


main()
