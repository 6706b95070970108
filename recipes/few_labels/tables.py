#!/usr/bin/env python3
"""The table of what measure.sh measured, in Markdown: means over seeds.

Usage: tables.py OUT

Authors are right of all held-out documents that have one, whether or not a label of theirs was left in training; dates are the median
error of the posterior's median. Of the models trained on labelled documents alone, long and short, each figure is the better one's.
"""

import json
import pathlib
import statistics
import sys


def reports(out, name):
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob(f"{name}-s*.json"))]


def mean(values):
    values = list(values)
    return statistics.fmean(values) if values and None not in values else None


def right(report, where, total):
    slot = report["slots"].get("author")
    return slot[where]["top1"] * slot[where]["count"] / total if slot else None


def figures(out, names, whole):
    """The best of the named models in each column: top-1 of documents and pieces, date, place, told, untold."""
    columns = []
    for name in names:
        found = reports(out, name)
        if not found:
            continue
        date = [r["slots"].get("date", {}).get("document", {}).get("median_absolute_error_years") for r in found]
        place = [r["slots"].get("place", {}).get("document", {}).get("median_error_kilometres") for r in found]
        columns.append([mean(right(r, "document", whole["document"]) for r in found),
                        mean(right(r, "piece", whole["piece"]) for r in found), mean(date), mean(place),
                        mean(r["nats_per_token"].get("told") if r["slots"] else None for r in found),
                        mean(r["nats_per_token"].get("untold") for r in found)])
    best = []
    for index, values in enumerate(zip(*columns)):
        known = [value for value in values if value is not None]
        best.append((max if index < 2 else min)(known) if known else None)
    return best


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    out = pathlib.Path(sys.argv[1])
    full = reports(out, "all-1")[0]["slots"]["author"]
    whole = {"document": full["document"]["count"], "piece": full["piece"]["count"]}
    shares = sorted({path.name.split("-")[1] for path in out.glob("all-*-s*.json")}, key=float, reverse=True)
    print("| labels kept | trained on | author of documents | of 256 tokens | date, years | place, km | nats told | untold |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    rows = [("none", "all, plain model", ["plain"])]
    for share in shares:
        percent = f"{100 * float(share):g} %"
        rows.append((percent, "all", [f"all-{share}"]))
        if share != "1":
            rows.append((percent, "labelled alone", [f"only-{share}", f"only-{share}-short"]))
    for percent, what, names in rows:
        values = figures(out, names, whole)
        if values:
            cells = ["" if value is None else f"{value:.{digits}f}" for value, digits in zip(values, (3, 3, 1, 0, 3, 3))]
            print(f"| {percent} | {what} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
