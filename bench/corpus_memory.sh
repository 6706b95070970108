#!/bin/bash
# Builds a corpus of 100 MB and one of 1 GB of made-up text from standard input: the speed, and the
# peak of memory, which must not grow with the text. The build reads its input three times and
# copies it once, as it can be read only once; all of that is in the time. Where other programs
# share the cores, the time of the clock says little: see the time of the cores beside it.
#   bench/corpus_memory.sh [MEGABYTES...]       the program: $TRINE, else ./trine
set -eu
TRINE=${TRINE:-./trine}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "$(nproc) threads, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $("$TRINE" --version 2>/dev/null || echo "$TRINE")"

# Words of Zipf-like frequency, in sentences, in documents of 1 to 12 kB.
make_text() {
    awk -v megabytes="$1" 'BEGIN {
        srand(1)
        for (i = 0; i < 60000; i++) {
            word = ""
            for (j = 0; j < 1 + log(i + 2) * (0.4 + rand() / 2); j++)
                word = word substr("bcdfghklmnprstvw", 1 + int(rand() * 16), 1) \
                    substr("aeiouy", 1 + int(rand() * 6), 1)
            words[i] = word
        }
        for (made = 0; made < megabytes * 1e6; made += length(text)) {
            text = ""
            wanted = 1000 + int(rand() * 11000)
            while (length(text) < wanted) {
                sentence = ""
                for (j = 4 + int(rand() * 20); j > 0; j--)
                    sentence = sentence " " words[int(exp(rand() * log(60000))) % 60000]
                text = text toupper(substr(sentence, 2, 1)) substr(sentence, 3) ". "
            }
            printf "{\"name\":\"a%d\",\"year\":%d,\"text\":\"%s\"}\n", int(rand() * 500), 1500 + int(rand() * 500), text
        }
    }'
}

cat >"$work/manifest.json" <<'M'
{"name": "made up", "vocabulary": 4096, "held_out": {"hash": 0.01, "seed": 1},
 "slots": {"author": {"kind": "categorical", "field": "name"}, "date": {"kind": "date", "field": "year"}}}
M
[ $# -gt 0 ] || set -- 100 1000
for megabytes in "$@"; do
    make_text "$megabytes" >"$work/text.jsonl"
    /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$TRINE" corpus build \
        --manifest "$work/manifest.json" --out "$work/corpus" - <"$work/text.jsonl" >/dev/null
    bytes=$(stat -c %s "$work/text.jsonl")
    tail -n 1 "$work/time" | awk -v bytes="$bytes" -v cores="$(nproc)" '{
        megabytes = bytes / 1e6
        printf "%.0f MB: %.1f s, %.1f MB/s; user %.1f s, system %.1f s (%.0f %% of %d cores): ", megabytes, $1,
            megabytes / $1, $2, $3, 100 * ($2 + $3) / $1 / cores, cores
        printf "%.1f MB a core second; peak %.1f MB\n", megabytes / ($2 + $3), $4 / 1024 }'
    rm -rf "$work/corpus" "$work/text.jsonl"
done
