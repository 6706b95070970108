#!/bin/bash
# Authors who never wrote, on a tiny model: drawn, written as, stored, evaluated; and years beyond
# the corpus.
set -eu
. "$(dirname "$0")/tiny.sh"
refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}
tiny_corpus
cd "$work"
# Twice the authors: those of the first documents and others of the same kinds.
sed -i 's/"id":"d\(2[0-9]\|30\)","who":"Author \(...\)"/"id":"d\1","who":"Writer \2"/' docs.jsonl
"$TRINE" corpus build --force --manifest manifest.json --out corpus docs.jsonl >/dev/null
model=$work/tiny.gguf
tiny_train "$model"

# As trained, the model knows when its authors wrote.
"$TRINE" imagine --model "$model" --date 1850 --seed 7 --count 2 >imagine.txt
for word in 'date 1850' 'learned from 6 authors' 'width:' 'mean is nearest to' 'author 2' 'region:'; do
    grep -q "$word" imagine.txt || fail "imagine says nothing of $word: $(cat imagine.txt)"
done
"$TRINE" imagine --model "$model" --seed 7 | grep -q 'known: nothing' || fail "imagine of nothing"
"$TRINE" imagine --model "$model" --date 1850 --seed 7 --json i.json --save h.json
for key in nats_narrower width_ratio learned_from neighbours share_nearer vector unknown_share; do
    grep -q "\"$key\"" i.json || fail "imagine --json has no $key"
done

# write: the flags' order does not matter, the seed does, and the stored author is the same.
"$TRINE" write --model "$model" --date 1850 --author sampled --seed 7 --tokens 30 >a.txt 2>said.txt
grep -q 'never wrote, nearest to .* [0-9]' said.txt || fail "write does not say whom: $(cat said.txt)"
"$TRINE" write --model "$model" --author sampled --date 1850 --seed 7 --tokens 30 >b.txt 2>/dev/null
cmp a.txt b.txt || fail "the order of flags changes the author"
"$TRINE" write --model "$model" --handle h.json --seed 7 --tokens 30 >c.txt
cmp a.txt c.txt || fail "the stored author writes another text"
"$TRINE" write --model "$model" --date 1850 --author sampled --seed 8 --tokens 1 2>other.txt >/dev/null
cmp -s said.txt other.txt && fail "the seed changes nobody"
for seed in 0 1; do # the same seed, the same author, whatever the command
    "$TRINE" imagine --model "$model" --date 1850 --seed $seed --save s.json >/dev/null
    "$TRINE" write --model "$model" --handle s.json --seed $seed --tokens 30 >a.txt
    "$TRINE" write --model "$model" --date 1850 --author sampled --seed $seed --tokens 30 >b.txt 2>/dev/null
    cmp a.txt b.txt || fail "seed $seed: write and imagine draw different authors"
done
"$TRINE" handle --model "$model" --date 1850 --tell author=sampled 2>/dev/null | grep -q 'told: sampled' ||
    fail "a sampled handle does not say so"

# An old file has no conditions: what to do is said, and done, nothing else is changed.
sed 's/trine\.conditions\.slot/trine.conditionz.slot/' "$model" >old.gguf
refuse 1 "--keep" write --model old.gguf --author sampled
"$TRINE" imagine --model old.gguf --corpus corpus --date 1850 --seed 7 --validation-every 5 --json j.json
cmp i.json j.json || fail "conditions from the corpus are others than those from training"
"$TRINE" imagine --model old.gguf --corpus corpus --keep --validation-every 5
cmp "$model" old.gguf || fail "a model with conditions added is another than one trained with them"

# Beyond the corpus: held loosely, the more the farther; within, as ever.
"$TRINE" write --model "$model" --date 2200 --tokens 5 2>said.txt >/dev/null
grep -q 'date 2200, beyond 1... to 1...: nobody knows' said.txt || fail "no word on 2200: $(cat said.txt)"
"$TRINE" write --model "$model" --date 1850 --tokens 5 2>said.txt >/dev/null
[ ! -s said.txt ] || fail "1850 is called unknown: $(cat said.txt)"
"$TRINE" handle --model "$model" --date 2200 2>/dev/null | grep -q 'inferred: 2200' || fail "2200 is held"
"$TRINE" write --model "$model" --sweep date=1850..2250:200 --tokens 5 | grep -q '^--- date 2250 (loosely)' ||
    fail "a sweep does not say where it is loose"

# Evaluation.
"$TRINE" imagine --model "$model" --corpus corpus --evaluate --by date --pieces 2 --samples 2 \
    --validation-every 5 >eval.txt
for word in '6 authors, each left out' 'conditional prior' 'standard error' 'own vector' 'held-out'; do
    grep -q "$word" eval.txt || fail "--evaluate says nothing of $word: $(cat eval.txt)"
done
"$TRINE" imagine --model "$model" --corpus corpus --evaluate --pieces 0 --json e.json
grep -q '"gain"' e.json && grep -q '"log_density_conditional"' e.json || fail "--evaluate --json"

refuse 2 "trine imagine" imagine --no-such-flag
refuse 2 "need --corpus" imagine --model "$model" --evaluate
refuse 2 "stand alone" imagine --model "$model" --corpus corpus --evaluate --date 1850
refuse 2 "goes with" imagine --model "$model" --by date
refuse 2 "one author" imagine --model "$model" --save x.json --count 2
refuse 1 "no slot that" imagine --model "$model" --corpus corpus --evaluate --by author
refuse 1 "no slot that" imagine --model "$model" --corpus corpus --evaluate --by place
tiny_train "$work/plain.gguf" --no-latents --steps 5
refuse 1 "no slot with labels" imagine --model plain.gguf
exit 0
