#!/usr/bin/env python3
"""What a model of typefaces reads in glyphs that it never saw, glyph by glyph, and pictures of what it writes.

  figures.py read PROGRAM MODEL OUT DIR [--fonts N]   `trine read` on the held-out glyphs and on the unseen typefaces of OUT
                                       (of N fonts each, by hash; ten glyphs of each), kept in DIR/readings.jsonl:
                                       interrupted, it goes on there. Prints, and writes to DIR/figures.json, what
                                       baseline.py prints
  figures.py letters PROGRAM MODEL OUT DIR DESIGNER...   DIR/letters.png: for each designer a row of letters as drawn and,
                                       below, a row as the model writes them
  figures.py strip PROGRAM MODEL DIR FROM TO [--letters abc]   DIR/strip.png: letters from one designer to another
"""

import argparse
import collections
import json
import math
import os
import pathlib
import subprocess
import tempfile

import numpy
from PIL import Image

import glyphs
from scoring import judge, year_errors

LETTERS = "RagQets"
SCALE, GAP = 3, 2
GLYPHS_EACH = 10  # of a font: as many as are held out; an unseen one has more


def documents_of(out, names):
    documents = []
    for name in names:
        with open(out / name, encoding="utf-8") as file:
            documents += [json.loads(line) for line in file]
    return documents


def run(*words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    return done.stdout


def reading_of(program, model, out, document):
    report = json.loads(run(program, "read", "--model", model, "--caption", document["character"], "--top", 1000,
                            out / document["image"], "--json"))
    slots = report["slots"]
    return {"id": document["id"], "author": {label["label"]: label["probability"] for label in slots["author"]},
            "year": slots["date"]["median"]}


def some_fonts(documents, count):
    families = sorted({d["family"] for d in documents}, key=lambda family: glyphs.share_of("figures", family))
    chosen = collections.defaultdict(list)
    for document in sorted(documents, key=lambda d: glyphs.share_of("figures", d["id"])):
        chosen[document["family"]].append(document)
    return [d for family in families[:count or None] for d in chosen[family][:GLYPHS_EACH]]


def readings(options, documents):
    """Of each document; those that an earlier run kept are not made again."""
    path = options.dir / "readings.jsonl"
    kept = {}
    if path.exists():
        with open(path, encoding="utf-8") as file:
            kept = {reading["id"]: reading for reading in map(json.loads, file)}
    with open(path, "a", encoding="utf-8") as file:
        for document in documents:
            if document["id"] not in kept:
                kept[document["id"]] = reading_of(options.program, options.model, options.out, document)
                file.write(json.dumps(kept[document["id"]], ensure_ascii=False) + "\n")
                file.flush()
    return kept


def read(options):
    documents = documents_of(options.out, ("glyphs.jsonl", "unseen.jsonl"))
    training = [d for d in documents if d["split"] == "training" and d["designer"]]
    names = sorted({d["designer"] for d in training})
    figures = {}
    for split in ("held out", "unseen"):
        own = some_fonts([d for d in documents if d["split"] == split and d["designer"]], options.fonts)
        found = readings(options, own)
        log_p = numpy.array([[math.log(max(found[d["id"]]["author"].get(name, 0), 1e-12)) for name in names] for d in own])
        figures[split] = judge(log_p, own, training, names)
        figures[split]["year"] = year_errors(numpy.array([found[d["id"]]["year"] for d in own]), own)
        for unit in ("glyph", "font"):
            f = figures[split][unit]
            print(f"reader, {split}, {f['count']} {unit}s: designer top-1 {f['top1']:.3f} top-5 {f['top5']:.3f} "
                  f"log loss {f['log_loss']:.3f}")
        year = figures[split]["year"]
        print(f"reader, {split}: year off by {year['glyph_mean']:.2f} on average of glyphs, {year['font_mean']:.2f} of fonts")
    (options.dir / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def write(options, letter, *words):
    """A picture that the model writes."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "a.png"
        run(options.program, "write", "--model", options.model, "--image", "--prompt", letter, "--out", path,
            "--temperature", options.temperature, "--seed", options.seed, *words)
        return Image.open(path).convert("L").copy()


def sheet(rows):
    """Rows of pictures, magnified, on white."""
    width = max(sum(picture.width + GAP for picture in row) for row in rows)
    page = Image.new("L", (width, sum(max(p.height for p in row) + GAP for row in rows)), 255)
    top = 0
    for row in rows:
        left = 0
        for picture in row:
            page.paste(picture, (left, top))
            left += picture.width + GAP
        top += max(p.height for p in row) + GAP
    return page.resize((page.width * SCALE, page.height * SCALE), Image.NEAREST)


def letters(options):
    documents = collections.defaultdict(dict)
    for document in documents_of(options.out, ("glyphs.jsonl",)):
        documents[document["designer"]].setdefault(document["character"], document)
    rows = []
    for designer in options.designers:
        own = documents[designer]
        rows.append([Image.open(options.out / own[letter]["image"]) for letter in options.letters])
        rows.append([write(options, letter, "--author", designer, "--width", 24, "--height", 24) for letter in options.letters])
    sheet(rows).save(options.dir / "letters.png")


def strip(options):
    path = f"author={options.designers[0]}..{options.designers[1]}:0.125"
    sheet([[write(options, letter, "--sweep", path, "--width", 24, "--height", 24)] for letter in options.letters]).save(
        options.dir / "strip.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("read", "letters", "strip"))
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("rest", nargs="+", metavar="[OUT] DIR [DESIGNER...]")
    parser.add_argument("--fonts", type=int, default=0, metavar="N")
    parser.add_argument("--letters", default=LETTERS)
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.what != "strip":
        options.out = pathlib.Path(options.rest.pop(0))
    if not options.rest or options.what == "strip" and len(options.rest) != 3:
        parser.error("see --help")
    options.dir, options.designers = pathlib.Path(options.rest[0]), options.rest[1:]
    options.program = options.program.resolve()
    options.dir.mkdir(parents=True, exist_ok=True)
    {"read": read, "letters": letters, "strip": strip}[options.what](options)


if __name__ == "__main__":
    main()
