#!/usr/bin/env python3
"""What it costs to draw pictures with few patches: corpora are built with 64, 512 and 4096 of them, and every glyph is
compared with its nearest patches. Prints, for training and held-out glyphs, the root mean square of the difference in
greys of 16.

Usage: code_book.py PROGRAM GLYPHS OUT        (GLYPHS of glyphs.py; OUT takes the corpora)
"""

import json
import pathlib
import re
import sqlite3
import subprocess
import sys

import numpy
from PIL import Image

SIDE, CHUNK = 4, 4096


def patches_of(path):
    """Of one picture: [patches, 16] greys of 0 to 15."""
    levels = (numpy.asarray(Image.open(path), dtype=numpy.int64) * 15 + 127) // 255
    rows, columns = (size // SIDE for size in levels.shape)
    return levels.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).reshape(-1, SIDE * SIDE)


def book_of(corpus):
    with sqlite3.connect(f"file:{corpus}/catalogue.sqlite?mode=ro", uri=True) as base:
        spellings = [bytes(row[0]).decode("latin-1") for row in base.execute("select bytes from tokens where is_special = 1")]
    digits = [match[1] for match in (re.fullmatch(r"<\|patch ([0-9a-f]{16})\|>", text) for text in spellings) if match]
    return numpy.array([[int(digit, 16) for digit in patch] for patch in digits], dtype=numpy.float64)


def error(book, patches):
    distinct, counts = numpy.unique(patches, axis=0, return_counts=True)
    total = 0.0
    for start in range(0, len(distinct), CHUNK):
        some = distinct[start:start + CHUNK].astype(numpy.float64)
        squares = (some**2).sum(1)[:, None] - 2 * some @ book.T + (book**2).sum(1)[None, :]
        total += float((numpy.maximum(squares.min(1), 0) * counts[start:start + CHUNK]).sum())
    return (total / (len(patches) * SIDE * SIDE))**0.5


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    program, glyphs, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    with open(glyphs / "glyphs.jsonl", encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    splits = {name: numpy.concatenate([patches_of(glyphs / d["image"]) for d in documents if d["split"] == name])
              for name in ("training", "held out")}
    manifest = json.loads((glyphs / "manifest.json").read_text(encoding="utf-8"))
    for count in (64, 512, 4096):
        (out / "manifest.json").write_text(json.dumps(manifest | {"patches": count}), encoding="utf-8")
        subprocess.run([program, "corpus", "build", "--force", "--manifest", out / "manifest.json", "--out", out / str(count),
                        glyphs / "glyphs.jsonl"], check=True, stdout=subprocess.DEVNULL)
        book = book_of(out / str(count))
        print(f"{len(book)} patches: training {error(book, splits['training']):.2f}, held out {error(book, splits['held out']):.2f}")


if __name__ == "__main__":
    main()
