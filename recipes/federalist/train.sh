#!/bin/sh
# Trains a small model on the undisputed papers of the Federalist, reads those that were held out beside Burrows's Delta,
# and draws the atlas.  Interrupted, it goes on where it was.
# Usage: recipes/federalist/train.sh PROGRAM federalist.jsonl OUT
set -eu

[ $# -eq 3 ] || {
    echo "usage: train.sh PROGRAM federalist.jsonl OUT" >&2
    exit 2
}
here=$(dirname "$0")
trine=$1 papers=$2 out=$3
mkdir -p "$out"

[ -e "$out/corpus/catalogue.sqlite" ] ||
    "$trine" corpus build --manifest "$here/manifest.json" --out "$out/corpus" "$papers"
"$trine" train --corpus "$out/corpus" --recipe "$here/recipe.json" --out "$out/federalist.gguf"
"$trine" eval --model "$out/federalist.gguf" --corpus "$out/corpus"
"$here/attribute.py" "$trine" "$out/federalist.gguf" "$papers"
"$trine" atlas --model "$out/federalist.gguf" --corpus "$out/corpus" --report "$out/atlas.html"
echo "results: $out/federalist.gguf $out/atlas.html"
