#!/bin/bash
# Places from corpus to map: a tiny corpus whose words tell where it was written, told by coordinates
# and by name, read from held-out text, evaluated, drawn; and what is refused.
set -eu
. "$(dirname "$0")/tiny.sh"
cd "$work"

# Four regions of Europe, each with its words; documents lie around the city, one in ten without a
# place.
regions=("48.9 2.35 le vin et la rivière au pont de pierre numéro" "40.4 -3.7 el toro y la plaza bajo un sol de número"
    "52.2 21.0 rzeka i śnieg na moście przy bramie numer" "37.98 23.7 the olive harbour of marble and goats, column")
for i in $(seq 1 48); do
    region=${regions[$((i % 4))]}
    read -r latitude longitude words <<<"$region"
    text="Entry $i."
    for j in $(seq 1 18); do text="$text $words $((i * j % 13));"; done
    place=$(awk -v a="$latitude" -v b="$longitude" -v i="$i" \
        'BEGIN { printf "\"lat\":%.3f,\"lon\":%.3f", a + (i * 7 % 11 - 5) / 10, b + (i * 5 % 9 - 4) / 10 }')
    [ $((i % 10)) != 9 ] || place='"lat":null,"lon":null'
    printf '{"id":"d%d",%s,"text":"%s"}\n' "$i" "$place" "$text"
done >docs.jsonl
cat >manifest.json <<'END'
{"name":"places","text":"text","id":["id"],"vocabulary":320,
 "slots":{"place":{"kind":"place","fields":["lat","lon"]}},
 "held_out":{"documents":["d1","d2","d3","d4","d5","d6","d7","d8"]}}
END
cat >places.tsv <<'END'
# name, latitude, longitude, country, population, kind, other names
Paris	48.8534	2.3488	FR	2138551	city	Lutetia|Париж
Paris	33.6609	-95.5555	US-TX	24699	city
Madrid	40.4165	-3.7026	ES	3255944	city
Warsaw	52.2298	21.0118	PL	1702139	city	Warszawa
Athens	37.9838	23.7278	GR	664046	city	Αθήνα
Zürich	47.3667	8.5500	CH	341730	city
Spain	40.3	-3.6	ES	46000000	area
END
"$TRINE" corpus build --manifest manifest.json --out corpus docs.jsonl >/dev/null
"$TRINE" corpus show corpus | grep -q 'slot place (place): 44 given, latitude' || fail "the corpus: $("$TRINE" corpus show corpus)"

# Labels may be names: of a corpus that says only the city, places come from the gazetteer.
printf '%s\n' '{"id":"a","city":"Paris","text":"un"}' '{"id":"b","city":"warszawa","text":"dwa"}' \
    '{"id":"c","city":"37.98,23.73","text":"three"}' '{"id":"d","city":"","text":"four"}' >cities.jsonl
cat >cities.json <<'END'
{"name":"cities","id":["id"],"vocabulary":300,"slots":{"from":{"kind":"place","field":"city"}}}
END
"$TRINE" corpus build --manifest cities.json --gazetteer places.tsv --out cities cities.jsonl >/dev/null
"$TRINE" corpus show cities | grep -q '3 given, latitude 37.98 to 52.2298, longitude 2.3488 to' ||
    fail "cities: $("$TRINE" corpus show cities)"
model=$work/tiny.gguf
"$TRINE" train --corpus corpus --out "$model" --width 32 --blocks 2 --split 1 --heads 2 --key-value-heads 1 \
    --head-width 16 --inner 48 --context 64 --batch 4 --steps 200 --learning-rate 0.006 --save-every 1000 --report-every 1000 \
    --ngram-rows 512 --warmup-steps 5 --slot-width place=6 --validation-every 5 --threads 2 2>log ||
    fail "training failed: $(cat log)"

# Each held-out text is read nearer to its own region than the next region is: the control.
"$TRINE" eval --model "$model" --corpus corpus --json eval.json >/dev/null
[ "$(jq '.slots.place.document.count' eval.json)" = 8 ] || fail "eval: $(cat eval.json)"
python3 - eval.json <<'END' || fail "eval: $(jq -c .slots.place.document eval.json)"
import json, sys
place = json.load(open(sys.argv[1]))["slots"]["place"]["document"]
sys.exit(not (place["median_error_kilometres"] < 700 and 0 <= place["coverage_90"] <= 1))
END
for i in 1 2 3 4 5 6 7 8; do
    sed -n "${i}p" docs.jsonl | jq -r .text >"text$i"
    "$TRINE" read --model "$model" --gazetteer places.tsv --json read$i.json text$i
done
python3 - <<'END' || fail "read: $(cat read1.json)"
import json, math, sys
def distance(a, b):
    (p, q), (r, s) = [tuple(map(math.radians, x)) for x in (a, b)]
    return 6371 * math.acos(min(1, math.sin(p) * math.sin(r) + math.cos(p) * math.cos(r) * math.cos(q - s)))
documents = [json.loads(line) for line in open("docs.jsonl")][:8]
read = [json.load(open(f"read{i + 1}.json"))["slots"]["place"] for i in range(8)]
truth = [(d["lat"], d["lon"]) for d in documents]
own = [distance((r["latitude"], r["longitude"]), t) for r, t in zip(read, truth)]
control = [distance((r["latitude"], r["longitude"]), t) for r, t in zip(read, truth[1:] + truth[:1])]
print("own", [round(x) for x in own], "shuffled", [round(x) for x in control])
good = sum(a < b for a, b in zip(own, control)) >= 7
names = ["Madrid, ES", "Warsaw, PL", "Athens, GR", "Paris, FR"] * 2
good = good and sum(r["places"][0]["name"] == n for r, n in zip(read, names)) >= 6
good = good and all(0 < r["kilometres_50"] <= r["kilometres_90"] for r in read)
sys.exit(not good)
END
"$TRINE" read --model "$model" --gazetteer places.tsv text4 >read.txt
grep -q 'near Paris, FR.*50 %: within' read.txt || fail "read: $(cat read.txt)"
"$TRINE" read --model "$model" text4 | grep -q '4[5-9]\.[0-9]° N' || fail "read without a gazetteer"
"$TRINE" read --model "$model" --by-token text4 | tail -1 | grep -q ',.*[0-9]$' || fail "the trace"

