#!/usr/bin/env python3
"""Opinions of a trader who believes the contrary of every verdict (src/truth/opinions.h).

Usage: liar.py BASE.jsonl >OPINIONS.jsonl
then:  trine market run --beliefs BASE.jsonl --opinions OPINIONS.jsonl --out MARKET
"""

import json
import sys

SURE = 0.95


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in map(json.loads, filter(str.strip, file)):
            if line.get("verdict") is not None:
                # A formula has no other name than its id.
                sentence = line.get("id") or line.get("sentence")
                if sentence is None:
                    raise SystemExit(f"{sys.argv[1]}: a formula with a verdict has no id: {line['formula']}")
                belief = round(1 - SURE, 6) if line["verdict"] else SURE
                print(json.dumps({"trader": "liar", "sentence": sentence, "belief": belief}))


if __name__ == "__main__":
    main()
