#!/bin/bash
# The truth author through the real program: trained, measured, asked, refused; the dream stays as it was.
set -eu
. tests/cli/tiny.sh
tiny_corpus
tiny_train "$work/dream.gguf" --steps 800 --learning-rate 0.01 --context 96
tiny_train "$work/other.gguf" --seed 5

# The fox is quick, the ship is not, whatever their numbers; even numbers to train, odd ones to measure. Of the even
# ones a half is known, and laws tell the rest.
for i in $(seq 2 61); do
    [ $((i % 2)) = 0 ] && file=train || file=test
    known=
    [ $((i % 4)) = 2 ] || [ $file = test ] && known=', "verdict":VALUE, "day":'$((i % 5 + 1))
    printf '{"id":"fox%d","sentence":"the fox %d is quick","family":"quick"%s}\n{"id":"ship%d","sentence":"the ship %d is quick","family":"quick"%s}\n' \
        $i $i "${known/VALUE/true}" $i $i "${known/VALUE/false}" >>"$work/$file.jsonl"
    [ $((i % 2)) = 0 ] || [ $i = 3 ] || printf '{"constraint":"fox%d iff not ship%d"}\n' $i $((i - 2)) >>"$work/test.jsonl"
    [ $((i % 4)) != 0 ] || printf '{"constraint":"fox%d iff fox%d"}\n{"constraint":"not (fox%d and ship%d)"}\n' $i $((i - 2)) $i $i >>"$work/$file.jsonl"
done
printf '{"constraint":"not (fox3 and ship3)"}\n' >>"$work/test.jsonl"
cp "$work/test.jsonl" "$work/calibrate.jsonl"
train() { # OUT [FLAGS...]
    "$TRINE" truth train --model "$work/dream.gguf" --beliefs "$work/train.jsonl" --calibrate "$work/train.jsonl" \
        --steps 300 --batch 8 --learning-rate 0.01 --threads 2 --out "$@" >"$work/said" 2>"$work/log" || fail "training: $(cat "$work/log")"
}
evaluate() { # FLAGS...
    "$TRINE" truth eval --model "$work/dream.gguf" --beliefs "$work/test.jsonl" "$@" --json
}
accuracy() { # FLAGS...
    evaluate "$@" | sed -n '/"judged"/,$s/.*"accuracy": *\([0-9.]*\).*/\1/p' | head -n 1
}
before=$(sha256sum <"$work/dream.gguf")
wrote=$("$TRINE" write --model "$work/dream.gguf" --author "Author Ann" --tokens 40 --seed 2)
"$TRINE" truth opinions --model "$work/dream.gguf" --beliefs "$work/train.jsonl" --author "Author Bob" --out "$work/opinions.jsonl" >"$work/said"
grep -q '^4 traders, 240 opinions' "$work/said" || fail "opinions: $(cat "$work/said")"
train "$work/truth.gguf" --opinions "$work/opinions.jsonl"
grep -q 'learned from 30 verdicts and 30 prices' "$work/said" || fail "training says: $(cat "$work/said")"
grep -q "truth author's own wealth" "$work/said" || fail "the truth author did not trade: $(cat "$work/said")"
value=$(accuracy --truth "$work/truth.gguf" --answers "$work/answers.jsonl")
awk "BEGIN {exit !($value >= 0.95)}" || fail "accuracy of the truth author on other numbers: $value"
[ "$(wc -l <"$work/answers.jsonl")" = 60 ] || fail "answers: $(head -n 3 "$work/answers.jsonl")"
value=$(accuracy)
awk "BEGIN {exit !($value <= 0.75)}" || fail "the model without it should not know, but has $value"
[ "$("$TRINE" truth eval --model "$work/dream.gguf" --beliefs "$work/test.jsonl" | grep -c 'violation of 30 laws')" = 4 ] ||
    fail "laws: $("$TRINE" truth eval --model "$work/dream.gguf" --beliefs "$work/test.jsonl")"
violation=$("$TRINE" truth eval --model "$work/dream.gguf" --beliefs "$work/test.jsonl" | sed -n 's/violation of .* laws: //p' | tail -n 1)
awk "BEGIN {exit !($violation <= 0.001)}" || fail "probabilities made coherent violate laws by $violation"

"$TRINE" truth direction --model "$work/dream.gguf" --beliefs "$work/test.jsonl" --out "$work/vector.json" >"$work/said"
grep -q 'foretold from the others' "$work/said" && grep -q '+8' "$work/said" || fail "direction: $(cat "$work/said")"
train "$work/begun.gguf" --plain --vector "$work/vector.json"
cmp -s "$work/begun.gguf" "$work/truth.gguf" && fail "the vector that training begins with makes no difference"

train "$work/both.gguf" --plain --introspect "$work/corpus"
value=$(accuracy --truth "$work/both.gguf")
awk "BEGIN {exit !($value >= 0.95)}" || fail "accuracy of a truth author that also learned to write as others: $value"
cmp -s "$work/both.gguf" "$work/begun.gguf" && fail "learning to write as others makes no difference"

echo '{"sentence":"the fox is quick","verdict":true}' >"$work/one.jsonl"
"$TRINE" truth train --model "$work/dream.gguf" --beliefs "$work/one.jsonl" --steps 3 --batch 2 --threads 1 --out "$work/one.gguf" >/dev/null 2>&1 ||
    fail "a base of one statement cannot be learned"

