#!/bin/bash
# Pictures end to end: a corpus of drawings by two hands, a model of it, drawings by each hand that
# are read as that hand's, a strip from one to the other, and what is refused.
set -eu
. "$(dirname "$0")/tiny.sh"
helper=$(realpath "$(dirname "$0")/tiny_pictures.py")
cd "$work"
python3 "$helper" .
"$TRINE" corpus build --manifest manifest.json --out corpus docs.jsonl >out.txt || fail "the corpus is not built"
grep -q "160 pictures, drawn with 64 patches" out.txt || fail "the corpus says $(cat out.txt)"
"$TRINE" corpus build --manifest manifest.json --out again --json docs.jsonl | jq -e '.pictures == 160 and .patches == 64' >/dev/null ||
    fail "the summary counts no pictures"
tiny_train model.gguf --context 64 --steps 500 --batch 8 --learning-rate 0.004 --warmup-steps 20
draw() { # FILE FLAGS...
    "$TRINE" write --model model.gguf --image --temperature 0.5 -o "$1" "${@:2}" || fail "nothing is drawn: ${*:2}"
}
author_of() { # FILE FLAGS...
    "$TRINE" read --model model.gguf "$@" --json | jq -r '.slots.author[0].label'
}

# What each draws is read as drawn by it, and held-out drawings are, too.
size_of() { python3 "$helper" --show "$1" | awk 'END { print length($0) "x" NR }'; } # WIDTHxHEIGHT
right=0 sized=0
for author in Hor Ver; do
    for seed in 1 2 3; do
        draw $author.png --author $author --prompt A --seed $seed
        [ "$(author_of $author.png --caption A)" != $author ] || right=$((right + 1))
        [ "$(size_of $author.png)" != 16x16 ] || sized=$((sized + 1))
    done
    draw again.png --author $author --prompt A --seed 3
    cmp $author.png again.png || fail "the same seed, and another picture"
done
[ $sized -ge 4 ] || fail "only $sized of 6 drawings are 16 by 16: it is not learnt where a picture ends"
[ $right -ge 5 ] || fail "only $right of 6 drawings are read as what they were drawn as"
right=0
for i in $(seq 120 139); do
    wanted=$([ $((i % 2)) = 0 ] && echo Hor || echo Ver)
    [ "$(author_of drawings/$i.png --caption A)" != $wanted ] || right=$((right + 1))
done
[ $right -ge 18 ] || fail "only $right of 20 held-out drawings are read rightly"

# Of Hor the rows are of one grey each, nearly all.
python3 "$helper" --show Hor.png >hor.txt
python3 "$helper" --show Ver.png >ver.txt
[ "$(grep -c '^\(.\)\1*$' hor.txt)" -ge 10 ] || fail "Hor draws no bars across: $(cat hor.txt)"
[ "$(grep -c '^\(.\)\1*$' ver.txt)" -le 8 ] || fail "Ver draws bars across: $(cat ver.txt)"

# Other sizes, and larger pixels.
draw size.png --author Ver --width 24 --height 8 --scale 3
[ "$(size_of size.png)" = 72x24 ] || fail "not 24 by 8, three times as large, but $(size_of size.png)"

# A strip: five pictures and four gaps; the ends are what each draws alone.
draw strip.png --sweep author=Hor..Ver:0.25 --prompt A --seed 2 --width 16 --height 16 >titles.txt
python3 "$helper" --show strip.png >strip.txt
[ "$(wc -l <titles.txt)" = 5 ] && grep -q "0.5 Hor, 0.5 Ver" titles.txt || fail "the titles are $(cat titles.txt)"
[ "$(size_of strip.png)" = 96x16 ] || fail "the strip has another size: $(size_of strip.png)"
cut -c 17-20 strip.txt | grep -vq ffff && fail "there is no white between two pictures"
draw end.png --mix "Hor:0,Ver:1" --prompt A --seed 2 --width 16 --height 16
python3 "$helper" --show end.png | cmp - <(cut -c 81-96 strip.txt) || fail "the strip does not end at Ver's"

# As JSON, and through standard output and input.
"$TRINE" write --model model.gguf --author Hor --image --temperature 0.5 --prompt A --seed 3 --json --out json.png >picture.json
jq -r '.[0].pixels[]' picture.json | cmp - hor.txt || fail "the JSON has other pixels"
jq -e '.[0].width == (.[0].pixels[0] | length) and .[0].prompt == "A" and .[0].handle.slots.author.told' picture.json >/dev/null || fail "the JSON lacks something"
cmp json.png Hor.png || fail "with --json the picture is another"
"$TRINE" write --model model.gguf --author Hor --image --temperature 0.5 --prompt A --seed 3 -o - >piped.png
cmp piped.png Hor.png || fail "standard output has another picture"
[ "$(author_of - <Hor.png)" = Hor ] || fail "standard input is not read"

