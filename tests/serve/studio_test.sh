#!/bin/bash
# The page in a real browser: types, units, then each panel beside the mock server, and those of the dream and of truth
# beside the real one. It is the same page whatever flags the program was built with, so one build tests it.
set -eu
skip() { echo "skipped: $1"; exit 77; }
[ "${TRINE_BUILD:-build}" = build ] || skip "the page is tested with the plain build"
command -v npm >/dev/null 2>&1 || skip "there is no npm"
export CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
. tests/studio_packages.sh
studio_packages || skip "npm could not install what the page's tests need"
cd studio
npm run --silent check
npm run --silent unit
npm run --silent build >/dev/null
if [ -z "$CHROMIUM" ]; then
    echo "skipped: there is no chromium, so the page was not tried in a browser"
    exit 0
fi
npm run --silent e2e
cd ..

"$TRINE" serve --help >/dev/null 2>&1 || skip "this program has no server"
. tests/cli/tiny.sh
tiny_corpus
tiny_train "$work/dream.gguf"
mkdir "$work/standard"
printf '{"name":"here","description":"of a test","sources":{"test":1},"known":0.9,"unknown":0.6,"beliefs":["beliefs.jsonl"]}' \
    >"$work/standard/standard.json"
printf '{"sentence":"the wind was fair.","verdict":true,"source":"test"}\n{"sentence":"the ship is quick.","verdict":false,"source":"test"}\n' \
    >"$work/standard/beliefs.jsonl"
"$TRINE" truth train --model "$work/dream.gguf" --standard "$work/standard" --steps 30 --batch 4 --threads 2 >/dev/null 2>"$work/log" ||
    fail "a standard: $(cat "$work/log")"
"$TRINE" market run --beliefs "$work/standard/beliefs.jsonl" --days 12 --out "$work/market" >/dev/null 2>"$work/log" ||
    fail "a market: $(cat "$work/log")"
mkdir "$work/jobs" # in which this script is a command that takes long
printf '{"name":"truth train","done":620,"total":800,"text":"loss 0.4","seconds_left":754.2}' >"$work/jobs/$$.json"
"$TRINE" serve --model "$work/dream.gguf" --name tiny --corpus "$work/corpus" --standard "$work/standard" --market "$work/market" --jobs "$work/jobs" --local-scope dream \
    --port 0 >"$work/said" 2>"$work/log" &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 1 200); do grep -q listening "$work/said" && break; sleep 0.05; done
url=$(sed -n 's/^listening on //p' "$work/said")
[ -n "$url" ] || fail "no server: $(cat "$work/said" "$work/log")"
STUDIO_URL=$url npm --prefix studio run --silent e2e -- dream read atlas truth jobs
