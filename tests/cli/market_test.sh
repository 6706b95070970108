#!/bin/bash
# Markets through the real program: a base and opinions in, prices, reasons and pictures out.
set -eu
. tests/cli/tiny.sh
base=recipes/market/africa.jsonl opinions=recipes/market/africa_opinions.jsonl

price() { # FILE SENTENCE
    "$TRINE" market explain "$1" "$2" | sed -n 's/^  price \([0-9.]*\).*/\1/p'
}
between() { # VALUE LOW HIGH WHAT
    awk "BEGIN {exit !($1 >= $2 && $1 <= $3)}" || fail "$4 is $1, not within $2 and $3"
}

for engine in exact kelly; do
    strategy=
    [ $engine = exact ] && strategy="--strategy recipes/market/momentum.strategy"
    "$TRINE" market run --engine $engine --beliefs $base --opinions $opinions $strategy --days 50 \
        --out "$work/$engine" >"$work/$engine.txt" 2>/dev/null || fail "the $engine market does not run"
    grep -q "^$engine market of 12 sentences" "$work/$engine.txt" || fail "$engine: no summary"
    # What is known, and what follows from it: nobody was told about Abuja.
    between "$(price "$work/$engine" lagos)" 0.98 1 "a proved sentence ($engine)"
    between "$(price "$work/$engine" lagos_capital)" 0 0.02 "a refuted sentence ($engine)"
    between "$(price "$work/$engine" abuja_capital)" 0.97 1 "what follows from it ($engine)"
    between "$(price "$work/$engine" "Abuja is a city in Nigeria")" 0.97 1 "what follows from that ($engine)"
    "$TRINE" market show "$work/$engine" | grep -q 'almanac of 2000' || fail "$engine: traders are not shown"
done
grep -q 'on 0 days' "$work/exact.txt" || fail "days without a certificate: $(cat "$work/exact.txt")"
"$TRINE" market explain "$work/exact" lagos | grep -q 'known to be true since day 20' || fail "no verdict"
"$TRINE" market explain "$work/exact" abuja | grep -q 'momentum' || fail "the strategy does not trade"

# The same seed gives the same file; a market without its coherence traders does not see what follows.
"$TRINE" market run --beliefs $base --opinions $opinions --strategy recipes/market/momentum.strategy --days 50 \
    --out "$work/again" >/dev/null 2>&1
cmp "$work/exact" "$work/again" || fail "the same market gives another file"
"$TRINE" market run --beliefs $base --opinions $opinions --without coherence --days 50 --out "$work/apart" >/dev/null 2>&1
value=$(price "$work/apart" abuja)
awk "BEGIN {exit !($value < 0.9)}" || fail "without coherence traders Abuja is at $value"

for picture in prices.svg prices.png; do
    "$TRINE" market plot "$work/exact" --picture "$work/$picture" lagos abuja
    [ -s "$work/$picture" ] || fail "no picture $picture"
done
"$TRINE" market plot "$work/exact" --picture "$work/incoherence.svg"
[ -s "$work/incoherence.svg" ] || fail "no picture of the incoherence"

# Kept in a corpus, and taken from there.
tiny_corpus
"$TRINE" market import --beliefs $base --corpus "$work/corpus" | grep -q '12 beliefs' || fail "not imported"
"$TRINE" market run --corpus "$work/corpus" --opinions $opinions --days 50 --strategy recipes/market/momentum.strategy \
    --out "$work/stored" >/dev/null 2>&1
[ "$("$TRINE" market show "$work/stored" | head -n 10)" = "$("$TRINE" market show "$work/exact" | head -n 10)" ] ||
    fail "the stored base gives other prices"
"$TRINE" corpus show "$work/corpus" >/dev/null || fail "a corpus with beliefs does not open"

refused() { # STATUS MESSAGE ARGUMENTS...
    local status=0 expected=$1 message=$2
    shift 2
    "$TRINE" market "$@" >/dev/null 2>"$work/complaint" || status=$?
    [ "$status" = "$expected" ] || fail "market $*: exit $status, not $expected"
    grep -q -e "$message" "$work/complaint" || fail "'$message' is not in: $(cat "$work/complaint")"
}
printf '%s\n' '{"id":"a","sentence":"A","verdict":true}' '{"sentence":"Z"}' '{"constraint":"not a"}' >"$work/clash"
printf '%s\n' '{"trader":"t","sentence":"nobody","belief":0.5}' >"$work/stranger"
head -c 3000 "$work/exact" >"$work/cut"
refused 1 'cannot hold together' run --beliefs "$work/clash" --out "$work/x"
refused 1 'no such sentence' run --beliefs $base --opinions "$work/stranger" --out "$work/x"
refused 1 'no record of a market' show "$work/cut"
refused 1 'cannot open' show "$work/nothing"
refused 1 'no sentence is called' explain "$work/exact" nobody
refused 1 'none of import' dance
refused 2 'must be exact or kelly' run --engine fast
refused 1 'one of --beliefs' run --out "$work/x"
[ ! -e "$work/x" ] || fail "a market that was refused left a file"
