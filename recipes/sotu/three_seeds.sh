#!/bin/sh
# The numbers of doc/results.md: three seeds of the model and of the plain model of the same size, trained on the same
# pieces in the same order, and judged on the held-out addresses.  Takes some 45 minutes on two cores; what is done
# already is not done again.
# Usage: recipes/sotu/three_seeds.sh PROGRAM CORPUS DIR
set -eu

[ $# -eq 3 ] || {
    echo "usage: three_seeds.sh PROGRAM CORPUS DIR" >&2
    exit 2
}
here=$(dirname "$0")
trine=$1 corpus=$2 out=$3
mkdir -p "$out"

for seed in 1 2 3; do
    model=$out/seed$seed.gguf plain=$out/plain$seed.gguf
    "$trine" train --corpus "$corpus" --recipe "$here/recipe.json" --seed "$seed" --out "$model"
    "$trine" train --corpus "$corpus" --recipe "$here/recipe.json" --seed "$seed" --no-latents --out "$plain"
    "$trine" eval --model "$model" --corpus "$corpus" --plain "$plain" --json "$out/reader$seed.json" >"$out/reader$seed.txt"
    "$trine" eval --model "$model" --corpus "$corpus" --decide 5 --paths --pieces "$out/pieces.jsonl" \
        --json "$out/both$seed.json" >"$out/both$seed.txt"
    echo "== seed $seed"
    cat "$out/reader$seed.txt"
    echo "-- reader and writer together"
    cat "$out/both$seed.txt"
done
