#!/usr/bin/env python3
"""How good and how coherent the probabilities of statements are.

Usage: scores.py --base BASE.jsonl [--name NAME] [--family F,F...] [--header] [--json FILE] ANSWERS.jsonl...

ANSWERS are lines {"id", "statement", "probability", "label"}, a file for each seed; BASE is the belief base of the
statements, whose laws the probabilities should keep.  Printed is a row of a table in Markdown, means and, of several
files, standard deviations.  --family: only statements of these families are scored for being right, and only laws all
of whose statements are of these families.
"""

import argparse
import json
import math
import pathlib
import re
import statistics

# Laws that are scored: how they are written, and by how much probabilities break them.
NAME = r"([\w.:-]+)"
LAWS = {
    "not": (rf"{NAME} iff not {NAME}", lambda n, a: abs(n + a - 1)),
    "and": (rf"{NAME} iff {NAME} and {NAME}", lambda c, a, b: max(0, c - min(a, b), a + b - 1 - c)),
    "or": (rf"{NAME} iff {NAME} or {NAME}", lambda c, a, b: max(0, max(a, b) - c, c - a - b)),
    "exclusive": (rf"not \({NAME} and {NAME}\)", lambda a, b: max(0, a + b - 1)),
    "same": (rf"{NAME} iff {NAME}", lambda a, b: abs(a - b)),
    "implies": (rf"{NAME} and {NAME} implies {NAME}", lambda a, b, c: max(0, a + b - 1 - c)),
}
COLUMNS = ("accuracy", "brier", "ece", "log_loss", "auc", *LAWS)
BINS = 10
LEAST = 1e-9  # a probability of 0 or 1 costs this much doubt, or the log loss would be infinite


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def auc(pairs):
    """How often a true statement is likelier than a false one; ties count half."""
    true = sum(label for _, label in pairs)
    false = len(pairs) - true
    if true == 0 or false == 0:
        return None
    wins, below = 0.0, 0
    by_probability = {}
    for p, label in pairs:
        by_probability.setdefault(p, [0, 0])[label] += 1
    for p in sorted(by_probability):
        lost, won = by_probability[p]
        wins += won * (below + lost / 2)
        below += lost
    return wins / (true * false)


def calibration_error(pairs):
    bins = [[] for _ in range(BINS)]
    for p, label in pairs:
        bins[min(BINS - 1, int(p * BINS))].append((p, label))
    return sum(abs(sum(p - label for p, label in bin)) for bin in bins) / len(pairs)


def truth_scores(pairs):
    if not pairs:
        raise SystemExit("no answer has a label")
    right = [0.5 if p == 0.5 else (p > 0.5) == label for p, label in pairs]
    of_label = [max(p if label else 1 - p, LEAST) for p, label in pairs]
    return {
        "statements": len(pairs),
        "accuracy": statistics.fmean(right),
        "brier": statistics.fmean((p - label) ** 2 for p, label in pairs),
        "ece": calibration_error(pairs),
        "log_loss": -statistics.fmean(map(math.log, of_label)),
        "auc": auc(pairs),
    }


def law_scores(laws, probability):
    """Mean violation of each kind of law among those whose statements all have a probability."""
    found = {kind: [] for kind in LAWS}
    for law in laws:
        for kind, (pattern, violation) in LAWS.items():
            match = re.fullmatch(pattern, law)
            if match:
                if all(name in probability for name in match.groups()):
                    found[kind].append(violation(*(probability[name] for name in match.groups())))
                break
    scores = {kind: statistics.fmean(values) if values else None for kind, values in found.items()}
    return scores | {"laws": {kind: len(values) for kind, values in found.items()}}


def score(answers, base, families):
    lines = [line for line in base if "id" in line and (families is None or line.get("family") in families)]
    names = {line["id"] for line in lines}
    by_text = {line["sentence"]: line["id"] for line in lines if "sentence" in line}
    probability, pairs = {}, []
    for answer in answers:
        name = answer.get("id")
        name = name if name in names else by_text.get(answer.get("statement"))
        if name is not None:
            probability[name] = answer["probability"]
        if answer.get("label") is not None and (families is None or name is not None):
            pairs.append((answer["probability"], bool(answer["label"])))
    laws = [line["constraint"] for line in base if "constraint" in line]
    return truth_scores(pairs) | law_scores(laws, probability)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", nargs="+", type=pathlib.Path)
    parser.add_argument("--base", required=True, type=pathlib.Path)
    parser.add_argument("--name")
    parser.add_argument("--family", type=lambda text: set(text.split(",")))
    parser.add_argument("--header", action="store_true", help="print the table's head before its row")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    base = read_lines(arguments.base)
    seeds = [score(read_lines(path), base, arguments.family) for path in arguments.answers]
    name = arguments.name or arguments.answers[0].stem
    mean, sd = {}, {}
    for column in COLUMNS:
        values = [seed[column] for seed in seeds]
        mean[column] = None if None in values else statistics.fmean(values)
        sd[column] = None if None in values or len(values) < 2 else statistics.stdev(values)
    if arguments.header:
        print("| | " + " | ".join(column.replace("_", " ") for column in COLUMNS) + " |")
        print("| --- " * (1 + len(COLUMNS)) + "|")
    cells = [
        "" if mean[c] is None else f"{mean[c]:.3f}" + ("" if sd[c] is None else f" ± {sd[c]:.3f}") for c in COLUMNS
    ]
    print(f"| {name} | " + " | ".join(cells) + " |")
    if arguments.json:
        result = {"name": name, "mean": mean, "sd": sd, "seeds": seeds}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
