#!/usr/bin/env python3
"""Linear baselines on the split of glyphs.py: from pixels to the designer, and to the year.

Designers: multinomial logistic regression (scikit-learn's, L-BFGS) on the 576 pixels (ink 0 to 1, centred), on the
training glyphs with a designer. Once on the pixels alone, and once on what they differ by from the mean picture of the
same character, since the reader is told the character as well. How strongly it is regularised is chosen on a twelfth of
the training glyphs, by hash, which the models that choose do not see.
Years: ridge regression on the same, chosen alike, and the median of the training years for every glyph.

For single held-out glyphs and for those of a font together (scoring.py); and the same for unseen typefaces.

Debian's numpy computes with the reference BLAS, which takes an hour for this; with OpenBLAS it takes minutes.

Usage: baseline.py OUT [--json FILE]        (OUT of glyphs.py)
"""

import argparse
import collections
import json
import pathlib

import numpy
from PIL import Image
from sklearn.linear_model import LogisticRegression

import glyphs
from scoring import judge, scores, year_errors

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # C, the inverse of the penalty
RIDGES = (1.0, 10.0, 100.0, 1000.0, 10000.0)
CHOOSING = 1 / 12


def read(out, name):
    with open(out / name, encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    for document in documents:
        document["ink"] = 1 - numpy.asarray(Image.open(out / document["image"]), dtype=numpy.float32).reshape(-1) / 255
    return documents


class Pixels:
    """Features: pixels less their mean, or less the mean of the character."""

    def __init__(self, documents, by_character):
        self.mean = numpy.mean([d["ink"] for d in documents], axis=0)
        self.of = {}
        if by_character:
            groups = collections.defaultdict(list)
            for document in documents:
                groups[document["character"]].append(document["ink"])
            self.of = {character: numpy.mean(own, axis=0) for character, own in groups.items()}

    def __call__(self, documents):
        return numpy.stack([d["ink"] - self.of.get(d["character"], self.mean) for d in documents])


def split(documents):
    """Training glyphs to fit on while choosing, and to choose by."""
    chosen = [glyphs.share_of("choosing", d["id"]) < CHOOSING for d in documents]
    return [d for d, c in zip(documents, chosen) if not c], [d for d, c in zip(documents, chosen) if c]


def fit_designers(documents, strength, by_character):
    pixels = Pixels(documents, by_character)
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-3)
    model.fit(pixels(documents), [d["designer"] for d in documents])
    return pixels, model


def log_probabilities(fitted, documents):
    pixels, model = fitted
    return model.predict_log_proba(pixels(documents))


def designers(training, tests, by_character):
    training = [d for d in training if d["designer"]]
    fitting, choosing = split(training)
    losses = {}
    for strength in STRENGTHS:
        fitted = fit_designers(fitting, strength, by_character)
        place = {name: i for i, name in enumerate(fitted[1].classes_)}
        truth = numpy.array([place[d["designer"]] for d in choosing])
        losses[strength] = scores(log_probabilities(fitted, choosing), truth)["log_loss"]
    best = min(losses, key=losses.get)
    fitted = fit_designers(training, best, by_character)
    result = {"strength": best}
    for name, documents in tests.items():
        documents = [d for d in documents if d["designer"]]
        result[name] = judge(log_probabilities(fitted, documents), documents, training, list(fitted[1].classes_))
    return result


def fit_years(documents, ridge, by_character):
    pixels = Pixels(documents, by_character)
    x, y = pixels(documents), numpy.array([d["year"] for d in documents], dtype=numpy.float64)
    x = x.astype(numpy.float64)
    weights = numpy.linalg.solve(x.T @ x + ridge * numpy.eye(x.shape[1]), x.T @ (y - y.mean()))
    return lambda others: pixels(others) @ weights + y.mean()


def years(training, tests, by_character):
    training = [d for d in training if d["year"]]
    fitting, choosing = split(training)
    errors = {ridge: year_errors(fit_years(fitting, ridge, by_character)(choosing), choosing)["glyph_mean"] for ridge in RIDGES}
    best = min(errors, key=errors.get)
    predict = fit_years(training, best, by_character)
    median = float(numpy.median([d["year"] for d in training]))
    result = {"ridge": best}
    for name, documents in tests.items():
        documents = [d for d in documents if d["year"] and d["designer"]]  # those that figures.py reads
        result[name] = year_errors(predict(documents), documents)
        result[name + ", median year"] = year_errors(numpy.full(len(documents), median), documents)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--json")
    options = parser.parse_args()
    documents = read(options.out, "glyphs.jsonl")
    training = [d for d in documents if d["split"] == "training"]
    tests = {"held out": [d for d in documents if d["split"] == "held out"], "unseen": read(options.out, "unseen.jsonl")}
    report = {}
    for name, by_character in (("pixels", False), ("pixels less the character's mean", True)):
        report[name] = {"designer": designers(training, tests, by_character), "year": years(training, tests, by_character)}
        for test in tests:
            for unit, found in report[name]["designer"][test].items():
                print(f"{name}, {test}, {found['count']} {unit}s: designer top-1 {found['top1']:.3f} top-5 {found['top5']:.3f} "
                      f"log loss {found['log_loss']:.3f}", flush=True)
            for which in (test, test + ", median year"):
                found = report[name]["year"][which]
                print(f"{name}, {which}: year off by {found['glyph_mean']:.2f} on average of glyphs, "
                      f"{found['font_mean']:.2f} of fonts", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
