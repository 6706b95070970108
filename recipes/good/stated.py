#!/usr/bin/env python3
"""Whether what the good author says of its sureness holds where it is asked if a statement is true: there the truth layer's
odds are what it says ("Is it true that ...?", src/good/statement_question.h), in tenths.

Usage: stated.py ANSWERS...      what `trine truth eval --answers` wrote of held-out statements (recipes/truth/measure.sh leaves
them): {"probability", "label"} a line. Files of several seeds are shown one by one and together.
"""

import collections
import json
import math
import sys


def tenth(probability):
    """As odds_tenth in src/good/odds.c."""
    return math.floor(10 * probability + 0.5)


def said_of(path):
    """Tenths that are said: [statements, right]."""
    table = collections.defaultdict(lambda: [0, 0])
    with open(path, encoding="utf-8") as file:
        for line in file:
            answer = json.loads(line)
            if answer.get("label") is None:
                continue
            p = answer["probability"]
            said = tenth(max(p, 1 - p))
            if tenth(p) in (5,):
                continue  # "I do not know whether that is true."
            table[said][0] += 1
            table[said][1] += (p > 0.5) == answer["label"]
    return table


def wilson(right, count, z=1.96):
    middle = (right + z * z / 2) / (count + z * z)
    half = z * math.sqrt(right * (count - right) / count + z * z / 4) / (count + z * z)
    return middle - half, middle + half


def show(name, table):
    print(name)
    for said, (count, right) in sorted(table.items()):
        low, high = wilson(right, count)
        print(f"  says {10 * said:3d} %: right {right / count:.3f} ({low:.3f} to {high:.3f}) of {count}")


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    together = collections.defaultdict(lambda: [0, 0])
    for path in sys.argv[1:]:
        table = said_of(path)
        show(path, table)
        for said, counts in table.items():
            for i in (0, 1):
                together[said][i] += counts[i]
    if len(sys.argv) > 2:
        show("together", together)


if __name__ == "__main__":
    main()
