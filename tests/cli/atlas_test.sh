#!/bin/bash
# The atlas on corpora that are not the model's own, on slots of many labels, and its pictures.
# (dream_test.sh has the plain cases.)
set -eu
. "$(dirname "$0")/tiny.sh"
tiny_corpus
cd "$work"
refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}

# Three slots with a label for each document leave no room for more facts, and they come before the
# date: it must be known all the same, and no more components than there are directions.
for slot in a b c; do
    sed -i "s/\"date\":/\"$slot\":{\"kind\":\"categorical\",\"field\":\"id\"},&/" manifest.json
done
"$TRINE" corpus build --force --manifest manifest.json --out corpus docs.jsonl >/dev/null
tiny_train "$work/many.gguf" --steps 10
"$TRINE" atlas --model many.gguf --corpus corpus --picture m.svg --picture m.png >atlas.txt
grep -q '^slot author: 3 labels' atlas.txt || fail "atlas: $(cat atlas.txt)"
[ "$(grep -c '^component' atlas.txt)" = 2 ] || fail "three labels span two directions: $(cat atlas.txt)"
for name in Ann Bob Cyd; do
    grep -q "low end: .*Author $name" atlas.txt || fail "$name stands nowhere: $(cat atlas.txt)"
done
head -c 200 m.svg | grep -q '<?xml\|<svg' || fail "m.svg is no SVG"
[ "$(wc -c <m.svg)" -gt 2000 ] || fail "m.svg is empty"
head -c 4 m.png | grep -q PNG || fail "m.png is no PNG"
"$TRINE" atlas --model many.gguf --corpus corpus --json >atlas.json
for key in slot labels components share_of_variance standard_deviation coordinates likelier_low \
    likelier_high '"mean date"'; do
    grep -q "$key" atlas.json || fail "atlas --json has no $key"
done
"$TRINE" atlas --model many.gguf --json --components 1 | grep -q likelier && fail "words of no corpus"
refuse 1 'm.gif' atlas --model many.gguf --picture m.gif
refuse 1 'two components' atlas --model many.gguf --components 1 --picture n.svg
[ ! -e n.svg ] && [ ! -e m.gif ] || fail "a refused picture was written"
refuse 2 components atlas --model many.gguf --components 0
refuse 2 samples atlas --model many.gguf --samples x

# A corpus of more tokens than the model has would lead beyond its table of embeddings.
sed 's/"vocabulary":300/"vocabulary":320/' manifest.json >other.json
"$TRINE" corpus build --manifest other.json --out other docs.jsonl >/dev/null
refuse 1 'other tokens' atlas --model many.gguf --corpus other

# Nothing held out: the layout and the facts are told, and why there are no words.
sed -z 's/,\n "held_out":{[^}]*}//' manifest.json >none.json
"$TRINE" corpus build --manifest none.json --out none docs.jsonl >/dev/null
mkdir sub && mv none sub/corpus
(work=$work/sub; tiny_train "$work/none.gguf" --steps 10)
"$TRINE" atlas --model sub/none.gguf --corpus sub/corpus >none.txt
grep -q 'holds out no documents' none.txt || fail "no reason for the words: $(cat none.txt)"
grep -q 'mean date' none.txt || fail "no facts: $(cat none.txt)"
grep -q likelier none.txt && fail "words without held-out texts"
exit 0
