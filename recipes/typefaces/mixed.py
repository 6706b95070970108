#!/usr/bin/env python3
"""Two corpora that share their texts: addresses on the State of the Union alone, and the same with glyphs among them.

Usage: mixed.py ADDRESSES GLYPHS OUT [--share N]      ADDRESSES: the folder of JSON files that recipes/sotu/fetch.sh fetches
                                                    GLYPHS: what glyphs.py wrote; of its training glyphs every Nth (4)
writes GLYPHS/text.jsonl, GLYPHS/mixed.jsonl (image paths are relative, so they stand beside the pictures), OUT/mixed.json
"""

import argparse
import json
import pathlib

SOTU = pathlib.Path(__file__).parent.parent / "sotu" / "manifest.json"


def texts(folder):
    held_out = set(json.loads(SOTU.read_text(encoding="utf-8"))["held_out"]["documents"])
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        name = f"{document['year']} {document['name']}"
        yield {"id": name, "text": document["text"], "author": document["name"], "year": document["year"], "image": None,
               "split": "held out" if name in held_out else "training"}


def pictures(path, share):
    with open(path, encoding="utf-8") as file:
        training = [d for d in map(json.loads, file) if d["split"] == "training"]
    for d in training[::share]:
        yield {"id": d["id"], "text": d["text"], "author": d["designer"], "year": d["year"], "image": d["image"], "split": d["split"]}


def save(path, documents):
    with open(path, "w", encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("addresses", type=pathlib.Path)
    parser.add_argument("glyphs", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--share", type=int, default=4)
    options = parser.parse_args()
    text, glyphs = list(texts(options.addresses)), list(pictures(options.glyphs / "glyphs.jsonl", options.share))
    save(options.glyphs / "text.jsonl", text)
    save(options.glyphs / "mixed.jsonl", text + glyphs)
    manifest = {"name": "Addresses and typefaces", "text": "text", "id": ["id"], "vocabulary": 2048, "image": "image", "patches": 512,
                "slots": {"author": {"kind": "categorical", "field": "author"}, "date": {"kind": "date", "field": "year"}},
                "held_out": {"field": "split", "value": "held out"}}
    (options.out / "mixed.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    print(f"{len(text)} addresses, {len(glyphs)} glyphs")


if __name__ == "__main__":
    main()
