#!/bin/bash
# The labels that the experiment with few labels takes away, and that a model learns its authors from those that are left.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
. "$here/tests/cli/tiny.sh"
tiny_corpus
cd "$work"
keep=$here/recipes/few_labels/keep_labels.py
labelled() { jq -r 'select(.who != null) | .id' "$1/documents.jsonl" | sort; }

for share in 1 0.5 0.3; do
    "$keep" manifest.json $share "kept-$share" docs.jsonl >"kept-$share.txt"
done
[ "$(labelled kept-1 | wc -l)" = 30 ] || fail "all labels are not all: $(cat kept-1.txt)"
[ "$(wc -l <kept-0.3/documents.jsonl)" = 30 ] || fail "documents are missing"
[ -z "$(comm -13 <(labelled kept-0.5) <(labelled kept-0.3))" ] || fail "a smaller share is no part of a larger one"
count=$(labelled kept-0.3 | wc -l)
((count > 8 && count < 22)) || fail "0.3 and six held-out documents are $count of 30"
for i in 1 2 3 4 5 6; do
    labelled kept-0.3 | grep -qx "d$i" || fail "a held-out document lost its label"
done
jq -e 'select(.who == null) | .year == null and .text != null' kept-0.3/documents.jsonl | sort -u | grep -qx true ||
    fail "a label is left, or a text lost"
"$keep" manifest.json 0.3 only docs.jsonl --labelled-only >/dev/null
[ "$(labelled only | wc -l)" = "$count" ] && [ "$(wc -l <only/documents.jsonl)" = "$count" ] || fail "others are left in"
"$keep" manifest.json 0.3 few docs.jsonl --held-out 3 >/dev/null
thinned=$(jq '.held_out.documents | length' few/manifest.json)
[ "$(jq '.id == ["id"]' few/manifest.json)" = true ] && ((thinned < 6)) || fail "$thinned of six are one in three"

"$TRINE" corpus build --manifest kept-0.3/manifest.json --out few.corpus kept-0.3/documents.jsonl >/dev/null
mv corpus whole.corpus
mv few.corpus corpus
tiny_train few.gguf --steps 120
"$TRINE" eval --model few.gguf --corpus whole.corpus --json few.json >/dev/null
jq -e '.slots.author.document | .count == 6 and .top1 == 1' few.json >/dev/null ||
    fail "authors are not read: $(jq -c .slots.author few.json)"
# Where no validation document has a label, belief is weighed as a reader's is, neither void nor certain.
jq -c 'if .who == "Author Ann" or (.id | test("^d[1-9]$")) then . else .who = null | .year = null end' \
    kept-1/documents.jsonl >blind.jsonl
"$TRINE" corpus build --force --manifest kept-1/manifest.json --out corpus blind.jsonl >/dev/null
tiny_train blind.gguf --steps 20 --validation-every 11
"$TRINE" eval --model blind.gguf --corpus whole.corpus --json blind.json >/dev/null
jq -e '.slots.author.calibration | .[0] > -4 and .[0] < 2 and (.[1] + 0.5 | fabs) < 0.5' blind.json >/dev/null ||
    fail "calibration went astray: $(jq -c .slots.author blind.json)"
