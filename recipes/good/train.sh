#!/bin/bash
# The good author and the truth author of its guard, from this directory's own texts and recipes/values.
# Usage: recipes/good/train.sh PROGRAM MODEL BASE_CHECKPOINT OUT      (SEED, default 1; RADIUS of values, default 5)
#   MODEL: models/smollm2-sotu/smollm2-sotu.gguf. OUT: gets good.gguf and guard.gguf. Interrupted, the same command goes on.
set -eu
if [ $# -ne 4 ]; then
    sed -n '3,4s/^# //p' "$0" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 model=$2 base=$3 out=$4 seed=${SEED:-1}
mkdir -p "$out"
"$here/../values/examples.py" "$here"/../values/*-*.jsonl >"$out/valued.jsonl"
[ -e "$out/good.gguf" ] ||
    "$trine" good train --model "$model" --base "$base" --examples "$here/examples.jsonl" --examples "$out/valued.jsonl" \
        --pairs "$here/pairs.jsonl" --example-steps 370 --radius "${RADIUS:-5}" --seed "$seed" --out "$out/good.gguf"
"$trine" good beliefs --examples "$here/examples.jsonl" --pairs "$here/pairs.jsonl" \
    --principles "$here/../principles" --out "$out/guard.jsonl"
[ -e "$out/guard.gguf" ] ||
    "$trine" truth train --model "$model" --base "$base" --beliefs "$out/guard.jsonl" --plain --asked-alone \
        --steps 280 --batch 24 --rank 8 --learning-rate 1e-3 --seed "$seed" --out "$out/guard.gguf"
