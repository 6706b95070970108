#!/bin/bash
# The standards of truth: each is consistent, names all sources it uses, and says nothing of the probes itself.
set -eu
fail() { echo "$1" >&2; exit 1; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for beliefs in recipes/standards/*/beliefs.jsonl; do
    "$TRINE" market run --engine kelly --beliefs "$beliefs" --days 2 --out "$work/market" >/dev/null 2>"$work/log" ||
        fail "$(cat "$work/log")"
done
python3 - <<'EOF' || fail "a standard or its probes are wrong"
import json, pathlib

def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

folder = pathlib.Path("recipes/standards")
probes = lines(folder / "probes.jsonl")
names = {path.parent.name for path in folder.glob("*/standard.json")}
verdicts = {}
for name in names:
    standard = json.loads((folder / name / "standard.json").read_text(encoding="utf-8"))
    assert standard["name"] == name and 0.5 < standard["unknown"] < standard["known"] < 1, name
    assert all(0 < weight <= 1 for weight in standard["sources"].values()), name
    for file in standard["beliefs"]:
        for line in lines(folder / name / file):
            if "constraint" in line or "verdict" in line:
                assert line["source"] in standard["sources"], line
            verdicts.setdefault(line.get("sentence"), {})[name] = line.get("verdict")
for probe in probes:
    assert set(probe) == {"statement"} | names and probe["statement"] not in verdicts, probe
opposed = [v for text, v in verdicts.items() if text and {True, False} <= set(v.values())]
agreed = [v for text, v in verdicts.items() if text and len(v) > 1 and len(set(v.values())) == 1]
assert len(opposed) > 20 and len(agreed) > 20, (len(opposed), len(agreed))
EOF
