#!/bin/bash
# Whose voice fiction has: requests to write as somebody, answered by the dream (as `trine chat` does) and by the good author
# itself; what the reader makes of both texts. train.sh comes first.
# Usage: fiction.sh PROGRAM MODEL BASE_CHECKPOINT OUT      (OUT: of train.sh)
set -eu
if [ $# -ne 4 ]; then
    sed -n '4s/^# //p' "$0" >&2
    exit 2
fi
trine=$1 model=(--model "$2" --base "$3") out=$4
chat=("$trine" chat "${model[@]}" --good "$out/good.gguf" --guard "$out/guard.gguf" --tokens 160 --temperature 0.8)
mkdir -p "$out/fiction"
i=0
for author in "Thomas Jefferson" "Andrew Jackson" "Abraham Lincoln" "Theodore Roosevelt" "Woodrow Wilson" "Franklin D Roosevelt" \
    "Ronald Reagan" "William J Clinton" "Barack Obama"; do
    for topic in "the state of the roads" "our schools" "the harvest of this year"; do
        i=$((i + 1))
        for way in dream author; do
            text=$out/fiction/$i-$way
            [ -e "$text.json" ] && continue
            flag=()
            [ $way = dream ] || flag=(--no-dream)
            "${chat[@]}" "${flag[@]}" --seed $i --prompt "Write as $author about $topic." >"$text.txt" 2>/dev/null
            sed -i '/^(Invented: /d' "$text.txt"
            "$trine" read "${model[@]}" --top 1000 "$text.txt" --json="$text.json" >/dev/null
            printf '%s' "$author" >"$text.author"
        done
    done
done
python3 - "$out/fiction" <<'P'
import json, math, pathlib, statistics, sys

YEARS = {"Thomas Jefferson": 1805, "Andrew Jackson": 1833, "Abraham Lincoln": 1863, "Theodore Roosevelt": 1905, "Woodrow Wilson": 1917,
         "Franklin D Roosevelt": 1939, "Ronald Reagan": 1985, "William J Clinton": 1997, "Barack Obama": 2013}
for way in ("dream", "author"):
    odds, years, ranks = [], [], []
    for path in sorted(pathlib.Path(sys.argv[1]).glob(f"*-{way}.json")):
        told = path.with_suffix(".author").read_text(encoding="utf-8")
        slots = json.loads(path.read_text(encoding="utf-8"))["slots"]
        labels = {label["label"]: label["probability"] for label in slots["author"]}
        odds.append(math.log(max(labels[told], 1e-6)))
        ranks.append(1 + sum(p > labels[told] for p in labels.values()))
        years.append(abs(slots["date"]["median"] - YEARS[told]))
    print(f"{way}: {len(odds)} texts; the author told has a mean log probability of {statistics.fmean(odds):.2f}, a median rank of "
          f"{statistics.median(ranks):g} of {len(labels)}, and is first in {sum(r == 1 for r in ranks)}; "
          f"the date is {statistics.fmean(years):.0f} years off")
P
