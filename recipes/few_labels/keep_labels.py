#!/usr/bin/env python3
"""Takes the labels off most training documents of a corpus, for the experiment with few labels.

Usage: keep_labels.py MANIFEST SHARE OUT FILE... [--labelled-only] [--held-out N]

Reads JSON lines as the manifest says and writes OUT/documents.jsonl and OUT/manifest.json. Held-out documents (the manifest's list of
them) stay as they are; --held-out keeps one in N of them, by hash. Of the training documents a share keeps its labels, chosen by a hash
of the identifier, so that a smaller share is a part of a larger one; of the others every field of every slot becomes null, or with
--labelled-only they are left out.
"""

import argparse
import hashlib
import json
import pathlib

SEED = "trine few labels 1"


def share_of(*parts):
    """A number in [0, 1) that depends on the texts alone."""
    digest = hashlib.sha256("\0".join((SEED,) + parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def fields_of(manifest):
    return {field for slot in manifest["slots"].values() for field in slot.get("fields", [slot.get("field")])}


def documents_of(manifest, files):
    """Every document; its identifier moves to a field of its own, since it may be made of labels."""
    for path in files:
        with open(path, encoding="utf-8") as file:
            for line in file:
                document = json.loads(line)
                document["id"] = " ".join(str(document[field]) for field in manifest["id"])
                yield document


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("share", type=float)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--labelled-only", action="store_true")
    parser.add_argument("--held-out", type=int, default=1, metavar="N")
    options = parser.parse_args()
    manifest = json.loads(options.manifest.read_text(encoding="utf-8"))
    held_out, fields = set(manifest["held_out"]["documents"]), fields_of(manifest)
    kept_held_out = sorted(name for name in held_out if share_of("held out", name) < 1 / options.held_out)
    kept = stripped = 0
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "documents.jsonl", "w", encoding="utf-8") as out:
        for document in documents_of(manifest, options.files):
            name = document["id"]
            if name in held_out:
                if name not in kept_held_out:
                    continue
            elif share_of("label", name) < options.share:
                kept += 1
            else:
                stripped += 1
                if options.labelled_only:
                    continue
                document.update(dict.fromkeys(fields - {"id"}))
            out.write(json.dumps(document, ensure_ascii=False) + "\n")
    manifest.update(id=["id"], held_out={"documents": kept_held_out})
    (options.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    print(f"{options.out}: {kept} training documents keep their labels, {stripped} "
          + ("are left out" if options.labelled_only else "lose them") + f"; {len(kept_held_out)} held out")


if __name__ == "__main__":
    main()
