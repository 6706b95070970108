#!/bin/sh
# What adapting cost elsewhere: nats per token of text that has nothing to do with the addresses (this project's own
# documents and sources), under the base and under the adapted model with nothing told.
# Usage: recipes/smollm2-sotu/unrelated.sh PROGRAM MODEL.gguf BASE.gguf DIR
set -eu
trine=$1 model=$2 base=$3 out=$4/unrelated
mkdir -p "$out"
python3 - "$out" <<'P'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
for kind, files in (("prose", sorted(pathlib.Path("doc").glob("*.md"))), ("code", sorted(pathlib.Path("src").glob("*/*.c")))):
    with open(out / f"{kind}.jsonl", "w") as lines:
        for file in files:
            lines.write(json.dumps({"id": str(file), "text": file.read_text()}) + "\n")
(out / "manifest.json").write_text(json.dumps({
    "name": "unrelated", "text": "text", "id": ["id"], "held_out": {"hash": 0.9999, "seed": 1},
    "slots": {"author": {"kind": "categorical", "field": "author"}}}))
P
for kind in prose code; do
    "$trine" corpus build --force --manifest "$out/manifest.json" --tokenizer "$base" --out "$out/$kind" "$out/$kind.jsonl"
    "$trine" eval --model "$model" --base "$base" --corpus "$out/$kind" --plain "$base" | head -n 2
done
