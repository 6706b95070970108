#!/usr/bin/env python3
"""Who wrote these papers?  The model's reader beside Burrows's Delta.

    attribute.py PROGRAM MODEL federalist.jsonl                     the held-out papers of federalist.jsonl
    attribute.py PROGRAM MODEL federalist.jsonl PAPER...            papers to judge: .jsonl (id, text) or text files

federalist.jsonl are the undisputed papers.  Delta learns from those that manifest.json does not hold out, as the model
did; papers that are labelled with one author are scored.  No package is needed beyond Python's own.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
DELTA_WORDS = 150
WORD = re.compile(r"[a-z]+(?:['\u2019][a-z]+)?")


def read_jsonl(path):
    papers = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            papers.append({"id": str(record["id"]), "author": record.get("author"), "text": record["text"]})
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"{path}:{number}: not an object with id and text: {error}") from None
    return papers


def read_papers(paths):
    papers = []
    for path in paths:
        if path.suffix == ".jsonl":
            papers += read_jsonl(path)
        else:
            papers.append({"id": path.stem, "author": None, "text": path.read_text(encoding="utf-8")})
    return papers


class Delta:
    """Burrows 2002, Literary and Linguistic Computing 17(3): the mean distance of the z-scores of the commonest words.
    An author is the mean z-score of their papers."""

    def __init__(self, papers):
        counts = {}
        for paper in papers:
            for word in WORD.findall(paper["text"].lower()):
                counts[word] = counts.get(word, 0) + 1
        self.words = sorted(counts, key=lambda word: (-counts[word], word))[:DELTA_WORDS]
        shares = [self.shares(paper["text"]) for paper in papers]
        self.mean = [statistics.fmean(column) for column in zip(*shares)]
        self.deviation = [statistics.pstdev(column) or 1 for column in zip(*shares)]
        self.centres = {}
        for author in sorted({paper["author"] for paper in papers}):
            own = [self.scores(share) for share, paper in zip(shares, papers) if paper["author"] == author]
            self.centres[author] = [statistics.fmean(column) for column in zip(*own)]

    def shares(self, text):
        tokens = WORD.findall(text.lower())
        counts = dict.fromkeys(self.words, 0)
        for token in tokens:
            if token in counts:
                counts[token] += 1
        return [count / max(1, len(tokens)) for count in counts.values()]

    def scores(self, shares):
        return [(share - mean) / deviation for share, mean, deviation in zip(shares, self.mean, self.deviation)]

    def distances(self, text):
        scores = self.scores(self.shares(text))
        return {author: statistics.fmean(abs(a - b) for a, b in zip(scores, centre))
                for author, centre in self.centres.items()}


def posterior(program, model, text, decide):
    """Authors with probabilities, by `trine read`."""
    command = [program, "read", "--model", model, "-", "--top", "100", "--json"]
    if decide:
        command += ["--decide", str(decide)]
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    belief = json.loads(done.stdout)["slots"]["author"]
    return {entry["label"]: entry["probability"] for entry in belief}


def print_row(cells, widths):
    print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in
                    enumerate(zip(cells, widths))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("undisputed", type=pathlib.Path, help="federalist.jsonl")
    parser.add_argument("papers", type=pathlib.Path, nargs="*", help="to be judged; default: those held out")
    parser.add_argument("--decide", type=int, default=0, metavar="N", help="as in trine read: reader and writer together")
    arguments = parser.parse_args()

    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    held_out = set(manifest["held_out"]["documents"])
    joint = set(manifest["slots"]["author"]["missing"])
    undisputed = [paper for paper in read_jsonl(arguments.undisputed) if paper["author"] not in joint]
    delta = Delta([paper for paper in undisputed if paper["id"] not in held_out])
    papers = read_papers(arguments.papers) or [paper for paper in undisputed if paper["id"] in held_out]

    authors = list(delta.centres)
    short = [author.split()[-1] for author in authors]
    widths = [24, *[9] * len(authors), 12, *[9] * len(authors), 12]
    print_row(["", "posterior", *[""] * len(authors), f"Delta ({len(delta.words)})"], widths)
    print_row(["paper", *short, "reader", *short, "Delta"], widths)
    scored, right = 0, {"reader": 0, "delta": 0}
    for paper in papers:
        odds = posterior(arguments.program, arguments.model, paper["text"], arguments.decide)
        distances = delta.distances(paper["text"])
        said, nearest = max(authors, key=lambda a: odds.get(a, 0)), min(authors, key=lambda a: distances[a])
        name = paper["id"] if paper["author"] is None else f"{paper['id']} {paper['author']}"
        print_row([name[:24], *[f"{odds.get(a, 0):.3f}" for a in authors], said.split()[-1],
                   *[f"{distances[a]:.3f}" for a in authors], nearest.split()[-1]], widths)
        if paper["author"] in delta.centres:
            scored += 1
            right["reader"] += said == paper["author"]
            right["delta"] += nearest == paper["author"]
    if scored:
        print(f"right of {scored} labelled: reader {right['reader']}, Delta {right['delta']}")


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(1)
