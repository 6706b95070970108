#!/bin/bash
# Names end to end on a tiny model: a name in another spelling finds its author, a vector is given
# its name, and a model without names says what it always said.
set -eu
. "$(dirname "$0")/tiny.sh"
tiny_corpus
cd "$work"
sed -i 's/Author Ann/Ann Margaret Archer/; s/Author Bob/Robert Oliver Baker/; s/Author Cyd/Cyd Quincy Carver/' docs.jsonl
"$TRINE" corpus build --manifest manifest.json --out corpus --force docs.jsonl >/dev/null
plain=$work/plain.gguf
tiny_train "$plain"
tiny_train "$work/off.gguf" --names 0 --bylines 0.5
cmp "$plain" "$work/off.gguf" || fail "without names, bylines change the training"
model=$work/names.gguf
tiny_train "$model" --names 8 --steps 350 --learning-rate 0.004

"$TRINE" handle --model "$model" --author "Baker, Robert Oliver" >out.txt 2>err.txt ||
    fail "a reversed name does not resolve: $(cat err.txt)"
grep -q "taken for Robert Oliver Baker (0.9" err.txt || fail "it is not said who was meant: $(cat err.txt)"
grep -q "told: Robert Oliver Baker" out.txt || fail "the handle is another: $(cat out.txt)"
"$TRINE" handle --model "$model" --author archer >out.txt 2>err.txt || fail "a part of one label fails"
[ ! -s err.txt ] || fail "a part of one label needs no words: $(cat err.txt)"
"$TRINE" write --model "$model" --tell "author=CARVER, Cyd Q." --tokens 5 >out.txt 2>err.txt ||
    grep -q "not clear" err.txt || fail "--tell: $(cat err.txt)"

"$TRINE" name --model "$model" --evaluate --corpus corpus --json=report.json
# Variants by rules that training had, in spellings that it did not; and by rules that it had not.
jq -e '.seen_rules | .taken >= 0.8 * .count and .taken > .searched and .mistaken <= 0.1 * .count' report.json >/dev/null ||
    fail "names do not resolve: $(jq -c .seen_rules report.json)"
jq -e '.unseen_rules | .network >= 0.6 * .count and .network > 2 * .searched' report.json >/dev/null ||
    fail "names by other rules do not resolve: $(jq -c .unseen_rules report.json)"
jq -e '.fewest_variants >= 10 and .labels == 3 and .documents.count == 6' report.json >/dev/null ||
    fail "too little is measured: $(cat report.json)"
jq -e '.documents.written >= 4' report.json >/dev/null || fail "documents get others' names: $(jq -c .documents report.json)"
"$TRINE" name --model "$model" --evaluate --corpus corpus --json | cmp - report.json || fail "the second time it is another"
"$TRINE" name --model "$model" --evaluate --corpus corpus | grep -q "unseen rules" || fail "no table"

printf '%s\n' '{"name": "Baker, Robert Oliver", "label": "Robert Oliver Baker"}' '{"name": "Zzz", "label": null}' >hand.jsonl
"$TRINE" name --model "$model" --evaluate --corpus corpus --variants hand.jsonl --json=hand.json
jq -e '.by_hand.count == 1 and .by_hand.taken == 1 and .by_hand_strangers.count == 1' hand.json >/dev/null ||
    fail "the list by hand: $(jq -c .by_hand hand.json)"

for author in "Ann Margaret Archer" "Robert Oliver Baker" "Cyd Quincy Carver"; do
    "$TRINE" name --model "$model" --author "$author" --json | jq -r '.names[0].name'
done >named.txt
printf '%s\n' "Ann Margaret Archer" "Robert Oliver Baker" "Cyd Quincy Carver" >wanted.txt
cmp named.txt wanted.txt || fail "vectors get other names: $(cat named.txt)"
"$TRINE" name --model "$model" --author archer --top 2 --samples 3 >out.txt
[ "$(wc -l <out.txt)" = 6 ] || fail "not two labels, one name spelt and three by chance: $(cat out.txt)"
"$TRINE" name --model "$model" --author archer --top 2 --samples 3 | cmp - out.txt || fail "samples depend on more than the seed"

refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}
refuse 1 "knows no 'Baker, Robert Oliver'" handle --model "$plain" --author "Baker, Robert Oliver"
refuse 1 "not taught names" name --model "$plain" --author archer
refuse 2 "a handle is needed" name --model "$model"
refuse 2 "belong together" name --model "$model" --evaluate
refuse 2 "titles" name --model "$model" --evaluate --corpus corpus --titles ",a"
refuse 1 "one line" handle --model "$model" --author $'two\nlines'
refuse 1 "tokens; at most" handle --model "$model" --author "$(printf 'xq%.0s' {1..70})"
echo '{"name": "Ann", "label": "Nobody"}' >hand.jsonl
refuse 1 "hand.jsonl:1: slot author has no label 'Nobody'" name --model "$model" --evaluate --corpus corpus --variants hand.jsonl
echo '{"name": 3}' >hand.jsonl
refuse 1 "hand.jsonl:1" name --model "$model" --evaluate --corpus corpus --variants hand.jsonl
echo '{"names": 4, "titles": ["President", 3]}' >titles.json
refuse 2 "title 1" train --corpus corpus --out x.gguf --recipe titles.json
refuse 1 "cannot be shared" train --corpus corpus --out x.gguf --names 3 --threads 2 --batch 4 --context 16
