#!/bin/sh
# The whole of the dream layer in one go: fetches the addresses, builds the corpus, trains, reports on held-out
# addresses, writes as four dates and between two authors, draws the atlas.  Interrupted, it goes on where it was; done,
# it shows the results again.
# Usage: recipes/sotu/demo.sh PROGRAM DIR        [RECIPE: default recipes/sotu/recipe.json]
set -eu

if [ $# -lt 2 ]; then
    echo "usage: demo.sh PROGRAM DIR [RECIPE]" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 out=$2 recipe=${3:-$here/recipe.json}
model=$out/sotu.gguf
mkdir -p "$out"

say() { printf '\n== %s\n' "$*"; }

# Runs a command whose standard output becomes a file, whole or not at all; shows it.
keep() {
    file=$1
    shift
    "$@" >"$file.part"
    mv "$file.part" "$file"
    cat "$file"
}

write_samples() {
    for year in 1790 1863 1941 2010; do
        echo "--- told the date $year"
        "$trine" write --model "$model" --date "$year" --prompt "$prompt" --tokens 90 --seed 3
        echo
    done
    echo "=== from one author to another, at the same seed, nothing else told"
    "$trine" write --model "$model" --sweep "author=Abraham Lincoln..John F Kennedy:0.25" --prompt "$prompt" \
        --tokens 60 --seed 3
}
prompt="The state of the Union"

say "the addresses"
"$here/fetch.sh" "$out/data"

if [ -e "$out/corpus/catalogue.sqlite" ]; then
    say "the corpus is built already"
else
    say "the corpus"
    "$trine" corpus build --manifest "$here/manifest.json" --out "$out/corpus" "$out"/data/package/data/*.json
fi

say "training (Ctrl-C stops it; the same command goes on)"
"$trine" train --corpus "$out/corpus" --recipe "$recipe" --out "$model"

say "what it knows of 40 addresses that it never saw"
if [ ! -e "$out/report.json" ] || [ "$model" -nt "$out/report.json" ]; then
    "$trine" eval --model "$model" --corpus "$out/corpus" --paths --json "$out/report.json" >"$out/report.txt"
fi
cat "$out/report.txt"

say "written by it"
if [ ! -e "$out/samples.txt" ] || [ "$model" -nt "$out/samples.txt" ]; then
    keep "$out/samples.txt" write_samples
else
    cat "$out/samples.txt"
fi

say "the atlas of authors"
"$trine" atlas --model "$model" --corpus "$out/corpus" --components 3 --picture "$out/atlas.svg"
say "results: $model $out/report.json $out/samples.txt $out/atlas.svg"
