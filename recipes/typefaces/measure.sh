#!/bin/sh
# Fetches the fonts, draws them, builds the corpus, trains, and measures: designers and years read from held-out glyphs and
# from unseen typefaces beside linear baselines, letters written, a strip between two designers. Interrupted, it goes on
# where it was.
# Usage: recipes/typefaces/measure.sh PROGRAM DIR [TRAINING OPTION...]      PYTHON: python3 unless set
# (`--f32` is the faster on some processors)
set -eu

if [ $# -lt 2 ]; then
    echo "usage: measure.sh PROGRAM DIR [TRAINING OPTION...]" >&2
    exit 2
fi
here=$(dirname "$0") trine=$1 dir=$2
shift 2
python=${PYTHON:-python3}
model=$dir/typefaces.gguf

say() { printf '\n== %s\n' "$*"; }

mkdir -p "$dir"
if [ ! -e "$dir/glyphs/manifest.json" ]; then
    say "the fonts and their glyphs"
    "$here/fetch.sh" "$dir/fonts"
    "$python" "$here/glyphs.py" "$dir/fonts" "$dir/glyphs"
fi
if [ ! -e "$dir/corpus/catalogue.sqlite" ]; then
    say "the corpus"
    "$trine" corpus build --manifest "$dir/glyphs/manifest.json" --out "$dir/corpus" "$dir/glyphs/glyphs.jsonl"
fi

say "training (Ctrl-C stops it; the same command goes on)"
"$trine" train --corpus "$dir/corpus" --recipe "$here/recipe.json" --out "$model" "$@"

say "held-out glyphs, one by one"
"$trine" eval --model "$model" --corpus "$dir/corpus" --json "$dir/held_out.json"

say "typefaces of which it saw no glyph"
if [ ! -e "$dir/unseen/catalogue.sqlite" ]; then
    "$trine" corpus build --manifest "$dir/glyphs/unseen.manifest.json" --tokenizer "$model" --out "$dir/unseen" \
        "$dir/glyphs/unseen.jsonl"
fi
"$trine" eval --model "$model" --corpus "$dir/unseen" --json "$dir/unseen.json"

say "a font's glyphs together"
"$python" "$here/figures.py" read "$trine" "$model" "$dir/glyphs" "$dir"

say "linear baselines"
[ -e "$dir/baseline.json" ] || "$python" "$here/baseline.py" "$dir/glyphs" --json "$dir/baseline.json" >"$dir/baseline.txt"
cat "$dir/baseline.txt"

say "letters as drawn and as written; a strip from one designer to another"
"$python" "$here/figures.py" letters "$trine" "$model" "$dir/glyphs" "$dir" \
    "Barry Schwartz" "Steve Matteson" "Jim Lyles" "Alexandra Korolkova" "Brian Kent" "Ryoichi Tsunekawa" "Gesine Todt"
"$python" "$here/figures.py" strip "$trine" "$model" "$dir" "Barry Schwartz" "Łukasz Dziedzic"
say "results: $model $dir/held_out.json $dir/unseen.json $dir/figures.json $dir/letters.png $dir/strip.png"
