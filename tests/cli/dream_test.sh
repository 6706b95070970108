#!/bin/bash
# The verbs of the dream layer on a tiny model: read, write, handle, eval, atlas, and their errors.
set -eu
. "$(dirname "$0")/tiny.sh"
tiny_corpus
model=$work/tiny.gguf
tiny_train "$model"
tiny_train "$work/plain.gguf" --no-latents
cd "$work"
printf 'my fellow citizens, the state of the union in 12 is strong. my fellow citizens!' >speech.txt

# Held-out documents reach neither tokenizer nor trainer: with other texts in their place the same
# model comes out, to the last bit.
mkdir changed
sed '1,6s/"text":"[^"]*"/"text":"LINE was never seen by anything: quixotic zeugma"/' "$work/docs.jsonl" |
    awk '{ sub("LINE", "held out " NR); print }' >changed/docs.jsonl
"$TRINE" corpus build --manifest "$work/manifest.json" --out changed/corpus changed/docs.jsonl >/dev/null
(work=$work/changed; tiny_train "$work/tiny.gguf")
cmp "$model" changed/tiny.gguf || fail "held-out texts change the model"

# Called wrongly: exit 2; failed: exit 1 with a message that names the culprit.
refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}
for verb in corpus train read write handle atlas eval; do
    "$TRINE" $verb --help | grep -q "usage: trine $verb" || fail "$verb --help says nothing"
    refuse 2 "trine $verb" $verb --no-such-flag
done
refuse 2 needed write
refuse 2 needed read speech.txt
refuse 1 absent.gguf write --model absent.gguf
refuse 1 speech.txt read --model speech.txt speech.txt
refuse 1 absent.txt read --model "$model" absent.txt
: >empty.txt
refuse 1 empty read --model "$model" empty.txt
refuse 1 "without latents" read --model plain.gguf speech.txt
refuse 1 "no author\|has no slot" write --model plain.gguf --author Ann
refuse 1 "knows no 'Zoe'" write --model "$model" --author Zoe
refuse 1 "no year" write --model "$model" --date yesterday
refuse 2 temperature write --model "$model" --temperature -1
refuse 2 sweep write --model "$model" --sweep date=1800
refuse 1 "no slot 'place'" write --model "$model" --sweep place=a..b:1
refuse 1 "those must be years" write --model "$model" --sweep date=a..b:1
head -c 3000 "$model" >cut.gguf
refuse 1 cut.gguf write --model cut.gguf

# read: finds the author, with a plot, a trace, a picture, and JSON.
"$TRINE" read --model "$model" speech.txt >read.txt
grep -q 'tokens read' read.txt && grep -q 'Author Bob' read.txt || fail "read: $(cat read.txt)"
"$TRINE" read --model "$model" --decide 3 speech.txt | grep -q 'Author Bob' || fail "read --decide"
"$TRINE" read --model "$model" --json - <speech.txt >/dev/null
"$TRINE" read --model "$model" --json read.json speech.txt
grep -q '"median"' read.json && grep -q '"probability"' read.json || fail "read --json"
first=$(grep -m1 '"label"' read.json)
case $first in *Bob*) ;; *) fail "the speech is read as $first" ;; esac
"$TRINE" read --model "$model" --by-token speech.txt >trace.txt
[ "$(wc -l <trace.txt)" -gt 20 ] || fail "the trace is short"
head -1 trace.txt | grep -q 'author.*date' || fail "the trace has no header"
"$TRINE" read --model "$model" --by-token --json=trace.json speech.txt
grep -q '"end_byte"' trace.json || fail "the trace is not in the JSON"
"$TRINE" read --model "$model" --svg a.svg speech.txt >/dev/null
"$TRINE" read --model "$model" --svg b.png --slot author speech.txt >/dev/null
head -c 200 a.svg | grep -q '<svg' || fail "a.svg is no SVG"
head -c 4 b.png | grep -q PNG || fail "b.png is no PNG"
refuse 1 "no slot 'x'" read --model "$model" --svg c.svg --slot x speech.txt
[ ! -e c.svg ] || fail "a picture was left behind"

