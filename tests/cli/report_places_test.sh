#!/bin/bash
# The report's map of places: where documents come from, by whom, with the coasts that lie beside a gazetteer.
set -eu
. "$(dirname "$0")/tiny.sh"
cd "$work"
for i in $(seq 1 24); do
    case $((i % 3)) in
    0) who='Ann <b>' at='"lat":48.9,"lon":2.35' ;;
    1) who=Bob at='"lat":40.4,"lon":-3.7' ;;
    *) who=Cyd at='"lat":52.2,"lon":21' ;;
    esac
    [ "$i" != 24 ] || at='"lat":null,"lon":null'
    printf '{"id":"d%d","who":"%s",%s,"text":"Entry %d. the quick fox number %d jumps over a lazy dog; whereas the ship sailed %d leagues."}\n' \
        "$i" "$who" "$at" "$i" "$i" "$i"
done >docs.jsonl
cat >manifest.json <<'END'
{"name":"placed","text":"text","id":["id"],"vocabulary":300,
 "slots":{"author":{"kind":"categorical","field":"who"},"place":{"kind":"place","fields":["lat","lon"]}},
 "held_out":{"documents":["d1","d2","d3"]}}
END
"$TRINE" corpus build --manifest manifest.json --out corpus docs.jsonl >/dev/null
tiny_train "$work/placed.gguf" --steps 20
report() { "$TRINE" atlas --model placed.gguf --corpus corpus --samples 1 --tokens 4 --report "$1" 2>log || fail "no report: $(cat log)"; }
report page.html
grep -q '<h2 id="places-title">The map of places</h2>' page.html || fail "no places in the report"
[ "$(grep -c '<g class="site">' page.html)" = 3 ] || fail "not three places: $(grep -c '<g class="site">' page.html)"
grep -q '<th scope="row">48.90° N 2.35° E</th><td class="number">7</td><td>Ann &lt;b&gt;</td>' page.html || fail "who wrote where: $(grep '48.90' page.html)"
grep -q '40.40° N 3.70° W' page.html || fail "west is not told from east"
[ "$(grep -o '<circle class="field s' page.html | wc -l)" -gt 500 ] || fail "the learned function is not drawn"
if grep -q 'class="coast"' page.html; then fail "coasts out of nowhere"; fi

# Who would write there, though nobody did; by name as well.
printf 'Paris\t48.8534\t2.3488\tFR\t2138551\tcity\n' >places.tsv
"$TRINE" imagine --model placed.gguf --gazetteer places.tsv --place Paris --seed 7 >imagined 2>&1 || fail "imagine: $(cat imagined)"
grep -q 'known: place Paris, FR' imagined && grep -q 'learned from 3 authors' imagined || fail "imagine --place: $(cat imagined)"
"$TRINE" write --model placed.gguf --place 50,10 --author sampled --seed 7 --tokens 3 2>said >/dev/null || fail "a sampled author: $(cat said)"
grep -q 'an author who never wrote' said || fail "nobody is sampled: $(cat said)"

# With coasts; one that is broken is named.
printf -- '-10,36 30,36 30,60 -10,60 -10,36\n' >coastlines.txt
export TRINE_GAZETTEER=$work/places.tsv
report coasts.html
[ "$(grep -c 'class="coast"' coasts.html)" = 1 ] || fail "the coast is not drawn"
printf 'no coast\n' >coastlines.txt
if "$TRINE" atlas --model placed.gguf --corpus corpus --report broken.html 2>log; then fail "a broken coast is taken"; fi
grep -q 'coastlines.txt' log && [ ! -e broken.html ] || fail "a broken coast: $(cat log)"