# Told by coordinates, by name, by a name in other letters: the same handle.
handle() { "$TRINE" handle --model "$model" "$@" --json 2>err.txt | jq -c '.slots.place | del(.source)'; }
told=$(handle --place 48.8534,2.3488)
[ "$(jq .told <<<"$told")" = true ] || fail "--place: $(cat err.txt)"
[ "$(handle --place paris --gazetteer places.tsv)" = "$told" ] || fail "--place paris: $(cat err.txt)"
grep -q 'Paris, FR (48.85,2.349), not Paris, US-TX' err.txt || fail "the choice is not shown: $(cat err.txt)"
[ "$(TRINE_GAZETTEER=places.tsv handle --tell place=ПАРИЖ)" = "$told" ] || fail "--tell place=ПАРИЖ"
[ "$(handle --place 'Paris, TX' --gazetteer places.tsv)" != "$told" ] || fail "Paris, TX is Paris, FR"
[ "$(handle --place zurich --gazetteer places.tsv)" = "$(handle --place '47.3667 8.55')" ] || fail "zurich"
"$TRINE" handle --model "$model" --place 52.2,21 --gazetteer places.tsv | grep -q 'near Warsaw, PL' ||
    fail "a told place is shown elsewhere"
# Written there, text has that place's words; elsewhere it has not.
count() { "$TRINE" write --model "$model" --place "$1" --tokens 120 --seed 3 --temperature 0.5 | grep -o "$2" | wc -l; }
[ "$(count 37.98,23.7 marble)" -gt "$(count 52.2,21 marble)" ] || fail "Athens writes like Warsaw"
"$TRINE" write --model "$model" --gazetteer places.tsv --sweep place=Madrid..Warsaw:0.5 --tokens 5 >sweep.txt
[ "$(grep -c '^--- place' sweep.txt)" = 3 ] || fail "sweep: $(cat sweep.txt)"
"$TRINE" write --model "$model" --place -33.9,151.2 --tokens 5 >/dev/null # off the grid

# Pictures.
for picture in map.svg map.png; do
    "$TRINE" read --model "$model" --gazetteer places.tsv --map $picture text4 >/dev/null
    [ -s $picture ] || fail "no $picture"
done
grep -q '<svg' map.svg || fail "map.svg"
"$TRINE" read --model "$model" --svg circles.svg --slot place text4 >/dev/null
[ -s circles.svg ] || fail "no circles.svg"

refuse() { # STATUS TEXT COMMAND...
    local status=0
    "$TRINE" "${@:3}" >out.txt 2>err.txt || status=$?
    [ "$status" = "$1" ] || fail "trine ${*:3} exits $status, not $1: $(cat err.txt)"
    grep -q -- "$2" err.txt || fail "trine ${*:3} says '$(cat err.txt)', not '$2'"
}
refuse 1 "gazetteer is needed" handle --model "$model" --place Paris
refuse 1 "which knows Madrid, ES" handle --model "$model" --place Madird --gazetteer places.tsv
refuse 1 "always work" handle --model "$model" --place Atlantis --gazetteer places.tsv
refuse 1 "gazetteer is needed" handle --model "$model" --place 91,0
refuse 1 absent.tsv handle --model "$model" --place Paris --gazetteer absent.tsv
printf 'Paris\t148.8\t2.3\tFR\t1\tcity\n' >bad.tsv
refuse 1 "bad.tsv:1: it has no latitude" handle --model "$model" --place Paris --gazetteer bad.tsv
sed 's/"lat":[0-9.]*/"lat":95/' docs.jsonl >far.jsonl
refuse 1 "gazetteer is needed" corpus build --manifest cities.json --out none cities.jsonl
sed 's/warszawa/Atlantis/' cities.jsonl >unknown.jsonl
refuse 1 "cities.*:2\|unknown.jsonl:2" corpus build --manifest cities.json --gazetteer places.tsv --out none unknown.jsonl
refuse 1 latitude corpus build --manifest manifest.json --out far far.jsonl

# A server understands the same names.
command -v curl >/dev/null || exit 0
"$TRINE" serve --model "$model" --name places --local-scope dream --port 0 --gazetteer places.tsv >served 2>errors & server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 1 600); do
    grep -q '^listening on' served && break
    kill -0 $server 2>/dev/null || fail "the server ended: $(cat errors)"
    sleep 0.05
done
url=$(sed -n 's/^listening on //p' served)
text_at() { # PLACE
    curl -s "$url/v1/completions" -d '{"model": "places/dream", "prompt": "", "max_tokens": 20, "seed": 3, "handle": {"place": "'"$1"'"}}'
}
[ "$(text_at paris | jq -r '.choices[0].text')" = "$(text_at 48.85,2.35 | jq -r '.choices[0].text')" ] || fail "the server's Paris: $(text_at paris)"
[ "$(text_at paris | jq -r '.choices[0].text')" != "$(text_at warsaw | jq -r '.choices[0].text')" ] || fail "Paris is Warsaw"
text_at Atlantis | jq -e '.error.message | test("Atlantis")' >/dev/null || fail "the server finds $(text_at Atlantis)"
kill -TERM $server && wait $server || fail "the server ends with $?: $(cat errors)"