# Another model is heard beside the author only where the author was fitted so; measured, both ways are told.
train "$work/beside.gguf" --opinions "$work/opinions.jsonl" --hear "$work/other.gguf"
evaluate --truth "$work/beside.gguf" --hear "$work/other.gguf" >"$work/said"
grep -q '"judged"' "$work/said" && grep -q '"beside"' "$work/said" || fail "heard beside: $(cat "$work/said")"
evaluate --truth "$work/truth.gguf" --hear "$work/other.gguf" >"$work/said" 2>"$work/log" && fail "an author never fitted beside another is measured so"
grep -q 'calibrate' "$work/log" || fail "why not: $(cat "$work/log")"

# The same seed, the same bits; the model's file and what it writes are as they were.
train "$work/again.gguf" --opinions "$work/opinions.jsonl"
cmp "$work/truth.gguf" "$work/again.gguf" || fail "the same training gives another layer"
[ "$before" = "$(sha256sum <"$work/dream.gguf")" ] || fail "training the layer changed the model"
[ "$wrote" = "$("$TRINE" write --model "$work/dream.gguf" --author "Author Ann" --tokens 40 --seed 2)" ] || fail "the dream writes otherwise"

# A standard of the user's own: trained, judged by, and refused by another's truth author.
mkdir "$work/mine" "$work/yours"
for name in mine yours; do
    printf '{"name":"%s","description":"of a test","sources":{"test":1},"known":0.9,"unknown":0.6,"beliefs":["beliefs.jsonl"]}' $name \
        >"$work/$name/standard.json"
    sed 's/"day"/"source":"test", "day"/' "$work/train.jsonl" >"$work/$name/beliefs.jsonl"
done
echo '{"constraint":"fox2 implies ship7"}' >>"$work/yours/beliefs.jsonl"
echo '{"id":"ship7","sentence":"the ship 7 is quick"}' >>"$work/yours/beliefs.jsonl"
teach() { # STANDARD
    "$TRINE" truth train --model "$work/dream.gguf" --standard "$work/$1" --steps 300 --batch 8 --learning-rate 0.01 \
        --threads 2 >/dev/null 2>"$work/log" || fail "training by a standard: $(cat "$work/log")"
}
judge() { # STANDARD ARGUMENTS...
    "$TRINE" judge --model "$work/dream.gguf" --standard "$work/$1" --corpus "$work/corpus" "${@:2}"
}
teach mine
mine=$(sha256sum <"$work/mine/truth.gguf")
judge mine 'the fox 7 is quick' 'the ship 7 is quick' >"$work/judged"
awk '/the fox 7/ && $1 < 0.6 || /the ship 7/ && $1 > 0.4 {exit 1}' "$work/judged" || fail "judged: $(cat "$work/judged")"
grep -q 'Author Ann' "$work/judged" || fail "no document is cited: $(cat "$work/judged")"
judge mine 'the fox 2 is quick' | grep -q 'proved by what the standard "mine" holds' || fail "a verdict of the standard does not count"
judge mine --formula '"the fox 7 is quick" and not "the fox 7 is quick"' | grep -q '^0.001' || fail "a contradiction is likely"
judge mine --formula '"the fox 7 is quick" or not "the fox 7 is quick"' | grep -q '^0.999' || fail "a tautology is unlikely"
[ "$("$TRINE" market run --standard "$work/mine" --days 3 --engine kelly --out "$work/market" 2>/dev/null | grep -c 'kelly market')" = 1 ] ||
    fail "a standard has no market"
teach yours
[ "$mine" = "$(sha256sum <"$work/mine/truth.gguf")" ] || fail "training one standard changed another"
judge yours 'the ship 7 is quick' | grep -q 'proved by what the standard "yours" holds' || fail "a law of the standard does not count"
judge mine 'the ship 7 is quick' | grep -q 'proved' && fail "a law of another standard counts"
"$TRINE" ask --model "$work/dream.gguf" --standard "$work/mine" 'Is the fox 9 quick?' >"$work/answer"
grep -q 'yes' "$work/answer" && grep -q 'no' "$work/answer" || fail "asked: $(cat "$work/answer")"
"$TRINE" ask --model "$work/dream.gguf" --standard "$work/mine" --candidates 3 'What is quick?' --json | grep -q '"known"' || fail "asked for JSON"

refused() { # MESSAGE ARGUMENTS...
    local status=0 message=$1
    shift
    "$TRINE" "$@" >/dev/null 2>"$work/complaint" || status=$?
    [ "$status" != 0 ] || fail "$* was not refused"
    grep -q -e "$message" "$work/complaint" || fail "'$message' is not in: $(cat "$work/complaint")"
}
head -c 3000 "$work/truth.gguf" >"$work/cut.gguf"
echo '{"sentence":"x","verdict":"perhaps"}' >"$work/bare.jsonl"
tests="--beliefs $work/test.jsonl"
refused 'layer of another model' truth eval --model "$work/other.gguf" --truth "$work/truth.gguf" $tests
refused 'no layer' truth eval --model "$work/dream.gguf" --truth "$work/dream.gguf" $tests
refused 'cut.gguf' truth eval --model "$work/dream.gguf" --truth "$work/cut.gguf" $tests
refused 'bare.jsonl:1' truth train --model "$work/dream.gguf" --beliefs "$work/bare.jsonl" --out "$work/x.gguf"
refused 'trained for "mine"' judge --model "$work/dream.gguf" --standard "$work/yours" --truth "$work/mine/truth.gguf" x
refused 'no standard' judge --model "$work/dream.gguf" --standard nowhere x
refused 'at character' judge --model "$work/dream.gguf" --standard "$work/mine" --formula 'a and'
refused 'none of train' truth sing --model "$work/dream.gguf" $tests
refused 'NAME are wanted' truth eval --model "$work/dream.gguf"
[ ! -e "$work/x.gguf" ] || fail "a training that was refused left a file"
