#!/bin/bash
# A tiny model is trained, interrupted by SIGKILL and by SIGINT, and resumed: the same bits come out.
set -eu
fail() { echo "$1" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for i in $(seq 1 24); do
    author=$((i % 3))
    text=""
    for j in $(seq 1 30); do
        case $author in
        0) text="$text the quick fox number $((i * j % 17)) jumps over a lazy dog;" ;;
        1) text="$text my fellow citizens, the state of the union in $((i + j)) is strong." ;;
        *) text="$text whereas the ship sailed $((j % 7)) leagues, and the wind was fair:" ;;
        esac
    done
    printf '{"id":"d%d","who":"author %d","year":%d,"text":"%s"}\n' "$i" "$author" \
        $((1800 + 4 * i)) "$text"
done >"$work/docs.jsonl"
cat >"$work/manifest.json" <<EOF
{"name":"tiny","text":"text","id":["id"],"vocabulary":300,
 "slots":{"author":{"kind":"categorical","field":"who"},"date":{"kind":"date","field":"year"}},
 "held_out":{"documents":["d1","d2","d3"]}}
EOF
"$TRINE" corpus build --manifest "$work/manifest.json" --out "$work/corpus" "$work/docs.jsonl" \
    >/dev/null
train() { # with run=exec, in the background, its process is the program itself, which signals then reach
    ${run:-} "$TRINE" train --corpus "$work/corpus" --out "$1" --width 32 --blocks 2 --split 1 --heads 2 \
        --key-value-heads 1 --head-width 16 --inner 48 --context 32 --batch 4 --steps 30 \
        --save-every 5 --report-every 10 --ngram-rows 512 --warmup-steps 5 --slot-width author=6 \
        --threads 2 "${@:2}"
}
train "$work/whole.gguf" 2>/dev/null || fail "training failed"

# Killed without warning some way in, then resumed.
run=exec train "$work/killed.gguf" --steps 30 2>"$work/log" &
pid=$!
for _ in $(seq 1 600); do
    [ -e "$work/killed.gguf.state" ] && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.02
done
kill -KILL "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
train "$work/killed.gguf" 2>"$work/log" || fail "resuming after SIGKILL failed: $(cat "$work/log")"
cmp "$work/whole.gguf" "$work/killed.gguf" || fail "a killed and resumed run differs"
cmp "$work/whole.gguf.state" "$work/killed.gguf.state" || fail "its final state differs"

# Asked to stop: saves, says so, exits 130 (unless it was done by then), resumes.
run=exec train "$work/stopped.gguf" 2>"$work/log" &
pid=$!
for _ in $(seq 1 600); do
    [ -e "$work/stopped.gguf.state" ] && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.02
done
kill -INT "$pid" 2>/dev/null || true
status=0; wait "$pid" || status=$?
[ "$status" = 130 ] || [ "$status" = 0 ] || fail "an interrupted run exits $status"
train "$work/stopped.gguf" 2>/dev/null || fail "resuming after SIGINT failed"
cmp "$work/whole.gguf" "$work/stopped.gguf" || fail "an interrupted and resumed run differs"

# Done is done; other settings are refused; wrong calls are usage errors.
train "$work/whole.gguf" 2>"$work/log" && grep -q 'already trained' "$work/log" ||
    fail "a finished run is not recognised"
train "$work/whole.gguf" --seed 9 2>"$work/log" && fail "another seed went on with the old state"
grep -q 'another run' "$work/log" || fail "no reason given: $(cat "$work/log")"
status=0; "$TRINE" train --corpus "$work/corpus" 2>/dev/null || status=$?
[ "$status" = 2 ] || fail "a missing --out exits $status"
train "$work/plain.gguf" --no-latents 2>"$work/log" || fail "the plain model does not train: $(cat "$work/log")"
train "$work/f32.gguf" --f32 2>/dev/null || fail "f32 does not train"
