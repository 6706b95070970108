#!/usr/bin/env python3
"""Makes the split on which settings are chosen: the held-out addresses of the recipe are left out altogether, and of each
author with at least two others, the middle one is held out in their place.

Usage: development_split.py DIR/package/data MANIFEST_OUT >FILES
then:  trine corpus build --manifest MANIFEST_OUT --out CORPUS $(cat FILES)
"""

import collections
import json
import pathlib
import sys


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    manifest = json.loads((pathlib.Path(__file__).parent / "manifest.json").read_text(encoding="utf-8"))
    test = set(manifest["held_out"]["documents"])
    by_author = collections.defaultdict(list)
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        name = f"{document['year']} {document['name']}"
        if name not in test:
            by_author[document["name"]].append(name)
            print(path)
    held_out = [sorted(names)[len(names) // 2] for names in by_author.values() if len(names) >= 2]
    manifest["held_out"] = {"documents": sorted(held_out)}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
