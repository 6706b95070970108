#!/usr/bin/env python3
"""Classical baselines for reading an author and a date: what the dream layer's reader has to beat.

Author, among all authors with a training document:
  svm    character 3-5-grams, TF-IDF with log counts, linear support vector machine
  delta  Burrows's Delta: mean distance of the z-scores of the most frequent words from each author's
Date:
  ridge  ridge regression of the year on the same TF-IDF

Each held-out document is judged whole ("document"), in pieces ("piece") and by the mean score of its pieces
("document_by_pieces": a model trained on pieces expects their sparse counts).  svm and ridge are trained twice, on whole
training documents and on pieces of them; C and alpha are chosen for each by cross-validation over training documents,
pieces of one document never on both sides.  Every result is written; "best" is the better of the two on the held-out
documents, which flatters the baseline a little: that is the side to err on.

Usage: baselines.py RECIPE/manifest.json DIR/package/data [--pieces FILE] [--out FILE]
"""

import argparse
import json
import os
import pathlib
import platform
import re
import sys
import time
import warnings

for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[name]  # a forced core type would describe another machine; before numpy loads its BLAS

import numpy as np
import scipy
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

PIECE_CHARACTERS = 1200
DELTA_WORDS = 300
VARIANTS = ("trained_on_pieces", "trained_on_documents")
UNITS = ("document", "document_by_pieces", "piece")
SEED = 1
FOLDS = 3
C_GRID = (1.0, 3.0, 10.0)
ALPHA_GRID = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


class Samples:
    """Texts with the author and year of the document each comes from."""

    def __init__(self, pairs):
        self.text = [text for _, text in pairs]
        self.document = np.array([document["id"] for document, _ in pairs])
        self.author = np.array([document["author"] for document, _ in pairs])
        self.year = np.array([document["year"] for document, _ in pairs], dtype=float)

    def __len__(self):
        return len(self.text)


