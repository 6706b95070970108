#!/usr/bin/env python3
"""Authorship verification on authors whom the model never saw: `trine same` beside two classical measures.

Of every book in TEXTS.jsonl so many passages are taken (the beginnings of documents spread over the book, of at most
--characters). All pairs of passages from different books are scored: one author or two? Never two passages of one book,
whose names and subject would give it away. The area under the ROC curve is given for
  trine    the log odds of `trine same`
  delta    Burrows's Delta: mean distance of the z-scores of the 300 most frequent words
  ngrams   cosine of character 3-5-grams, TF-IDF with log counts
words, z-scores and document frequencies from TRAINING.jsonl alone. Intervals: 90 %, by drawing authors with replacement.

With --fit HELD_OUT.jsonl also the odds that `trine same --fit` finds on the held-out books of authors whom the model knows, beside
their books in TRAINING.jsonl: nothing of TEXTS is used for it.

Usage: same.py PROGRAM MODEL TRAINING.jsonl TEXTS.jsonl [--fit FILE] [--passages N] [--characters N] [--json FILE]
"""

import argparse
import collections
import json
import math
import pathlib
import random
import re
import subprocess
import tempfile

WORDS = 300
REFERENCE = 400  # training documents for the baselines' statistics
DRAWS = 500
WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?")


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def spread(items, count):
    return [items[i * len(items) // count] for i in range(min(count, len(items)))]


def passages_of(documents, count, characters):
    books = collections.defaultdict(list)
    for document in documents:
        if len(document["text"]) >= characters // 2:
            books[document["author"], document["title"]].append(document)
    return [{"author": author, "book": title, "text": document["text"][:characters]}
            for (author, title), own in sorted(books.items()) for document in spread(own, count)]


def trine_scores(program, model, passages, flags=()):
    with tempfile.TemporaryDirectory() as directory:
        paths = [f"{directory}/{i}.txt" for i in range(len(passages))]
        for path, passage in zip(paths, passages):
            pathlib.Path(path).write_text(passage["text"], encoding="utf-8")
        result = subprocess.run([program, "same", "--model", model, *paths, *flags, "--json"], stdout=subprocess.PIPE, check=True)
    return {(pair["one"], pair["other"]): pair["log_odds"] for pair in json.loads(result.stdout)["pairs"]}


def word_shares(text):
    words = WORD.findall(text.lower())
    counts = collections.Counter(words)
    return {word: count / len(words) for word, count in counts.items()}


class Delta:
    def __init__(self, texts):
        shares = [word_shares(text) for text in texts]
        total = collections.Counter()
        for one in shares:
            total.update(one)
        self.words = [word for word, _ in total.most_common(WORDS)]
        self.mean = [sum(one.get(word, 0) for one in shares) / len(shares) for word in self.words]
        self.deviation = [math.sqrt(sum((one.get(word, 0) - mean) ** 2 for one in shares) / len(shares)) or 1
                          for word, mean in zip(self.words, self.mean)]

    def of(self, text):
        shares = word_shares(text)
        return [(shares.get(word, 0) - mean) / deviation
                for word, mean, deviation in zip(self.words, self.mean, self.deviation)]

    @staticmethod
    def score(one, other):
        return -sum(abs(x - y) for x, y in zip(one, other)) / len(one)


class Ngrams:
    def __init__(self, texts):
        self.documents = len(texts)
        self.frequency = collections.Counter()
        for text in texts:
            self.frequency.update(set(self.grams(text)))

    @staticmethod
    def grams(text):
        text = " ".join(text.lower().split())
        return (text[i:i + n] for n in (3, 4, 5) for i in range(len(text) - n + 1))

    def of(self, text):
        weights = {gram: (1 + math.log(count)) * math.log((1 + self.documents) / (1 + self.frequency[gram]))
                   for gram, count in collections.Counter(self.grams(text)).items() if gram in self.frequency}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {gram: weight / length for gram, weight in weights.items()}

    @staticmethod
    def score(one, other):
        return sum(weight * other[gram] for gram, weight in one.items() if gram in other)


def area(scores, same):
    """Under the ROC curve; ties count half."""
    positive = sorted(score for score, is_same in zip(scores, same) if is_same)
    negative = sorted(score for score, is_same in zip(scores, same) if not is_same)
    below = above = sum_ = 0
    for score in positive:
        while below < len(negative) and negative[below] < score:
            below += 1
        above = max(above, below)
        while above < len(negative) and negative[above] <= score:
            above += 1
        sum_ += (below + above) / 2
    return sum_ / (len(positive) * len(negative))


def interval(pairs, scores, passages):
    draw = random.Random(1)
    authors = sorted({passage["author"] for passage in passages})
    by_authors = collections.defaultdict(list)
    for (i, j), score in zip(pairs, scores):
        by_authors[passages[i]["author"], passages[j]["author"]].append(score)
    areas = []
    while len(areas) < DRAWS:
        drawn = [draw.choice(authors) for _ in authors]
        some, same = [], []
        for (one, other), own in by_authors.items():
            times = drawn.count(one) if one == other else drawn.count(one) * drawn.count(other)
            some += own * times
            same += [one == other] * len(own) * times
        if any(same) and not all(same):
            areas.append(area(some, same))
    areas.sort()
    return areas[DRAWS // 20], areas[-DRAWS // 20]


def calibration(log_odds, same):
    """Brier score and calibration error in ten bins, both kinds of pairs weighing alike."""
    weight = {True: 0.5 / sum(same), False: 0.5 / (len(same) - sum(same))}
    bins = [[0, 0, 0] for _ in range(10)]
    brier = 0
    for odds, is_same in zip(log_odds, same):
        p = 1 / (1 + math.exp(-max(-700, min(700, odds))))
        w = weight[is_same]
        brier += w * (p - is_same) ** 2
        for k, value in enumerate((w, w * p, w * is_same)):
            bins[min(9, int(10 * p))][k] += value
    return brier, sum(abs(p - share) for _, p, share in bins)


def pairs_of(passages):
    return [(i, j) for i in range(len(passages)) for j in range(i + 1, len(passages))
            if passages[i]["book"] != passages[j]["book"]]


def fitted_scores(options, training, passages):
    """The same with odds that `trine same --fit` fitted on the held-out books of authors whom the model knows."""
    held_out = read(options.fit)
    authors = {document["author"] for document in held_out}
    known = passages_of(held_out + [d for d in training if d["author"] in authors], options.passages // 2, options.characters)
    with tempfile.TemporaryDirectory() as directory:
        texts, odds = f"{directory}/known.jsonl", f"{directory}/odds.json"
        with open(texts, "w", encoding="utf-8") as file:
            for passage in known:
                file.write(json.dumps({"text": passage["text"], "author": passage["author"], "work": passage["book"]}) + "\n")
        subprocess.run([options.program, "same", "--model", options.model, "--fit", texts, "--out", odds], check=True)
        return trine_scores(options.program, options.model, passages, ["--odds", odds])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("training")
    parser.add_argument("texts")
    parser.add_argument("--passages", type=int, default=8)
    parser.add_argument("--characters", type=int, default=8000)
    parser.add_argument("--fit")
    parser.add_argument("--json")
    options = parser.parse_args()
    passages = passages_of(read(options.texts), options.passages, options.characters)
    training = read(options.training)
    reference = [d["text"][:options.characters] for d in spread(training, REFERENCE)]
    pairs = pairs_of(passages)
    same = [passages[i]["author"] == passages[j]["author"] for i, j in pairs]
    found = trine_scores(options.program, options.model, passages)
    scores = {"trine": [found[pair] for pair in pairs]}
    for name, measure in (("delta", Delta(reference)), ("ngrams", Ngrams(reference))):
        own = [measure.of(passage["text"]) for passage in passages]
        scores[name] = [measure.score(own[i], own[j]) for i, j in pairs]
    print(f"{len(passages)} passages, {len({p['author'] for p in passages})} authors, {sum(same)} pairs of one author, "
          f"{len(same) - sum(same)} of two")
    report = {}
    for name, own in scores.items():
        low, high = interval(pairs, own, passages)
        report[name] = {"area": area(own, same), "low": low, "high": high}
        print(f"{name:8s} area {report[name]['area']:.3f} ({low:.3f} to {high:.3f})")
    brier, error = calibration(scores["trine"], same)
    print(f"trine's probabilities, at even odds: Brier {brier:.3f}, calibration error {error:.3f}")
    report["trine"].update({"brier": brier, "calibration_error": error})
    if options.fit:
        fitted = fitted_scores(options, training, passages)
        brier, error = calibration([fitted[pair] for pair in pairs], same)
        print(f"... with fitted odds: Brier {brier:.3f}, calibration error {error:.3f}")
        report["trine"].update({"fitted_brier": brier, "fitted_calibration_error": error})
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
