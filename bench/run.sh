#!/bin/bash
# Speed beside peers, in one go. Parts whose peer cannot be installed say so and are left out.
#   bench/run.sh PROGRAM        results: bench/results/*.json
set -eu
trine=$1
here=$(dirname "$0")
out=$here/results
mkdir -p "$out"
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

echo "== training, reading, writing: this network with slots and without"
make -s build/bench/speed
build/bench/speed 20 | tee "$out/speed.json"

echo "== training: PyTorch on the same shapes"
environment=$here/.venv
if [ ! -x "$environment/bin/python" ]; then
    { python3 -m venv "$environment" && "$environment/bin/pip" install -q -r "$here/requirements.txt" \
        -r "$here/requirements-pytorch.txt"; } || rm -rf "$environment"
fi
if [ -x "$environment/bin/python" ]; then
    "$environment/bin/python" "$here/train_pytorch.py" --seconds 10 --out "$out/pytorch.json"
    "$environment/bin/python" - "$out" <<'P'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
ours = json.loads((out / "speed.json").read_text())
theirs = json.loads((out / "pytorch.json").read_text())
best = max(way["median_tokens_per_second"] for way in theirs["results"] if "median_tokens_per_second" in way)
print(f"training: {ours['train_tokens_per_second']:.0f} tokens/s with slots, PyTorch's best {best}: "
      f"{ours['train_tokens_per_second'] / best:.2f}x; {100 * ours['share_of_peak']:.0f} % of the peak of products; "
      f"slots cost {ours['slots_cost_percent']:.1f} %")
P
else
    echo "skipped: PyTorch could not be installed"
fi

echo "== decoding and prompts: llama.cpp on the same file"
base=$(recipes/smollm2-sotu/fetch.sh bench/.models) || base=
if [ ! -x bench/.peers/bin/python ]; then
    { python3 -m venv bench/.peers && bench/.peers/bin/pip install -q -r tests/peers/requirements.txt; } ||
        rm -rf bench/.peers
fi
if [ -n "$base" ] && [ -x bench/.peers/bin/python ]; then
    make -s build/bench/decode
    bench/.peers/bin/python "$here/decode.py" build/bench/decode "$base" | tee "$out/decode.txt"
else
    echo "skipped: SmolLM2 could not be fetched, or llama-cpp-python not installed"
fi

echo "== corpus: speed and memory"
TRINE=$trine "$here/corpus_memory.sh" 100 1000 | tee "$out/corpus.txt"
