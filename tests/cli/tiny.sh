# Sourced by the end-to-end tests: a corpus of three made-up authors in $work/corpus, and a model of
# it in $work/tiny.gguf, trained for a second or two.
fail() { echo "$1" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tiny_corpus() {
    local i j author text
    for i in $(seq 1 30); do
        author=$((i % 3))
        text="Entry $i."
        for j in $(seq 1 20); do
            case $author in
            0) text="$text the quick fox number $((i * j % 17)) jumps over a lazy dog;" ;;
            1) text="$text my fellow citizens, the state of the union in $((i + j)) is strong." ;;
            *) text="$text whereas the ship sailed $((i * j % 7)) leagues, and the wind was fair:" ;;
            esac
        done
        printf '{"id":"d%d","who":"Author %s","year":%d,"text":"%s"}\n' "$i" \
            "$(echo "Ann Bob Cyd" | cut -d' ' -f$((author + 1)))" $((1800 + 50 * author + i)) "$text"
    done >"$work/docs.jsonl"
    cat >"$work/manifest.json" <<EOF
{"name":"tiny","text":"text","id":["id"],"vocabulary":300,
 "slots":{"author":{"kind":"categorical","field":"who"},"date":{"kind":"date","field":"year"}},
 "held_out":{"documents":["d1","d2","d3","d4","d5","d6"]}}
EOF
    "$TRINE" corpus build --manifest "$work/manifest.json" --out "$work/corpus" \
        "$work/docs.jsonl" >/dev/null
}

tiny_train() { # FILE [FLAGS...]
    "$TRINE" train --corpus "$work/corpus" --out "$1" --width 32 --blocks 2 --split 1 --heads 2 \
        --key-value-heads 1 --head-width 16 --inner 48 --context 32 --batch 4 --steps 60 \
        --save-every 1000 --report-every 1000 --ngram-rows 512 --warmup-steps 5 \
        --slot-width author=6 --validation-every 5 --candidates 2 --threads 2 "${@:2}" 2>"$work/log" ||
        fail "training failed: $(cat "$work/log")"
}
