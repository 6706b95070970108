#!/bin/bash
# The same twenty questions under each value system, and without one: a table in Markdown. directions.sh comes first.
# Usage: table.sh PROGRAM MODEL BASE_CHECKPOINT OUT      (OUT: of recipes/good/train.sh)
set -eu
if [ $# -ne 4 ]; then
    sed -n '3s/^# //p' "$0" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 out=$4
chat=("$trine" chat --model "$2" --base "$3" --good "$out/good.gguf" --guard "$out/guard.gguf" --space "$out/space.json" --tokens 60)
systems=$(python3 -c 'import json, sys; print(*json.load(open(sys.argv[1], encoding="utf-8")))' "$here/systems.json")
ask() { # PROMPT FLAGS...
    "${chat[@]}" --prompt "$@" 2>/dev/null | tr '\n|' ' /'
}
echo "| question | about | none | ${systems// / | } |"
echo "| --- | --- | --- |$(for _ in $systems; do printf ' --- |'; done)"
python3 -c '
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    print(*(json.loads(line)[key] for key in ("about", "prompt")), sep="\t")
' "$here/questions.jsonl" | while IFS=$'\t' read -r about prompt; do
    row="| $prompt | $about | $(ask "$prompt" </dev/null) |"
    for system in $systems; do
        row+=" $(ask "$prompt" --values "$out/$system.json" </dev/null) |"
    done
    echo "$row"
done
