#!/bin/bash
# A checkpoint is adapted, resumed, read, written, evaluated and exported; what stands on a base finds it again.
set -eu
. tests/cli/tiny.sh
tiny_corpus
tiny_train "$work/own.gguf"

# A model of our own becomes a plain checkpoint, which is then the base.
"$TRINE" export --model "$work/own.gguf" --as gguf --type f32 --out "$work/base.gguf"
"$TRINE" write --model "$work/base.gguf" --prompt "Entry" --tokens 10 --temperature 0 >"$work/plain.txt"
[ -s "$work/plain.txt" ] || fail "a checkpoint does not write"
"$TRINE" corpus build --manifest "$work/manifest.json" --out "$work/adapted" --tokenizer "$work/base.gguf" \
    "$work/docs.jsonl" >/dev/null

adapt() { # FILE [FLAGS...]
    "$TRINE" adapt --base "$work/base.gguf" --corpus "$work/adapted" --out "$1" --context 32 --split 1 \
        --adapter-rank 4 --adapter-first 1 --batch 4 --pass-sequences 2 --steps 30 --evidence-steps 10 \
        --save-every 1000 --report-every 1000 --ngram-rows 512 --warmup-steps 3 --slot-width author=24 \
        --validation-every 5 --threads 2 "${@:2}" 2>"$work/log"
}
adapt "$work/new.gguf" || fail "adapting failed: $(cat "$work/log")"

# Interrupted and taken up again: the same bits.
adapt "$work/again.gguf" --save-every 7 & pid=$!
while [ ! -e "$work/again.gguf.state" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
rm -f "$work/again.gguf"
adapt "$work/again.gguf" --save-every 7 || fail "going on failed: $(cat "$work/log")"
cmp "$work/new.gguf" "$work/again.gguf" || fail "a resumed run gives another model"

"$TRINE" write --model "$work/new.gguf" --date 1850 --author "Author Bob" --prompt Entry --tokens 8 >/dev/null
head -c 300 "$work/docs.jsonl" >"$work/text"
"$TRINE" read --model "$work/new.gguf" "$work/text" | grep -q "Author" || fail "an adapted model does not read"
"$TRINE" handle --model "$work/new.gguf" --author "Author Ann" --json "$work/handle.json"
"$TRINE" eval --model "$work/new.gguf" --corpus "$work/adapted" --plain "$work/base.gguf" --json "$work/report.json" \
    >/dev/null
jq -e '.nats' "$work/report.json" >/dev/null 2>&1 || grep -q nats "$work/report.json" || fail "no report"

# The base is needed, is found beside the model or where it is named, and must be the same.
mkdir "$work/elsewhere"
cp "$work/new.gguf" "$work/elsewhere/"
if "$TRINE" write --model "$work/elsewhere/new.gguf" --tokens 2 >/dev/null 2>"$work/log"; then
    fail "a model writes without its base"
fi
grep -q "base.gguf" "$work/log" || fail "the message does not name the base: $(cat "$work/log")"
"$TRINE" write --model "$work/elsewhere/new.gguf" --base "$work/base.gguf" --tokens 2 >/dev/null
TRINE_BASE="$work/base.gguf" "$TRINE" write --model "$work/elsewhere/new.gguf" --tokens 2 >/dev/null
tiny_train "$work/other.gguf" --seed 2
"$TRINE" export --model "$work/other.gguf" --as gguf --type f32 --out "$work/elsewhere/base.gguf"
if "$TRINE" write --model "$work/elsewhere/new.gguf" --tokens 2 >/dev/null 2>"$work/log"; then
    fail "another checkpoint is taken for the base"
fi
grep -q "another checkpoint" "$work/log" || fail "wrong message: $(cat "$work/log")"


# Everything that goes out, and comes back where it can.
for type in f32 f16 bf16 q8_0 q4_0 q4_1 q4_k; do
    "$TRINE" export --model "$work/new.gguf" --as gguf --type $type --out "$work/out.gguf"
    "$TRINE" write --model "$work/out.gguf" --prompt Entry --tokens 4 >/dev/null || fail "$type does not write"
done
"$TRINE" export --model "$work/new.gguf" --as lora --out "$work/lora.gguf"
"$TRINE" export --model "$work/new.gguf" --as control-vector --date 1850 --out "$work/vector.gguf"
"$TRINE" export --model "$work/new.gguf" --as huggingface --type f32 --without-adapter --out "$work/hf"
"$TRINE" write --model "$work/hf" --prompt "Entry" --tokens 10 --temperature 0 >"$work/hf.txt"
cmp "$work/plain.txt" "$work/hf.txt" || fail "safetensors write something else than the checkpoint they came from"
if "$TRINE" export --model "$work/own.gguf" --as lora --out "$work/x.gguf" 2>"$work/log"; then
    fail "a model without an adapter exports one"
fi
if "$TRINE" export --model "$work/new.gguf" --as gguf --type q2_k --out "$work/x.gguf" 2>/dev/null; then
    fail "an unknown type is taken"
fi
[ ! -e "$work/x.gguf" ] || fail "a failed export left a file"
if "$TRINE" write --model "$work/base.gguf" --chat --prompt hello --tokens 2 >/dev/null 2>"$work/log"; then
    fail "a checkpoint without a chat template chats"
fi
