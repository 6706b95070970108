#!/usr/bin/env python3
"""Chooses the held-out addresses of this recipe and writes them into its manifest.

Of each author with at least three addresses one is held out: the one whose identifier ("YEAR NAME") has the smallest
SHA-256 after the seed.  A hash rather than a random generator, so that the choice depends on nothing but the identifier:
not on Python's version, not on the order of files, and, for one author, not on any other author.

Usage: choose_held_out.py DIR/package/data [--check] [--manifest FILE]
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import sys

SEED = "trine sotu 1"
FEWEST_ADDRESSES = 3


def identifier(document):
    return f"{document['year']} {document['name']}"


def read_documents(directory):
    paths = sorted(directory.glob("*.json"))
    if not paths:
        raise SystemExit(f"{directory}: no addresses here: run fetch.sh first")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def require_distinct(documents):
    """One identifier or one text twice would let a held-out address be trained on."""
    for what, key in (("identifier", identifier), ("text", lambda d: " ".join(d["text"].lower().split()))):
        seen = {}
        for document in documents:
            first = seen.setdefault(key(document), document)
            if first is not document:
                raise SystemExit(f"the same {what} twice: {identifier(first)}, {identifier(document)}")


def choose(documents):
    by_author = collections.defaultdict(list)
    for document in documents:
        by_author[document["name"]].append(identifier(document))

    def order(name):
        return hashlib.sha256(f"{SEED}\0{name}".encode()).digest()

    return sorted(min(names, key=order) for names in by_author.values() if len(names) >= FEWEST_ADDRESSES)


def dump(manifest):
    """Two-space JSON, with the small inner objects on one line each as a person would write them."""
    lines = []
    for key, value in manifest.items():
        if key == "slots":
            inner = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f'  "slots": {{\n{inner}\n  }}')
        elif key == "held_out":
            inner = ",\n".join(f"      {json.dumps(name)}" for name in value["documents"])
            lines.append(f'  "held_out": {{\n    "documents": [\n{inner}\n    ]\n  }}')
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path, help="directory of the addresses, from fetch.sh")
    parser.add_argument("--manifest", type=pathlib.Path, default=pathlib.Path(__file__).with_name("manifest.json"))
    parser.add_argument("--check", action="store_true", help="compare with the manifest and write nothing")
    arguments = parser.parse_args()

    documents = read_documents(arguments.data)
    require_distinct(documents)
    chosen = choose(documents)
    manifest = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    if arguments.check:
        if manifest["held_out"]["documents"] != chosen:
            raise SystemExit(f"{arguments.manifest}: its held-out list is not the one this script chooses")
    else:
        manifest["held_out"] = {"documents": chosen}
        partial = arguments.manifest.with_name(arguments.manifest.name + ".partial")
        partial.write_text(dump(manifest), encoding="utf-8")
        os.replace(partial, arguments.manifest)
    print(f"{len(documents)} addresses, {len(chosen)} held out", file=sys.stderr)


if __name__ == "__main__":
    main()
