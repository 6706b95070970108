#!/bin/bash
# The atlas's report: one page that is whole in itself, the same each time, and written wholly or not at all.
set -eu
. "$(dirname "$0")/tiny.sh"
tiny_corpus
cd "$work"
refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}
# A slot of a label that would be markup, and one of as many labels as there are documents.
sed -i 's/"date":/"style":{"kind":"categorical","field":"style"},"own":{"kind":"categorical","field":"id"},&/' manifest.json
sed -i 's/^{"id":"d\([0-9]*\)"/{"style":"<b>\&amp; <\/script>","id":"d\1"/' docs.jsonl
"$TRINE" corpus build --force --manifest manifest.json --out corpus docs.jsonl >/dev/null
tiny_train "$work/tiny.gguf" --steps 40 --slot-width own=24

report() { "$TRINE" atlas --model tiny.gguf --corpus corpus --samples 2 --tokens 30 "$@"; }
report --report page.html --disputed 6 --prompt "the 'ship' <i>" >out.txt 2>progress.txt
[ ! -s out.txt ] || fail "the report also prints: $(cat out.txt)"
grep -q 'reading documents' progress.txt || fail "no progress: $(cat progress.txt)"
for text in '<!doctype html>' "default-src 'none'" 'id="map"' 'id="components"' 'id="dates"' 'id="neighbours"' 'id="disputed"' \
    'Author Ann' 'standard deviations' 'Component 2' '<option value="1">style' 'Of 6 labelled held-out documents' \
    'Of 6 labelled training documents' 'spreads a decade' '--disputed 6' '&lt;i&gt;' '&lt;b&gt;&amp;amp; &lt;/script&gt;'; do
    grep -qF -- "$text" page.html || fail "the page has no $text"
done
grep -qiE 'https?:|url\(|@import|<link|src="|<b>&' page.html && fail "the page points outside: $(grep -iE 'https?:|url\(|@import|<link|src="|<b>&' page.html)"
[ "$(grep -o '<script' page.html | wc -l)" = 1 ] || fail "more than one script"
[ "$(grep -o '<section' page.html | wc -l)" = "$(grep -o '</section' page.html | wc -l)" ] || fail "a section stays open"
grep -q "$work" page.html && fail "the page tells of this machine's directories"

# The same again is the same; another seed is not.
report --report same.html --disputed 6 --prompt "the 'ship' <i>" 2>/dev/null
cmp page.html same.html || fail "the same report has other bytes"
report --report other.html --disputed 6 --prompt "the 'ship' <i>" --seed 2 2>/dev/null
cmp -s page.html other.html && fail "the seed changes nothing"

# With --json the numbers come too; a slot of one label alone has no atlas.
report --report page.html --json all.json 2>/dev/null
grep -q likelier_low all.json || fail "no JSON beside the report"
refuse 1 'needs two' atlas --model tiny.gguf --corpus corpus --slot style --report style.html
refuse 2 'needs --corpus' atlas --model tiny.gguf --report no.html
refuse 2 'is for --report' atlas --model tiny.gguf --corpus corpus --seed 3
refuse 2 'tokens' atlas --model tiny.gguf --corpus corpus --report no.html --tokens 0
refuse 1 'absent' atlas --model tiny.gguf --corpus corpus --report absent/no.html
[ ! -e style.html ] && [ ! -e no.html ] || fail "a refused report was written"

# Stopped, it leaves the old page and nothing else. (Where it is done before it can be stopped, there is nothing to see.)
cp page.html before.html
"$TRINE" atlas --model tiny.gguf --corpus corpus --slot own --components 24 --report page.html --tokens 1000 --samples 1000 >out.txt 2>err.txt &
worker=$!
for _ in $(seq 1 500); do grep -q 'comparing words' err.txt && break; sleep 0.01; done
kill -INT $worker 2>/dev/null || true
status=0
wait $worker || status=$?
if [ "$status" = 1 ]; then
    grep -q 'was not written' err.txt || fail "stopped, it says: $(cat err.txt)"
    cmp page.html before.html || fail "the old page is gone"
else
    [ "$status" = 0 ] || fail "stopped, it exits $status: $(cat err.txt)"
fi
ls | grep -q 'tmp-' && fail "a half-written file stays: $(ls)"
exit 0
