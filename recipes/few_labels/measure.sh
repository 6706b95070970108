#!/bin/bash
# What doc/few_labels.md reports: models trained on a corpus of which few documents have labels, beside those trained on the
# labelled documents alone and the plain model of all the text, measured on the same held-out documents with the same
# vocabulary. What is there already is not made again.
# Usage: measure.sh PROGRAM MANIFEST OUT FILE...
#   SHARES (default: "1 0.3 0.1 0.03"), SEEDS (default: "1"), STEPS (default: 800), HELD_OUT (default: 1: one held-out
#   document in so many is measured), THREADS (default: 1)
# The models trained on labelled documents alone see few tokens many times; they are trained for all the steps and for a
# quarter of them, and the better one counts.
set -eu
if [ $# -lt 4 ]; then
    sed -n '2,9s/^# //p' "$0" >&2
    exit 2
fi
trine=$1 manifest=$2 out=$3
shift 3
here=$(dirname "$0")
steps=${STEPS:-800}
mkdir -p "$out"

corpus() { # NAME SHARE FLAGS... ; all take the vocabulary of the whole
    [ -e "$out/$1/corpus/catalogue.sqlite" ] && return
    "$here/keep_labels.py" "$manifest" "$2" "$out/$1" "${files[@]}" --held-out "${HELD_OUT:-1}" "${@:3}"
    local vocabulary=()
    [ "$1" = all-1 ] || vocabulary=(--tokenizer "$out/all-1/corpus")
    "$trine" corpus build --manifest "$out/$1/manifest.json" "${vocabulary[@]}" --out "$out/$1/corpus" \
        "$out/$1/documents.jsonl" >"$out/$1/log"
    rm "$out/$1/documents.jsonl"
}

measure() { # NAME CORPUS STEPS SEED FLAGS...
    local model=$out/$1-s$4.gguf
    [ -e "$out/$1-s$4.json" ] && return
    echo "== $1, seed $4"
    "$trine" train --corpus "$out/$2/corpus" --recipe "$here/recipe.json" --steps "$3" --seed "$4" \
        --threads "${THREADS:-1}" --out "$model" "${@:5}" 2>"$model.log"
    "$trine" eval --model "$model" --corpus "$out/all-1/corpus" --json "$out/$1-s$4.part" >/dev/null 2>&1
    mv "$out/$1-s$4.part" "$out/$1-s$4.json"
    rm -f "$model.state"
}

files=("$@")
corpus all-1 1
for seed in ${SEEDS:-1}; do
    measure plain all-1 "$steps" "$seed" --no-latents
    for share in ${SHARES:-1 0.3 0.1 0.03}; do
        corpus "all-$share" "$share"
        measure "all-$share" "all-$share" "$steps" "$seed"
        [ "$share" = 1 ] && continue
        corpus "only-$share" "$share" --labelled-only
        measure "only-$share" "only-$share" "$steps" "$seed"
        measure "only-$share-short" "only-$share" $((steps / 4)) "$seed"
    done
done
"$here/tables.py" "$out"