# write: the same seed writes the same; the handle changes it; every way to tell a handle.
"$TRINE" write --model "$model" --author Ann --seed 5 --tokens 40 >one.txt
"$TRINE" write --model "$model" --author Ann --seed 5 --tokens 40 >two.txt
cmp one.txt two.txt || fail "the same seed wrote another text"
"$TRINE" write --model "$model" --author Cyd --seed 5 --tokens 40 >three.txt
cmp -s one.txt three.txt && fail "the author changes nothing"
"$TRINE" write --model "$model" --prompt "my fellow" --temperature 0 --tokens 5 | grep -q '^my fellow' ||
    fail "the prompt is not written"
"$TRINE" write --model "$model" --mix "Ann:0.6,Bob:0.4" --date 1850.5 --tokens 5 >/dev/null
"$TRINE" write --model "$model" --like speech.txt --tokens 5 >/dev/null
"$TRINE" write --model "$model" --tell author=Bob --date 2500 --min-p 0.1 --top-p 0.5 --tokens 5 >/dev/null
echo '[1, 0.5, 0, -1, 2, 0.1]' >vector.json
"$TRINE" write --model "$model" --vector vector.json --tokens 5 >/dev/null
echo '[1, 0.5, "x"]' >wrong.json
refuse 1 "no number" write --model "$model" --vector wrong.json
echo '[1, 2]' >short.json
refuse 1 "vectors of 6" write --model "$model" --vector short.json
[ "$("$TRINE" write --model "$model" --sweep date=1800..1900:25 --tokens 5 | grep -c '^--- date')" = 5 ] ||
    fail "the sweep has not five steps"
[ "$("$TRINE" write --model "$model" --sweep author=Ann..Bob:0.5 --tokens 5 | grep -c '^--- author')" = 3 ] ||
    fail "the sweep between authors has not three steps"
"$TRINE" write --model "$model" --tokens 300 --temperature 3 --json w.json
grep -q '"text"' w.json && grep -q '"trine_handle"' w.json || fail "write --json"

# handle: stored and taken up again, it writes the same.
"$TRINE" handle --model "$model" --author Ann --json h.json
"$TRINE" write --model "$model" --handle h.json --seed 5 --tokens 40 >four.txt
cmp one.txt four.txt || fail "a stored handle writes another text"
"$TRINE" handle --model "$model" --like speech.txt >shown.txt
grep -q 'inferred: text' shown.txt && grep -q 'Author Bob' shown.txt || fail "handle shows $(cat shown.txt)"
sed 's/"mean": \[/"mean": [1e999, /' h.json >bad.json
refuse 1 "bad.json\|handle" write --model "$model" --handle bad.json

# eval: table and JSON; the plain model; validation; other tokens are refused.
"$TRINE" eval --model "$model" --corpus corpus --plain plain.gguf --decide 2 --paths >eval.txt
for word in untold 'wrong handle' 'top-1' 'median error' 'plain model' 'rank correlation'; do
    grep -q "$word" eval.txt || fail "eval says nothing of $word: $(cat eval.txt)"
done
"$TRINE" eval --model "$model" --corpus corpus --pieces pieces.jsonl --json eval.json >/dev/null
grep -q '"coverage_90"' eval.json && grep -q '"document"' pieces.jsonl || fail "eval --json"
"$TRINE" eval --model "$model" --corpus corpus --split validation --validation-every 5 >/dev/null
refuse 1 "no plain model" eval --model "$model" --corpus corpus --plain "$model"
sed 's/"vocabulary":300/"vocabulary":290/' manifest.json >other.json
"$TRINE" corpus build --manifest other.json --out other docs.jsonl >/dev/null
refuse 1 "other tokens" eval --model "$model" --corpus other

# atlas: table, JSON, pictures; also without a corpus.
"$TRINE" atlas --model "$model" --corpus corpus --components 2 --picture m.svg --picture m.png >atlas.txt
for word in 'component 1' 'mean date' 'low end' 'likelier'; do
    grep -q "$word" atlas.txt || fail "atlas says nothing of $word: $(cat atlas.txt)"
done
[ -s m.svg ] && [ -s m.png ] || fail "atlas draws nothing"
"$TRINE" atlas --model "$model" --json atlas.json
grep -q '"share_of_variance"' atlas.json || fail "atlas --json"
refuse 1 "is a date" atlas --model "$model" --slot date
refuse 1 "no slot x" atlas --model "$model" --slot x
refuse 1 "without latents" atlas --model plain.gguf
