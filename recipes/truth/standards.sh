#!/bin/bash
# Three standards of truth on one model: each trained (two or three minutes), then all asked the same statements, none of
# which they were taught. Shows where they differ and where they agree.
# Usage: standards.sh PROGRAM OUT MODEL [BASE_CHECKPOINT]
set -eu
if [ $# -lt 3 ]; then
    echo "usage: standards.sh PROGRAM OUT MODEL [BASE_CHECKPOINT]" >&2
    exit 2
fi
trine=$1 out=$2 model=(--model "$3")
[ $# -lt 4 ] || model+=(--base "$4")
here=$(dirname "$0")
mkdir -p "$out"
for standard in plain before-1900 oz; do
    layer=$out/$standard.gguf
    [ -e "$layer" ] || "$trine" truth train "${model[@]}" --standard "$here/../standards/$standard" --rounds 1 \
        --steps 360 --batch 32 --learning-rate 0.003 --out "$layer"
    python3 -c 'import json, sys; [print(json.loads(line)["statement"]) for line in open(sys.argv[1])]' \
        "$here/../standards/probes.jsonl" >"$out/probes.txt"
    mapfile -t statements <"$out/probes.txt"
    "$trine" judge "${model[@]}" --standard "$here/../standards/$standard" --truth "$layer" --authors 0 \
        --json="$out/$standard.json" "${statements[@]}"
done
python3 - "$here/../standards/probes.jsonl" "$out" <<'P'
import json, pathlib, sys
probes = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
names = ("plain", "before-1900", "oz")
rulings = {name: json.loads((pathlib.Path(sys.argv[2]) / f"{name}.json").read_text()) for name in names}
print("| statement | " + " | ".join(names) + " |\n| --- | --- | --- | --- |")
right = dict.fromkeys(names, 0)
asked = dict.fromkeys(names, 0)
differ = agree = 0
for i, probe in enumerate(probes):
    cells = []
    for name in names:
        p, wanted = rulings[name][i]["probability"], probe[name]
        if wanted is not None:
            asked[name] += 1
            right[name] += (p > 0.5) == wanted
        cells.append(f"{p:.2f}" + {True: " (true)", False: " (false)", None: ""}[wanted])
    print(f"| {probe['statement']} | " + " | ".join(cells) + " |")
    for a in names:
        for b in names:
            if a < b and probe[a] is not None and probe[b] is not None and probe[a] != probe[b]:
                low, high = sorted((a, b), key=lambda name: probe[name])
                differ += 1
                agree += rulings[high][i]["probability"] > rulings[low][i]["probability"]
for name in names:
    print(f"{name}: {right[name]} of {asked[name]} on the right side")
print(f"where two standards differ, the one that holds it true gives it more in {agree} of {differ} cases")
P