def read_documents(manifest, directory):
    """The recipe's documents as dictionaries of id, author, year and text, ordered by id."""
    author_field = manifest["slots"]["author"]["field"]
    date_field = manifest["slots"]["date"]["field"]
    documents = []
    for path in sorted(directory.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        documents.append({
            "id": " ".join(str(record[field]) for field in manifest["id"]),
            "author": record[author_field],
            "year": int(record[date_field]),
            "text": record[manifest["text"]],
        })
    if not documents:
        raise SystemExit(f"{directory}: no documents here")
    documents.sort(key=lambda document: document["id"])
    return documents


def split_documents(manifest, documents):
    held_out_ids = set(manifest["held_out"]["documents"])
    unknown = held_out_ids - {document["id"] for document in documents}
    if unknown:
        raise SystemExit(f"held out but not among the documents: {', '.join(sorted(unknown))}")
    training = [document for document in documents if document["id"] not in held_out_ids]
    held_out = [document for document in documents if document["id"] in held_out_ids]
    stranger = {document["author"] for document in held_out} - {document["author"] for document in training}
    if stranger:
        raise SystemExit(f"held-out authors without a training document: {', '.join(sorted(stranger))}")
    return training, held_out


def cut(text):
    """Equal pieces of whole words, as near to PIECE_CHARACTERS as the text allows: no short last one."""
    count = max(1, round(len(text) / PIECE_CHARACTERS))
    edges = [0]
    for i in range(1, count):
        edge = text.find(" ", len(text) * i // count)
        edges.append(len(text) if edge < 0 else edge)
    edges.append(len(text))
    return [piece for a, b in zip(edges, edges[1:]) if (piece := text[a:b].strip())]


def whole_of(documents):
    return Samples([(document, document["text"]) for document in documents])


def pieces_of(documents):
    return Samples([(document, piece) for document in documents for piece in cut(document["text"])])


def read_pieces(path, held_out):
    """Held-out pieces cut by somebody else (the trained model, say), so that both judge the same texts."""
    by_id = {document["id"]: document for document in held_out}
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            document, text = by_id[record["document"]], record["text"]
        except KeyError as error:
            raise SystemExit(f"{path}:{number}: {error} is missing or no held-out document") from None
        except (ValueError, TypeError):
            raise SystemExit(f'{path}:{number}: not an object {{"document": id, "text": ...}}') from None
        pairs.append((document, text))
    absent = len(by_id) - len({document["id"] for document, _ in pairs})
    if absent:
        print(f"{path}: no piece of {absent} of the {len(by_id)} held-out documents", file=sys.stderr)
    if not pairs:
        raise SystemExit(f"{path}: no pieces")
    return Samples(pairs)


def make_vectorizer():
    return TfidfVectorizer(
        analyzer="char", ngram_range=(3, 5), sublinear_tf=True, min_df=2, max_features=200_000, dtype=np.float32)


def top_k(scores, classes, truth):
    """Shares of rows whose true class is the highest scoring, and among the five highest."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    hit = classes[order] == truth[:, None]
    return {"top1": round(float(hit[:, 0].mean()), 4), "top5": round(float(hit.any(axis=1).mean()), 4)}


def median_error(predicted, year):
    return round(float(np.median(np.abs(predicted - year))), 2)


def fit_svm(x, samples, strength):
    model = LinearSVC(C=strength, tol=1e-3, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return model.fit(x, samples.author)


def fit_ridge(x, samples, strength):
    return Ridge(alpha=strength, solver="sparse_cg", tol=1e-4, random_state=SEED).fit(x, samples.year)


def choose(fit, loss, grid, x, samples):
    """The strength with the least mean loss over folds of training documents, and every loss."""
    total = np.zeros(len(grid))
    splits = list(GroupKFold(FOLDS, shuffle=True, random_state=SEED).split(x, groups=samples.document))
    for train, test in splits:
        subset = Samples.__new__(Samples)
        subset.author, subset.year = samples.author[train], samples.year[train]
        for i, strength in enumerate(grid):
            total[i] += loss(fit(x[train], subset, strength), x[test], samples.author[test], samples.year[test])
    losses = total / len(splits)
    best = int(np.argmin(losses))
    return grid[best], {str(strength): round(float(value), 4) for strength, value in zip(grid, losses)}


def svm_loss(model, x, author, _year):
    return float(np.mean(model.predict(x) != author))


def ridge_loss(model, x, _author, year):
    return float(np.median(np.abs(model.predict(x) - year)))


def mean_by_document(scores, samples, whole):
    """The mean score of each document's pieces, in the order of whole."""
    return np.stack([scores[samples.document == name].mean(axis=0) for name in whole.document])


def run_tfidf(training, whole, whole_cut, pieces):
    """svm and ridge trained on one set of samples, judged on held-out documents, their pieces together, and each piece."""
    vectorizer = make_vectorizer()
    # Fitted once for all folds: document frequencies of a fold's test part carry no labels.
    x = vectorizer.fit_transform(training.text)
    x_whole, x_cut, x_pieces = (vectorizer.transform(samples.text) for samples in (whole, whole_cut, pieces))

    def judge(score, measure):
        return dict(zip(UNITS, (measure(score(x_whole), whole),
                                measure(mean_by_document(score(x_cut), whole_cut, whole), whole),
                                measure(score(x_pieces), pieces))))

    c, c_losses = choose(fit_svm, svm_loss, C_GRID, x, training)
    svm = fit_svm(x, training, c)
    alpha, alpha_losses = choose(fit_ridge, ridge_loss, ALPHA_GRID, x, training)
    ridge = fit_ridge(x, training, alpha)
    return {
        "samples": len(training),
        "features": x.shape[1],
        "svm": {
            "C": c, "cross_validation_error": c_losses,
            **judge(svm.decision_function, lambda scores, samples: top_k(scores, svm.classes_, samples.author)),
        },
        "ridge": {
            "alpha": alpha, "cross_validation_median_years": alpha_losses,
            **judge(ridge.predict, lambda years, samples: {"median_years": median_error(years, samples.year)}),
        },
    }


def word_shares(texts, words):
    index = {word: i for i, word in enumerate(words)}
    shares = np.zeros((len(texts), len(words)))
    for row, text in zip(shares, texts):
        tokens = WORD.findall(text.lower())
        for token in tokens:
            if token in index:
                row[index[token]] += 1
        row /= max(1, len(tokens))
    return shares


def run_delta(training, whole, pieces):
    """Burrows 2002, Literary and Linguistic Computing 17(3).  An author is the mean z-score of their documents."""
    count = {}
    for text in training.text:
        for word in WORD.findall(text.lower()):
            count[word] = count.get(word, 0) + 1
    words = sorted(count, key=lambda word: (-count[word], word))[:DELTA_WORDS]
    shares = word_shares(training.text, words)
    mean, deviation = shares.mean(axis=0), shares.std(axis=0)
    deviation[deviation == 0] = 1
    z = (shares - mean) / deviation
    classes = np.unique(training.author)
    centres = np.stack([z[training.author == author].mean(axis=0) for author in classes])

    def judge(samples):
        z_samples = (word_shares(samples.text, words) - mean) / deviation
        scores = np.stack([-np.abs(row - centres).mean(axis=1) for row in z_samples])
        return top_k(scores, classes, samples.author)

    return {"words": len(words), "document": judge(whole), "piece": judge(pieces)}


def better(results, method, unit):
    """The better of the two training variants; ties go to pieces."""
    def key(trained_on):
        numbers = results[trained_on][method][unit]
        return (numbers["median_years"],) if method == "ridge" else (-numbers["top1"], -numbers["top5"])

    trained_on = min(VARIANTS, key=key)
    return {"variant": trained_on, **results[trained_on][method][unit]}


def print_table(report):
    held_out = report["held_out"]
    print(f"{report['authors']} authors, {report['training']['documents']} training documents; held out "
          f"{held_out['documents']} documents, {held_out['pieces']} pieces ({held_out['pieces_from']}, "
          f"mean {held_out['piece_mean_characters']} characters)")
    print(f"{'':28}" + "".join(f"{unit.replace('_', ' '):>22}" for unit in UNITS))

    def row(label, results):
        cells = []
        for unit in UNITS:
            numbers = results.get(unit, {})
            cells.append(f"{numbers['median_years']:.1f} years" if "median_years" in numbers else
                         f"{numbers['top1']:.3f} / {numbers['top5']:.3f}" if numbers else "-")
        print(f"{label:28}" + "".join(f"{cell:>22}" for cell in cells))

    for trained_on in VARIANTS:
        for method in ("svm", "ridge"):
            row(f"{method}, {trained_on.replace('_', ' ')}", report[trained_on][method])
    row("delta", report["delta"])


def write_json(path, report):
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path, help="directory of the documents, one JSON object a file")
    parser.add_argument("--pieces", type=pathlib.Path, help='held-out pieces, JSON lines {"document": id, "text": ...}')
    parser.add_argument("--out", type=pathlib.Path, help="write everything as JSON")
    arguments = parser.parse_args()

    start = time.perf_counter()
    manifest = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    training, held_out = split_documents(manifest, read_documents(manifest, arguments.data))
    whole = whole_of(held_out)
    whole_cut = pieces_of(held_out)  # all of each document, even where --pieces has less
    pieces = read_pieces(arguments.pieces, held_out) if arguments.pieces else whole_cut
    report = {
        "recipe": manifest["name"],
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                     "scikit-learn": sklearn.__version__},
        "authors": len({document["author"] for document in training}),
        "training": {"documents": len(training)},
        "held_out": {"documents": len(whole), "pieces": len(pieces),
                     "pieces_from": arguments.pieces.name if arguments.pieces else f"cut at {PIECE_CHARACTERS}",
                     "piece_mean_characters": round(float(np.mean([len(text) for text in pieces.text])))},
        "trained_on_pieces": run_tfidf(pieces_of(training), whole, whole_cut, pieces),
        "trained_on_documents": run_tfidf(whole_of(training), whole, whole_cut, pieces),
        "delta": run_delta(whole_of(training), whole, pieces),
    }
    report["best"] = {f"{method}_{unit}": better(report, method, unit)
                      for method in ("svm", "ridge") for unit in UNITS}
    report["seconds"] = round(time.perf_counter() - start, 1)
    print_table(report)
    if arguments.out:
        write_json(arguments.out, report)


if __name__ == "__main__":
    main()
