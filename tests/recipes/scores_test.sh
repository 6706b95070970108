#!/bin/bash
# recipes/truth/scores.py on five statements and six laws, against numbers worked out by hand.
set -eu
fail() { echo "$1" >&2; exit 1; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/base.jsonl" <<'EOF'
{"id": "a", "sentence": "A.", "family": "plain"}
{"id": "b", "sentence": "B.", "family": "plain"}
{"id": "c", "sentence": "A and B.", "family": "composed"}
{"id": "d", "sentence": "A or B.", "family": "composed"}
{"id": "n", "sentence": "Not A.", "family": "composed"}
{"constraint": "n iff not a"}
{"constraint": "c iff a and b"}
{"constraint": "d iff a or b", "day": 0}
{"constraint": "not (a and b)"}
{"constraint": "a iff d"}
{"constraint": "a and d implies c"}
{"constraint": "c xor n"}
EOF
answers() { # A B C D N
    printf '{"id": "a", "statement": "A.", "probability": %s, "label": true}\n' "$1"
    printf '{"statement": "B.", "probability": %s, "label": false}\n' "$2" # known by its text
    printf '{"id": "c", "statement": "A and B.", "probability": %s, "label": false}\n' "$3"
    printf '{"id": "d", "statement": "A or B.", "probability": %s, "label": true}\n' "$4"
    printf '{"id": "n", "statement": "Not A.", "probability": %s, "label": false}\n' "$5"
}
answers 0.8 0.3 0.4 0.5 0.5 >"$work/one.jsonl"
answers 1 0 0 1 0 >"$work/two.jsonl"
scores() { python3 recipes/truth/scores.py --base "$work/base.jsonl" "$@"; }
same() { [ "$1" = "$2" ] || fail "$(printf '%s\n' "wanted: $2" "found:  $1")"; }

# Two answers are half right; d and n, both at 0.5, err as much in opposite directions; one of six pairs is a tie.
same "$(scores --name one "$work/one.jsonl")" \
    "| one | 0.800 | 0.158 | 0.180 | 0.495 | 0.917 | 0.300 | 0.100 | 0.300 | 0.100 | 0.300 | 0.000 |"
# Certain and right, but for the last law.
same "$(scores "$work/two.jsonl")" \
    "| two | 1.000 | 0.000 | 0.000 | 0.000 | 1.000 | 0.000 | 0.000 | 0.000 | 0.000 | 0.000 | 1.000 |"
# Two seeds.
row=$(scores --header --json "$work/scores.json" "$work/one.jsonl" "$work/two.jsonl" | tail -n 1)
same "${row:0:44}" "| one | 0.900 ± 0.141 | 0.079 ± 0.112 | 0.09"
python3 - "$work/scores.json" <<'EOF' || fail "the scores as JSON are wrong"
import json, sys
found = json.load(open(sys.argv[1], encoding="utf-8"))
assert abs(found["mean"]["log_loss"] - 0.495388 / 2) < 1e-5, found
assert abs(found["sd"]["implies"] - 0.5 ** 0.5) < 1e-9, found
assert found["seeds"][0]["laws"] == {"not": 1, "and": 1, "or": 1, "exclusive": 1, "same": 1, "implies": 1}, found
EOF
# One family: a and b, and the one law that binds nothing else.
same "$(scores --name plain --family plain "$work/one.jsonl")" \
    "| plain | 1.000 | 0.065 | 0.250 | 0.290 | 1.000 |  |  |  | 0.100 |  |  |"

# A liar believes the contrary of what is known, and nothing of the rest.
printf '%s\n' '{"id": "a", "sentence": "A.", "verdict": true, "day": 2}' '{"sentence": "B.", "verdict": false}' \
    '{"id": "c", "sentence": "C."}' '{"constraint": "not c"}' >"$work/known.jsonl"
same "$(python3 recipes/truth/liar.py "$work/known.jsonl" | tr '\n' ' ')" \
    '{"trader": "liar", "sentence": "a", "belief": 0.05} {"trader": "liar", "sentence": "B.", "belief": 0.95} '
