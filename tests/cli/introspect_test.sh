#!/bin/bash
# The truth author told in words as whom to write, through the real program: trained, measured, written, refused.
set -eu
. tests/cli/tiny.sh
tiny_corpus
tiny_train "$work/dream.gguf" --steps 800 --learning-rate 0.01 --context 96
before=$(sha256sum <"$work/dream.gguf")

train() { # OUT [FLAGS...]
    "$TRINE" introspect train --model "$work/dream.gguf" --corpus "$work/corpus" --steps 600 --batch 8 --learning-rate 0.005 \
        --time 24 --threads 2 --validation-every 5 --out "$@" 2>"$work/log" || fail "training: $(cat "$work/log")"
}
train "$work/truth.gguf"
"$TRINE" introspect eval --model "$work/dream.gguf" --corpus "$work/corpus" --truth "$work/truth.gguf" --time 24 >"$work/table"
# Drawn authors and years: the divergence from the dream that is told them, in words and without.
awk '/^drawn/ {drawn = 1} drawn && /author and date/ {exit !($(NF - 3) < 0.9 * $(NF - 2) && $(NF - 3) < $(NF - 1))}' "$work/table" ||
    fail "words do not bring it nearer to the dream: $(cat "$work/table")"
"$TRINE" introspect eval --model "$work/dream.gguf" --corpus "$work/corpus" --truth "$work/truth.gguf" --time 24 --json >"$work/report"
grep -q '"share_of_nats"' "$work/report" || fail "the report as JSON: $(cat "$work/report")"

# Told in words it writes in the manner of each; the same seed, the same text.
as() { "$TRINE" write --model "$work/dream.gguf" --truth "$work/truth.gguf" --tokens 40 --seed 2 --temperature 0 "$@"; }
as --as "Author Ann" >"$work/ann"
as --as "Author Bob" >"$work/bob"
grep -q -e fox -e jumps "$work/ann" || fail "as Ann: $(cat "$work/ann")"
grep -q -e citizens -e union "$work/bob" || fail "as Bob: $(cat "$work/bob")"
[ "$(as --as "Author Bob")" = "$(cat "$work/bob")" ] || fail "the same seed writes another text"
as --as 1801 >/dev/null
as --prompt "my " >"$work/silent"
grep -q '^my ' "$work/silent" || fail "without words: $(cat "$work/silent")"
as --as "60% Author Ann, 40% Author Cyd" --json | grep -q '"as": "60% Author Ann' || fail "the JSON does not say as whom"

# The same seed, the same bits; going on from a layer; the model is as it was.
train "$work/again.gguf"
cmp "$work/truth.gguf" "$work/again.gguf" || fail "the same training gives another layer"
train "$work/further.gguf" --truth "$work/truth.gguf" --steps 5
cmp -s "$work/truth.gguf" "$work/further.gguf" && fail "going on changes nothing"
[ "$before" = "$(sha256sum <"$work/dream.gguf")" ] || fail "training changed the model"

refused() { # MESSAGE ARGUMENTS...
    local status=0 message=$1
    shift
    "$TRINE" "$@" >/dev/null 2>"$work/complaint" || status=$?
    [ "$status" != 0 ] || fail "$* was not refused"
    grep -q -e "$message" "$work/complaint" || fail "'$message' is not in: $(cat "$work/complaint")"
}
tiny_train "$work/short.gguf"
tiny_train "$work/plain.gguf" --no-latents
model="--model $work/dream.gguf" corpus="--corpus $work/corpus"
refused 'do not fit a context of 32' introspect train --model "$work/short.gguf" $corpus --out "$work/x.gguf"
refused 'no authors and no dates' introspect train --model "$work/plain.gguf" $corpus --out "$work/x.gguf"
refused 'layer of another model' introspect eval --model "$work/short.gguf" $corpus --truth "$work/truth.gguf"
refused '--truth FILE is wanted' introspect eval $model $corpus
refused '--out FILE is wanted' introspect train $model $corpus
refused 'neither train nor eval' introspect sing $model $corpus
refused 'wants --truth' write $model --as "Author Ann"
refused 'takes no handle' write $model --truth "$work/truth.gguf" --author "Author Ann"
refused 'exclude each other' write $model --truth "$work/truth.gguf" --as 1801 --chat
[ ! -e "$work/x.gguf" ] || fail "a training that was refused left a file"
