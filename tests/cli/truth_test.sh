#!/bin/bash
# The truth author through the real program: trained, measured, asked, refused; the dream stays as it was.
set -eu
. tests/cli/tiny.sh
tiny_corpus
tiny_train "$work/dream.gguf" --steps 800 --learning-rate 0.01
tiny_train "$work/other.gguf" --seed 5

# The fox is quick, the ship is not, whatever their numbers; even numbers to train, odd ones to measure.
for i in $(seq 2 61); do
    [ $((i % 2)) = 0 ] && file=train || file=test
    printf '{"statement":"the fox %d is quick","label":true}\n{"statement":"the ship %d is quick","label":false}\n' $i $i \
        >>"$work/$file.jsonl"
done
train() { # OUT [FLAGS...]
    "$TRINE" truth train --model "$work/dream.gguf" --examples "$work/train.jsonl" --calibrate "$work/train.jsonl" \
        --steps 200 --batch 8 --learning-rate 0.01 --threads 2 --out "$@" 2>"$work/log" || fail "training: $(cat "$work/log")"
}
accuracy() { # FLAGS...
    "$TRINE" truth eval --model "$work/dream.gguf" --examples "$work/test.jsonl" "$@" --json |
        sed -n 's/.*"accuracy": *\([0-9.]*\).*/\1/p'
}
before=$(sha256sum <"$work/dream.gguf")
wrote=$("$TRINE" write --model "$work/dream.gguf" --author "Author Ann" --tokens 40 --seed 2)
train "$work/truth.gguf"
value=$(accuracy --truth "$work/truth.gguf")
awk "BEGIN {exit !($value >= 0.95)}" || fail "accuracy of the truth author on other numbers: $value"
value=$(accuracy)
awk "BEGIN {exit !($value <= 0.75)}" || fail "the model without it should not know, but has $value"
"$TRINE" judge --model "$work/dream.gguf" --truth "$work/truth.gguf" 'the fox 7 is quick' 'the ship 7 is quick' >"$work/judged"
awk 'NR == 1 && $1 < 0.8 || NR == 2 && $1 > 0.2 {exit 1}' "$work/judged" || fail "judged: $(cat "$work/judged")"

# The same seed, the same bits; the model's file and what it writes are as they were.
train "$work/again.gguf"
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
echo '{"statement":"x"}' >"$work/bare.jsonl"
refused 'layer of another model' judge --model "$work/other.gguf" --truth "$work/truth.gguf" x
refused 'no layer' judge --model "$work/dream.gguf" --truth "$work/dream.gguf" x
refused 'cut.gguf' judge --model "$work/dream.gguf" --truth "$work/cut.gguf" x
refused 'a line wants' truth train --model "$work/dream.gguf" --examples "$work/bare.jsonl" --out "$work/x.gguf"
refused 'neither train nor eval' truth sing --model "$work/dream.gguf"
refused 'statement are wanted' judge --model "$work/dream.gguf"
[ ! -e "$work/x.gguf" ] || fail "a training that was refused left a file"
