#!/bin/sh
# Does a network read and write texts less well for learning pictures too? Two models of one size and seed, one trained on
# addresses on the State of the Union, one on the same addresses with glyphs among them and so many steps more that both see
# the same number of text tokens. Both have the vocabulary with the patches. Judged on the addresses' held-out texts alone.
# Usage: recipes/typefaces/text_unharmed.sh PROGRAM ADDRESSES GLYPHS DIR [STEPS [TRAINING OPTION...]]
#   ADDRESSES: the folder of JSON files of recipes/sotu/fetch.sh; GLYPHS: of glyphs.py; STEPS on text (550)
set -eu

if [ $# -lt 4 ]; then
    echo "usage: text_unharmed.sh PROGRAM ADDRESSES GLYPHS DIR [STEPS [TRAINING OPTION...]]" >&2
    exit 2
fi
here=$(dirname "$0") trine=$1 addresses=$2 glyphs=$3 dir=$4 steps=${5:-550}
shift 4
[ $# -eq 0 ] || shift
python=${PYTHON:-python3}
mkdir -p "$dir"

"$python" "$here/mixed.py" "$addresses" "$glyphs" "$dir"
# The small model of names.json, without names.
"$python" - "$here/../sotu/names.json" "$dir/recipe.json" <<'PYTHON'
import json, sys
recipe = json.load(open(sys.argv[1]))
recipe = {key: value for key, value in recipe.items() if key not in ("names", "bylines", "titles", "steps")}
recipe["name"], recipe["slot_width"] = "Addresses, with and without pictures", {"author": 48, "date": 8}
json.dump(recipe, open(sys.argv[2], "w"), indent=1)
PYTHON
[ -e "$dir/mixed/catalogue.sqlite" ] ||
    "$trine" corpus build --manifest "$dir/mixed.json" --out "$dir/mixed" "$glyphs/mixed.jsonl"
[ -e "$dir/text/catalogue.sqlite" ] ||
    "$trine" corpus build --manifest "$dir/mixed.json" --tokenizer "$dir/mixed" --out "$dir/text" "$glyphs/text.jsonl"

# Training takes pieces of 128 tokens in random order, whatever they hold; a glyph is one piece.
more=$("$python" - "$dir" "$glyphs" "$steps" <<'PYTHON'
import json, subprocess, sys, sqlite3
directory, glyphs, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
CONTEXT = json.load(open(f"{directory}/recipe.json"))["context"]
def tokens(corpus, where):
    base = sqlite3.connect(f"file:{corpus}/catalogue.sqlite?mode=ro", uri=True)
    return [row[0] for row in base.execute(f"select token_count from documents where {where}")]
text = sum(-(-count // CONTEXT) for count in tokens(f"{directory}/text", "split = 'train'"))
pictures = len([1 for line in open(f"{glyphs}/mixed.jsonl") if json.loads(line)["image"]])
print(round(steps * (text + pictures) / text))
PYTHON
)
echo "$steps steps on texts, $more on texts and pictures"
for kind in text mixed; do
    if [ $kind = text ]; then count=$steps; else count=$more; fi
    "$trine" train --corpus "$dir/$kind" --recipe "$dir/recipe.json" --steps "$count" --out "$dir/$kind.gguf" "$@"
done
for kind in text mixed; do
    echo "== trained on $kind, judged on held-out texts"
    "$trine" eval --model "$dir/$kind.gguf" --corpus "$dir/text" --json "$dir/$kind.json"
done
