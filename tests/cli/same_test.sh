#!/bin/bash
# trine same on a tiny model: texts of one made-up author, of two, and of nobody it knows.
set -eu
. "$(dirname "$0")/tiny.sh"
tiny_corpus
model=$work/tiny.gguf
tiny_train "$model" --steps 200
cd "$work"
text_of() { sed -n "s/.*\"id\":\"$1\".*\"text\":\"\([^\"]*\)\".*/\1/p" docs.jsonl; }
for id in d1 d4 d2 d5; do text_of $id >$id.txt; done # held out: two of one author each
[ -s d1.txt ] && [ -s d5.txt ] || fail "no texts"

"$TRINE" same --model "$model" d1.txt d4.txt d2.txt d5.txt >out.txt
[ "$(wc -l <out.txt)" = 6 ] || fail "not six pairs: $(cat out.txt)"
"$TRINE" same --model "$model" d1.txt d4.txt d2.txt d5.txt --json=pairs.json
probability() { # ONE OTHER
    jq ".pairs[] | select(.one == $1 and .other == $2) | .log_odds" pairs.json
}
for alike in "0 1" "2 3"; do
    for other in "0 2" "0 3" "1 2" "1 3"; do
        # shellcheck disable=SC2086
        jq -en "$(probability $alike) > $(probability $other)" >/dev/null ||
            fail "two texts of one author ($alike) are less alike than those of two ($other): $(cat pairs.json)"
    done
done
jq -e '[.texts[].file] == ["d1.txt", "d4.txt", "d2.txt", "d5.txt"] and all(.texts[]; .tokens > 100)' pairs.json >/dev/null ||
    fail "the texts are not told: $(cat pairs.json)"
"$TRINE" same --model "$model" d1.txt d4.txt d2.txt d5.txt --json | cmp - pairs.json || fail "the second time it is another"

refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}
"$TRINE" same --help | grep -q "usage: trine same" || fail "same --help says nothing"
refuse 2 "at least two texts" same --model "$model" d1.txt
refuse 2 needed same d1.txt d4.txt
refuse 1 absent.txt same --model "$model" d1.txt absent.txt
refuse 1 'no slot "date"' same --model "$model" --slot date d1.txt d4.txt
: >empty.txt
refuse 1 empty same --model "$model" d1.txt empty.txt
printf 'a fox' >short.txt
"$TRINE" same --model "$model" d1.txt short.txt 2>err.txt >out.txt
grep -q "too few" err.txt || fail "a short text is no reason to warn"

# What the odds are worth, from texts of known authors: five of each.
for i in $(seq 7 21); do
    text=$(text_of "d$i")
    echo "{\"text\": \"$text\", \"author\": \"$((i % 3))\", \"work\": \"$i\"}"
done >known.jsonl
"$TRINE" same --model "$model" --fit known.jsonl --out odds.json >out.txt 2>err.txt || fail "no fit: $(cat err.txt)"
grep -q "15 texts, 30 pairs of one author and 75 of two" out.txt || fail "the pairs are not told: $(cat out.txt)"
"$TRINE" same --model "$model" d1.txt d4.txt d2.txt d5.txt --odds odds.json --json=fitted.json
jq -en --slurpfile plain pairs.json --slurpfile fitted fitted.json --slurpfile odds odds.json \
    '[$plain[0].pairs, $fitted[0].pairs] | transpose
     | all(.[0].log_odds * $odds[0].scale + $odds[0].shift - .[1].log_odds | fabs < 0.01)' >/dev/null ||
    fail "the odds are not applied: $(cat odds.json pairs.json fitted.json)"
refuse 2 "belong together" same --model "$model" --fit known.jsonl
refuse 2 neither same --model "$model" --fit known.jsonl --out x.json d1.txt d2.txt
head -3 known.jsonl >few.jsonl
refuse 1 "too few" same --model "$model" --fit few.jsonl --out x.json
[ ! -e x.json ] || fail "odds were written after a failure"
sed 's/"scale": [^,]*/"scale": -1/' odds.json >bad.json
refuse 1 scale same --model "$model" --odds bad.json d1.txt d2.txt