# Other PNGs of the same drawing are the same drawing; tokens are shown as they are spelt.
for kind in across palette rgba grey16; do
    python3 "$helper" --draw $kind.png $kind
    "$TRINE" read --model model.gguf $kind.png --by-token >$kind.txt
    cmp $kind.txt across.txt || fail "a drawing in $kind is another"
done
grep -q '"<|patch [0-9a-f]\{16\}|>"' across.txt && grep -q '"<|image|>"' across.txt || fail "no patches among the tokens"
[ "$(wc -l <across.txt)" = 23 ] || fail "not one line for each token"
"$TRINE" read --model model.gguf across.png --decide 2 | grep -q Hor || fail "the writer does not decide"
"$TRINE" handle --model model.gguf --like across.png --json | jq -e '.tokens == 22' >/dev/null || fail "no handle like a picture"
draw like.png --like across.png --prompt A
[ "$(author_of like.png)" = Hor ] || fail "what is drawn like Hor's is another's"

# Text is as ever: it is written without patches, and it is read.
"$TRINE" write --model model.gguf --author Ver --prompt "Note" --tokens 30 | grep -q "patch" && fail "a text has patches"
echo "the bars of Ver go down" | "$TRINE" read --model model.gguf - | grep -q Ver || fail "texts are not read"
"$TRINE" eval --model model.gguf --corpus corpus --json=report.json 2>/dev/null >/dev/null || fail "no evaluation"
"$TRINE" export --model model.gguf --as gguf --out base.gguf >/dev/null
"$TRINE" corpus build --manifest manifest.json --out of-model --tokenizer base.gguf docs.jsonl >out.txt || fail "a GGUF file lends no code book"
cmp corpus/tokens-00000.bin of-model/tokens-00000.bin || fail "by the exported tokenizer, other tokens"
"$TRINE" export --model model.gguf --as huggingface --out hf >/dev/null
"$TRINE" corpus build --manifest manifest.json --out of-hf --tokenizer hf docs.jsonl >out.txt || fail "tokenizer.json lends no code book"
cmp corpus/tokens-00000.bin of-hf/tokens-00000.bin || fail "by tokenizer.json, other tokens"

refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}
refuse 2 "needs --out" write --model model.gguf --image
refuse 2 "for a picture" write --model model.gguf -o a.png
refuse 2 "for a picture" write --model model.gguf --width 8
refuse 2 "multiples of 4" write --model model.gguf --image -o a.png --width 10
refuse 2 "from 4 to 64" write --model model.gguf --image -o a.png --height 68
refuse 2 "exclude each other" write --model model.gguf --image -o a.png --chat
refuse 2 "exclude each other" write --model model.gguf --image -o a.png --truth t.gguf
refuse 2 "cannot both be" write --model model.gguf --image -o - --json
refuse 1 "nowhere" write --model model.gguf --image -o nowhere/a.png
[ ! -e a.png ] || fail "something was written all the same"
refuse 1 "caption" read --model model.gguf docs.jsonl --caption A
python3 "$helper" --draw large.png across 65 8
refuse 1 "large.png: .*65 by 8" read --model model.gguf large.png
refuse 1 "large.png: .*65 by 8" handle --model model.gguf --like large.png
head -c 60 across.png >cut.png
refuse 1 "cut.png: .*ends before" read --model model.gguf cut.png

# A model of text says so.
jq -c 'select(.image == null)' docs.jsonl >text.jsonl
jq 'del(.image, .patches) | .held_out.documents = ["t39"]' manifest.json >text.json
"$TRINE" corpus build --manifest text.json --out corpus --force text.jsonl >/dev/null
tiny_train text.gguf --steps 5
refuse 1 "no pictures" write --model text.gguf --image -o a.png
refuse 1 "no pictures" read --model text.gguf across.png
refuse 1 "no pictures" corpus build --manifest manifest.json --out none --tokenizer text.gguf docs.jsonl
sed 's|drawings/7.png|../7.png|' docs.jsonl >wrong.jsonl
refuse 1 "bad picture" corpus build --manifest manifest.json --out none wrong.jsonl
"$TRINE" corpus build --manifest manifest.json --out none --on-error skip wrong.jsonl >out.txt 2>err.txt || fail "a bad picture is not passed over"
grep -q "159 pictures" out.txt || fail "with one passed over: $(cat out.txt)"
echo "picture test passed"
