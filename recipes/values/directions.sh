#!/bin/bash
# Directions of values for one good author, with their effects, and the three value systems as its profiles.
# Usage: directions.sh PROGRAM MODEL BASE_CHECKPOINT OUT [PAIRS]
#   OUT: of recipes/good/train.sh; gets space.json, NAME.txt of each direction (its effect on held-out replies and on every
#   principle), and a profile of each system.
#   PAIRS: what is protected is found from; default recipes/good/pairs.jsonl. RADIUS of the author's training, 5; SHARE of what
#   moves the pairs that is protected, 0.8.
set -eu
if [ $# -lt 4 ]; then
    sed -n '3,7s/^# //p' "$0" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 model=(--model "$2" --base "$3" --good "$4/good.gguf" --space "$4/space.json") out=$4
"$trine" values space "${model[@]}" --pairs "${5:-$here/../good/pairs.jsonl}" --radius "${RADIUS:-5}" --share "${SHARE:-0.8}"
ends=$(mktemp -d)
trap 'rm -rf "$ends"' EXIT
for file in "$here"/*-*.jsonl; do
    name=$(basename "$file" .jsonl)
    for end in high low; do
        "$here/examples.py" --end $end "$file" >"$ends/$end"
        "$here/examples.py" --end $end --held-out "$file" >"$ends/held-out-$end"
    done
    "$trine" values new "$name" "${model[@]}" --high "$ends/high" --low "$ends/low" >/dev/null
    echo "== $name, on held-out replies"
    "$trine" values effect "$name" "${model[@]}" --high "$ends/held-out-high" --low "$ends/held-out-low" | tee "$out/$name.txt"
done
python3 -c '
import json, sys
for name, system in json.load(open(sys.argv[1], encoding="utf-8")).items():
    print(name, *(f"{direction}={number}" for direction, number in system["wish"].items()))
' "$here/systems.json" | while read -r name wishes; do
    # shellcheck disable=SC2086 # words, each a wish
    "$trine" values set "${model[@]}" --name "$name" --out "$out/$name.json" $wishes
done
