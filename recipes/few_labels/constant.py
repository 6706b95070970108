#!/usr/bin/env python3
"""What a sceptic would say of every held-out document without reading any: the median training year, and the labelled
training place from which the mean distance to all of them is least. Prints the median error of each.

Usage: constant.py MANIFEST FILE...        (MANIFEST: OUT/all-1/manifest.json of measure.sh; FILEs as it had them)
"""

import json
import math
import statistics
import sys

RADIUS = 6371.0  # kilometres


def distance(one, other):
    """Great-circle distance in kilometres by the haversine formula; places are degrees."""
    (a, b), (c, d) = ([math.radians(x) for x in place] for place in (one, other))
    return 2 * RADIUS * math.asin(math.sqrt(math.sin((c - a) / 2)**2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2)**2))


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        manifest = json.load(file)
    kept = set(manifest["held_out"]["documents"])
    training, held_out = [], []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            documents = [json.loads(line) for line in file]
        # the files are the training split and the held-out one, of which the manifest keeps some
        split = held_out if any(document["id"] in kept for document in documents) else training
        split += [d for d in documents if split is training or d["id"] in kept]
    year = statistics.median(d["date"] for d in training)
    print(f"date: {year:g} for all, median error {statistics.median(abs(d['date'] - year) for d in held_out):.1f} years")
    places = [(d["lat"], d["lon"]) for d in training if d.get("lat") is not None]
    best = min(set(places), key=lambda place: sum(distance(place, other) for other in places))
    errors = [distance(best, (d["lat"], d["lon"])) for d in held_out if d.get("lat") is not None]
    print(f"place: {best[0]:.2f},{best[1]:.2f} for all, median error {statistics.median(errors):.0f} km")


if __name__ == "__main__":
    main()
