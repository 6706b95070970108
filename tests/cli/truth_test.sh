#!/bin/bash
# The truth author through the real program: trained, measured, asked, refused; the dream stays as it was.
set -eu
. tests/cli/tiny.sh
tiny_corpus
tiny_train "$work/dream.gguf" --steps 800 --learning-rate 0.01
tiny_train "$work/other.gguf" --seed 5

# The fox is quick, the ship is not, whatever their numbers; even numbers to train, odd ones to measure. Of the even
# ones a half is known, and laws tell the rest.
for i in $(seq 2 61); do
    [ $((i % 2)) = 0 ] && file=train || file=test
    known=
    [ $((i % 4)) = 2 ] || [ $file = test ] && known=', "verdict":VALUE, "day":'$((i % 5 + 1))
    printf '{"id":"fox%d","sentence":"the fox %d is quick","family":"quick"%s}\n{"id":"ship%d","sentence":"the ship %d is quick","family":"quick"%s}\n' \
        $i $i "${known/VALUE/true}" $i $i "${known/VALUE/false}" >>"$work/$file.jsonl"
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
    evaluate "$@" | sed -n 's/.*"accuracy": *\([0-9.]*\).*/\1/p'
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
evaluate --project | grep -q '"violation": *0[.,}]\|"violation": *[0-9.]*e-' || fail "projected probabilities violate laws: $(evaluate --project)"

# The same seed, the same bits; the model's file and what it writes are as they were.
train "$work/again.gguf" --opinions "$work/opinions.jsonl"
cmp "$work/truth.gguf" "$work/again.gguf" || fail "the same training gives another layer"
[ "$before" = "$(sha256sum <"$work/dream.gguf")" ] || fail "training the layer changed the model"
[ "$wrote" = "$("$TRINE" write --model "$work/dream.gguf" --author "Author Ann" --tokens 40 --seed 2)" ] || fail "the dream writes otherwise"

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
refused 'none of train' truth sing --model "$work/dream.gguf" $tests
refused 'NAME are wanted' truth eval --model "$work/dream.gguf"
[ ! -e "$work/x.gguf" ] || fail "a training that was refused left a file"
