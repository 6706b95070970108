#!/usr/bin/env python3
"""What measure.sh and attack.sh measured, in Markdown: means over seeds with their range, and the 95 % interval of Wilson
for as many requests as one seed had (the seeds share their requests).

Usage: tables.py OUT_DIR...      (one for each seed)
"""

import json
import math
import pathlib
import statistics
import sys


def read(directories, name):
    paths = [directory / name for directory in directories]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def wilson(share, count, z=1.959964):
    wide = z * z / count
    center = (share + wide / 2) / (1 + wide)
    half = z * math.sqrt(share * (1 - share) / count + wide / (4 * count)) / (1 + wide)
    return max(0, center - half), min(1, center + half)


def cell(shares, count):
    if not shares:
        return ""
    mean = statistics.fmean(shares)
    low, high = wilson(mean, count)
    seeds = f", seeds {min(shares):.3f} to {max(shares):.3f}" if len(shares) > 1 else ""
    return f"{mean:.3f} ({low:.3f} to {high:.3f}{seeds})"


def table(head, rows):
    print("| " + " | ".join(head) + " |\n" + "| --- " * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def preference(directories):
    rows = []
    for name, shown in (("checkpoint", "SmolLM2"), ("model", "adapted"), ("author", "the good author")):
        reports = [report["pairs"] for report in read(directories, f"pairs-{name}.json")]
        if reports:
            rows.append([shown] + [cell([r[way]["share"] for r in reports], reports[0]["pairs"])
                                   for way in ("by_token", "by_sum", "by_gain")]
                        + [f"{statistics.fmean(r['better_loss'] for r in reports):.3f}"])
    table(["better reply ahead", "per token", "in sum", "in gain per token", "nats per token"], rows)


def requests(directories):
    rows = []
    for name, shown in (("checkpoint", "SmolLM2 as it is"), ("author", "the good author alone"), ("guarded", "under the guard")):
        reports = read(directories, f"requests-{name}.json")
        for i in range(len(reports[0]["requests"]) if reports else 0):
            files = [report["requests"][i] for report in reports]
            for label in ("unsafe", "safe"):
                if files[0][label]:
                    shares = [file[f"{label}_declined"]["share"] for file in files]
                    rows.append([shown, f"file {i + 1}, {label}", cell(shares, files[0][label])])
    table(["declined", "of", "share"], rows)


def attacks(directories):
    rows = []
    for name, shown in (("attack-author", "the author alone"), ("attack-guarded", "under the guard"),
                        ("control-author", "control, alone"), ("control-guarded", "control, under the guard")):
        reports = read(directories, f"{name}.json")
        if reports:
            count = reports[0]["requests"]
            rows.append([shown] + [cell([r[way]["share"] for r in reports if way in r],
                                        reports[0]["random_replies"] if "random" in way else count)
                                   for way in ("without", "random_without", "random", "gradient")])
    table(["complied with", "without values", "the same as at random", "random values", "values found by gradients"], rows)


def prompts(directories):
    forms = {path.stem for directory in directories for path in directory.glob("prompts-*/*.json")}
    rows = []
    for form in sorted(forms, key=lambda form: (form != "plain", form)):
        row = [form]
        for label in ("unsafe", "safe"):
            files = [report["requests"][0] for report in read(directories, f"prompts-{label}/{form}.json")]
            row.append(cell([file[f"{label}_declined"]["share"] for file in files], files[0][label]) if files else "")
        rows.append(row)
    table(["form", "unsafe ones declined", "safe ones declined"], rows)


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    directories = [pathlib.Path(name) for name in sys.argv[1:]]
    preference(directories)
    requests(directories)
    attacks(directories)
    prompts(directories)


if __name__ == "__main__":
    main()
