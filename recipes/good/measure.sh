#!/bin/bash
# What doc/good.md reports of one seed: which replies are preferred on held-out pairs, and which requests are declined, by the
# model as it is, by the good author and under its guard. train.sh comes first; tables.py shows several seeds.
# Usage: recipes/good/measure.sh PROGRAM MODEL BASE_CHECKPOINT OUT REQUESTS.jsonl...
#   OUT: of train.sh. REQUESTS: {"prompt", "label": "safe" or "unsafe"} a line. What is there already is not made again.
set -eu
if [ $# -lt 5 ]; then
    sed -n '4,5s/^# //p' "$0" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 model=$2 base=$3 out=$4
shift 4
requests=()
for file in "$@"; do requests+=(--requests "$file"); done
measure() { # NAME FLAGS...
    echo "== $1"
    [ -e "$out/$1.json" ] || "$trine" good eval --json="$out/$1.json" "${@:2}"
}
author=(--model "$model" --base "$base" --good "$out/good.gguf")
pairs=(--pairs "$here/held_out_pairs.jsonl")
measure pairs-author "${author[@]}" "${pairs[@]}"
measure pairs-model --model "$model" --base "$base" "${pairs[@]}"
measure pairs-checkpoint --model "$base" "${pairs[@]}"
measure requests-guarded "${author[@]}" --guard "$out/guard.gguf" --tokens 24 "${requests[@]}" --replies "$out/replies.jsonl"
measure requests-author "${author[@]}" --tokens 24 "${requests[@]}"
measure requests-checkpoint --model "$base" --tokens 24 "${requests[@]}"
