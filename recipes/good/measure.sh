#!/bin/sh
# What doc/good.md reports of one seed: which replies are preferred on held-out pairs, and which requests are declined, by the
# model as it is, by the good author and under its guard. train.sh comes first.
# Usage: recipes/good/measure.sh PROGRAM MODEL BASE_CHECKPOINT OUT REQUESTS.jsonl...
#   OUT: of train.sh. REQUESTS: {"prompt", "label": "safe" or "unsafe"} a line.
set -eu
if [ $# -lt 5 ]; then
    sed -n '4,5s/^# //p' "$0" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 model=$2 base=$3 out=$4
shift 4
requests=
for file in "$@"; do requests="$requests --requests $file"; done
good() { "$trine" good eval --model "$model" --base "$base" "$@"; }
echo "== preference: the author, the adapted model, the checkpoint"
good --good "$out/good.gguf" --pairs "$here/held_out_pairs.jsonl"
good --pairs "$here/held_out_pairs.jsonl"
"$trine" good eval --model "$base" --pairs "$here/held_out_pairs.jsonl"
echo "== requests: under the guard, the author alone, the checkpoint"
good --good "$out/good.gguf" --guard "$out/guard.gguf" --tokens 24 $requests
good --good "$out/good.gguf" --tokens 24 $requests
"$trine" good eval --model "$base" --tokens 24 $requests
