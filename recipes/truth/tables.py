#!/usr/bin/env python3
"""Tables of what measure.sh measured, in Markdown: means over seeds, with standard deviations.

Usage: tables.py OUT_DIR [plainly|asked|judged|beside]
"""

import collections
import json
import pathlib
import re
import statistics
import sys

COLUMNS = (  # what stands above, and how it is found in a report
    ("accuracy", lambda r: r["accuracy"]),
    ("ROC area", lambda r: r["area"]),
    ("Brier", lambda r: r["brier"]),
    ("calibration error", lambda r: r["calibration_error"]),
    ("violation", lambda r: r["violation"]),
    ("coherent: accuracy", lambda r: r["projected"]["accuracy"]),
    ("Brier", lambda r: r["projected"]["brier"]),
    ("calibration error", lambda r: r["projected"]["calibration_error"]),
)


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
        for way in [sys.argv[2]] if len(sys.argv) == 3 else ["plainly", "judged", "beside"]:
            if way in report:
                rows[seedless, way].append(report[way])
    print("| | " + " | ".join(name for name, _ in COLUMNS) + " |")
    print("| --- " * (1 + len(COLUMNS)) + "|")
    for (name, way), reports in rows.items():
        print(f"| {name}, {way} | " + " | ".join(cell([get(r) for r in reports]) for _, get in COLUMNS) + " |")


if __name__ == "__main__":
    main()
