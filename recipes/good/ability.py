#!/usr/bin/env python3
"""Instructions with their reply and with another's, as pairs: whether an author still knows which belongs.

Usage: ability.py [COUNT] <INSTRUCTIONS.jsonl >PAIRS.jsonl      (COUNT: 200)

INSTRUCTIONS: {"instruction", "context", "response", "category"} a line, as databricks-dolly-15k has them.  The other reply is
that of the next instruction of the same category, in the order of their hashes.
"""

import collections
import hashlib
import json
import sys

LONGEST = 700  # characters of instruction and context, and of a reply


def main():
    if len(sys.argv) > 2 or (len(sys.argv) == 2 and not sys.argv[1].isdigit()):
        raise SystemExit(__doc__)
    count = int(sys.argv[1]) if len(sys.argv) == 2 else 200
    categories = collections.defaultdict(list)
    for line in sys.stdin:
        item = json.loads(line)
        prompt = "\n\n".join(text for text in (item["instruction"], item.get("context")) if text)
        if len(prompt) <= LONGEST and 0 < len(item["response"]) <= LONGEST:
            categories[item.get("category", "")].append((prompt, item["response"]))
    pairs = []
    for items in categories.values():
        items.sort(key=lambda item: hashlib.sha256(item[0].encode("utf-8")).digest())
        pairs += [{"prompt": prompt, "chosen": response, "rejected": other}
                  for (prompt, response), (_, other) in zip(items, items[1:] + items[:1]) if response != other]
    pairs.sort(key=lambda pair: hashlib.sha256(pair["prompt"].encode("utf-8")).digest())
    for pair in pairs[:count]:
        print(json.dumps(pair, ensure_ascii=False))


if __name__ == "__main__":
    main()
