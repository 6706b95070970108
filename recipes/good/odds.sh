#!/bin/sh
# Whether what the good author says of its sureness holds: odds fitted on one half of questions.jsonl and measured on the
# other (doc/good.md). train.sh comes first, and a truth author, such as measure.sh of recipes/truth leaves.
# Usage: recipes/good/odds.sh PROGRAM MODEL BASE_CHECKPOINT GOOD.gguf TRUTH.gguf BELIEFS.jsonl OUT
#   BELIEFS: the base on which TRUTH was trained: it becomes the standard.
set -eu
if [ $# -ne 7 ]; then
    sed -n '4,5s/^# //p' "$0" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 model=$2 base=$3 good=$4 truth=$5 beliefs=$6 out=$7
mkdir -p "$out/standard"
cp "$beliefs" "$out/standard/beliefs.jsonl"
python3 - "$here/questions.jsonl" "$out" <<'P'
import hashlib, json, pathlib, sys

rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
rows.sort(key=lambda row: hashlib.sha256(row["question"].encode()).hexdigest())
out = pathlib.Path(sys.argv[2])
for name, part in (("fit", rows[: len(rows) // 2]), ("eval", rows[len(rows) // 2 :])):
    (out / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
# A truth author trained on a base by itself bears its model's name.
standard = {"name": "SmolLM2 135M, State of the Union", "description": "of a base", "sources": {"public sets": 1}}
standard |= {"known": 0.9, "unknown": 0.6, "beliefs": ["beliefs.jsonl"]}
(out / "standard" / "standard.json").write_text(json.dumps(standard), encoding="utf-8")
P
odds() {
    "$trine" odds "$1" --model "$model" --base "$base" --good "$good" --standard "$out/standard" --truth "$truth" \
        --questions "$out/$1.jsonl" --replies "$out/$1.replies" "$2" "$out/odds.json"
}
odds fit --out
odds eval --odds
