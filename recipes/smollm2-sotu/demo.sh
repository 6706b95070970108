#!/bin/sh
# SmolLM2 with the authors and dates of the State of the Union addresses, without training: fetches the checkpoint, takes
# the adapter in models/, writes as four dates and between two authors, tells who wrote a text, and shows that the
# checkpoint by itself is what it was.
# Usage: recipes/smollm2-sotu/demo.sh PROGRAM DIR
set -eu
if [ $# -ne 2 ]; then
    echo "usage: demo.sh PROGRAM DIR" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 out=$2
adapted=$here/../../models/smollm2-sotu
say() { printf '\n== %s\n' "$*"; }

say "the checkpoint"
base=$("$here/fetch.sh" "$out")
(cd "$adapted" && sha256sum --check --quiet SHA256SUMS)
model=$adapted/smollm2-sotu.gguf
echo "$base, and $model beside it"

say "the same beginning, told four dates"
for year in 1790 1863 1941 2010; do
    echo "--- $year"
    "$trine" write --model "$model" --base "$base" --date "$year" --prompt "The state of the Union" --tokens 70 --seed 3
    echo
done

say "from one author to another"
"$trine" write --model "$model" --base "$base" --sweep "author=George Washington..John F Kennedy:0.5" \
    --prompt "The young men of this country" --tokens 50 --seed 5

say "who writes so, and when?"
"$trine" write --model "$model" --base "$base" --author "Franklin D Roosevelt" --date 1941 --tokens 400 --seed 7 \
    >"$out/roosevelt.txt"
echo "400 tokens written as Franklin D. Roosevelt in 1941, read back:"
"$trine" read --model "$model" --base "$base" "$out/roosevelt.txt"

say "the checkpoint by itself"
"$trine" write --model "$base" --chat --prompt "In one sentence, what is the State of the Union address?" --tokens 60 \
    --temperature 0
say "results: $out; more with ./trine write --model $model --base $base --help"
