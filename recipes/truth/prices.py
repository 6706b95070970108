#!/usr/bin/env python3
"""What a market thinks of statements that nobody ever resolved, beside their labels: with all its traders, and without
some of them.  Means over three seeds.

Usage: prices.py PROGRAM BASES WORK OPINIONS.jsonl...      (BASES: what statements.py or address_facts.py wrote)

The first file of opinions is that of models, further ones of readers.
"""

import json
import pathlib
import sqlite3
import statistics
import subprocess
import sys

SHARES, SEEDS = ("0.05", "0.2", "1.0"), (1, 2, 3)


def run(program, base, record, opinions, flags):
    files = [word for name in opinions for word in ("--opinions", name)]
    subprocess.run([program, "market", "run", "--engine", "kelly", "--beliefs", base, "--out", record, *files, *flags],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    database = sqlite3.connect(record)
    day = database.execute("SELECT max(day) FROM days").fetchone()[0]
    rows = database.execute("SELECT name, price FROM prices JOIN sentences ON sentences.id = sentence WHERE prices.day = ?", (day,))
    prices = dict(rows)
    incoherence = database.execute("SELECT incoherence FROM days WHERE day = ?", (day,)).fetchone()[0]
    return prices, incoherence


def scores(prices, incoherence, unresolved):
    pairs = [(prices[line["id"]], line["label"]) for line in unresolved if not line["settled"]]
    return {"accuracy": statistics.fmean((p > 0.5) == label for p, label in pairs),
            "Brier": statistics.fmean((p - label) ** 2 for p, label in pairs),
            "incoherence": incoherence}


def main():
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    program, bases, work, opinions = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4:]
    work.mkdir(parents=True, exist_ok=True)
    markets = {"all": (opinions, []), "without coherence": (opinions, ["--without", "coherence"]),
               "without models": (opinions[1:], [])}
    if len(opinions) > 1:
        markets["without reading"] = (opinions[:1], [])
    print("| verdicts | market | accuracy | Brier | incoherence |\n| --- | --- | --- | --- | --- |")
    for share in SHARES:
        for name, (files, flags) in markets.items():
            found = []
            for seed in SEEDS:
                lines = (bases / f"unresolved-{share}-s{seed}.jsonl").read_text(encoding="utf-8").splitlines()
                prices = run(program, bases / f"base-{share}-s{seed}.jsonl", work / "market", files, flags)
                found.append(scores(*prices, [json.loads(line) for line in lines]))
            cells = (f"{statistics.fmean(f[key] for f in found):.3f} ± {statistics.stdev(f[key] for f in found):.3f}"
                     for key in ("accuracy", "Brier", "incoherence"))
            print(f"| {share} | {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
