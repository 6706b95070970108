#!/usr/bin/env python3
"""Tables of what measure.sh measured, in Markdown: means over seeds, with standard deviations.

Usage: tables.py OUT_DIR [asked|judged]
"""

import collections
import json
import pathlib
import re
import statistics
import sys

COLUMNS = {
    "accuracy": lambda r: r["accuracy"],
    "ROC area": lambda r: r["area"],
    "Brier": lambda r: r["brier"],
    "calibration error": lambda r: r["calibration_error"],
    "violation": lambda r: r["violation"],
    "not": lambda r: r["laws"]["not"]["violation"],
    "and": lambda r: r["laws"]["and"]["violation"],
    "or": lambda r: r["laws"]["or"]["violation"],
    "Brier, coherent": lambda r: r["projected"]["brier"],
    "accuracy, coherent": lambda r: r["projected"]["accuracy"],
}


def cell(values):
    text = f"{statistics.fmean(values):.3f}"
    return text if len(values) < 2 else f"{text} ± {statistics.stdev(values):.3f}"


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    rows = collections.defaultdict(list)
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        seedless = re.sub(r"-s\d+", "", path.stem)
        report = json.loads(path.read_text(encoding="utf-8"))
        for way in [sys.argv[2]] if len(sys.argv) == 3 else ["asked", "judged"]:
            rows[seedless, way].append(report[way])
    print("| | " + " | ".join(COLUMNS) + " |")
    print("| --- " * (1 + len(COLUMNS)) + "|")
    for (name, way), reports in rows.items():
        print(f"| {name}, {way} | " + " | ".join(cell([get(r) for r in reports]) for get in COLUMNS.values()) + " |")


if __name__ == "__main__":
    main()
