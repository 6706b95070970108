#!/usr/bin/env python3
"""Splits a file of books (JSON lines: id, author, title, section, date, lat, lon, form, text) for the ebooks recipe.

By book, never by chapter: the names in a book give it away. Of the authors with at least two books, those whose name has
one of the smallest third of SHA-256 hashes (after the seed) are UNSEEN: no training document is by them. Of every other
author with two books one book is HELD OUT, again by hash. The rest is the training split.

Usage: split.py BOOKS.jsonl OUT
writes OUT/training.jsonl, OUT/held_out.jsonl, OUT/unseen.jsonl and OUT/manifest.json, for
       trine corpus build --manifest OUT/manifest.json --out CORPUS OUT/training.jsonl OUT/held_out.jsonl
"""

import argparse
import collections
import hashlib
import json
import pathlib

SEED = "trine ebooks 1"


def share_of(*parts):
    """A number in [0, 1) that depends on the texts alone."""
    digest = hashlib.sha256("\0".join((SEED,) + parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def choose(documents):
    """The authors who are unseen, and the books that are held out."""
    books = collections.defaultdict(set)
    for document in documents:
        books[document["author"]].add(document["title"])
    several = sorted((name for name in books if len(books[name]) >= 2), key=lambda name: share_of("author", name))
    unseen = set(several[:len(several) // 3])
    held_out = {(name, min(books[name], key=lambda title: share_of("book", name, title))) for name in several[len(unseen):]}
    return unseen, held_out


def manifest_of(held_out):
    return {"name": "Books", "text": "text", "id": ["id"], "vocabulary": 2048,
            "slots": {"author": {"kind": "categorical", "field": "author"},
                      "date": {"kind": "date", "field": "date"},
                      "form": {"kind": "categorical", "field": "form"},
                      "place": {"kind": "place", "fields": ["lat", "lon"]}},
            "held_out": {"documents": sorted(document["id"] for document in held_out)}}


def save(path, documents):
    with open(path, "w", encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("books")
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    with open(options.books, encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    unseen_authors, held_out_books = choose(documents)
    parts = collections.defaultdict(list)
    for document in documents:
        part = ("unseen" if document["author"] in unseen_authors else
                "held_out" if (document["author"], document["title"]) in held_out_books else "training")
        parts[part].append(document)
    options.out.mkdir(parents=True, exist_ok=True)
    for part in ("training", "held_out", "unseen"):
        save(options.out / f"{part}.jsonl", parts[part])
        print(f"{part}: {len(parts[part])} documents, {len({d['author'] for d in parts[part] if d['author']})} authors")
    (options.out / "manifest.json").write_text(json.dumps(manifest_of(parts["held_out"]), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
