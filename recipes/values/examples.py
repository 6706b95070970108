#!/usr/bin/env python3
"""Contrasting replies as examples that say with which values they are given, for `trine good train --examples`.

Usage: examples.py [--held-out] [--end high|low] NAME.jsonl...

Of any four pairs the last is held out.  --end: one end alone, without values, for `trine values`.
"""

import argparse
import json
import pathlib


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--end", choices=("high", "low"))
    arguments = parser.parse_args()
    for path in arguments.files:
        pairs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for i, pair in enumerate(pairs):
            if (i % 4 == 3) != arguments.held_out:
                continue
            for end, value in (("high", 1), ("low", -1)):
                if arguments.end is None:
                    print(json.dumps({"prompt": pair["prompt"], "reply": pair[end], "values": {path.stem: value}}))
                elif arguments.end == end:
                    print(json.dumps({"prompt": pair["prompt"], "reply": pair[end]}))


if __name__ == "__main__":
    main()
