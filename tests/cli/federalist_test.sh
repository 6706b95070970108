#!/bin/bash
# The Federalist recipe's table on made-up authors: what it says of papers with and without a label, from JSON lines and text files.
set -eu
command -v python3 >/dev/null 2>&1 || { echo "skipped: there is no python3"; exit 77; }
here=$PWD
. tests/cli/tiny.sh
tiny_corpus
cd "$work"
tiny_train "$work/tiny.gguf"
attribute() { "$here/recipes/federalist/attribute.py" "$TRINE" tiny.gguf "$@"; }
sed 's/"who"/"author"/; s/"id":"d/"id":"/' docs.jsonl >known.jsonl
head -n 6 known.jsonl >papers.jsonl

attribute known.jsonl papers.jsonl >table.txt
for author in Ann Bob Cyd; do
    grep -q "Author $author .* $author\$" table.txt || fail "Delta does not know $author's own words: $(cat table.txt)"
done
[ "$(grep -c '^[1-6] Author' table.txt)" = 6 ] || fail "not a row for each paper: $(cat table.txt)"
grep -q '^right of 6 labelled: reader [0-6], Delta 6$' table.txt || fail "no count: $(tail -n 1 table.txt)"

# Those held out by the recipe, when no papers are given: 3, 6, 11, 14, 16, 23, 27 are here.
attribute known.jsonl | grep -q '^right of 7 labelled' || fail "the held-out papers: $(attribute known.jsonl | tail -n 1)"

# A text of nobody knows whom, and what is no paper.
echo "my fellow citizens, the state of the union in 19 is strong." >letter.txt
attribute known.jsonl letter.txt >table.txt
grep -q '^letter .* Bob$' table.txt || fail "the letter is Bob's: $(cat table.txt)"
grep -q 'right of' table.txt && fail "a paper without a label was counted"
echo '{"id":1}' >bad.jsonl
attribute known.jsonl bad.jsonl 2>err.txt && fail "a paper without a text was read"
grep -q 'bad.jsonl:1' err.txt || fail "no place of the fault: $(cat err.txt)"
exit 0
