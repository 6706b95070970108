#!/usr/bin/env python3
"""Belief bases of public true/false statements, for a market and for measuring a truth author on an open checkpoint.

Usage: statements.py DATA_DIR OUT_DIR

DATA_DIR holds geometry_of_truth, internal_state_probes, common_claim, creak and counterfact (.jsonl.zst).  Written are

  base-F-sS.jsonl        belief base of the training topics; a share F of the statements, drawn with seed S, has a
                         verdict, on a day from 1 to 10; the draw for a smaller F is a part of that for a larger one,
                         and a tenth has none even at F = 1.  Laws hold from day 0.
  unresolved-F-sS.jsonl  statements of it that have no verdict: {"id", "statement", "family", "label", "settled"}; at
                         most 600, those of a larger F among those of a smaller one.  Settled: it follows from the
                         verdicts, as far as one law after another tells.
  calibrate.jsonl        belief base of further statements of the training topics, with verdicts and laws
  held_out.jsonl         belief base of topics that are in none of the others, with verdicts and laws
"""

import argparse
import collections
import itertools
import json
import pathlib
import re
import subprocess

from bases import Base, balanced, same, shuffled, tidy, write_all

FILES = ("geometry_of_truth", "internal_state_probes", "common_claim", "creak", "counterfact")
CITIES = 180  # whose conjunctions and disjunctions are taken
NEGATED = 110  # of them, with one true and one false statement each
COMPOSED = 130
NUMBER_PAIRS = 90  # unordered
TRANSITIVE = 60
PLAIN = {"animals": 110, "elements": 110, "inventions": 110, "common_claim": 220, "creak_train": 220}
CALIBRATE = {"cities": 30, "larger_than": 20, "animals": 20, "elements": 20, "inventions": 20, "common_claim": 20}
CALIBRATE |= {"creak_train": 20}
HELD_OUT = 130  # of each of five topics
COMPOSED_HELD_OUT = 24  # of each of five topics and connectives
COMPOSED_CALIBRATE = 8  # of each topic and connective
# Capitals called as their countries are, of which the set says that they are no cities.
CITY_STATES = {"Djibouti", "Gibraltar", "Guatemala", "Kuwait", "Luxembourg", "Mexico", "Monaco", "Panama", "San Marino"}
CITY_STATES |= {"Singapore", "Vatican City"}


def read_sets(directory):
    """Set name -> rows with tidy statements; statements with two labels, or none, are left out."""
    sets = collections.defaultdict(dict)
    noisy = set()
    for name in FILES:
        path = directory / f"{name}.jsonl.zst"
        text = subprocess.run(["zstd", "-dc", path], check=True, stdout=subprocess.PIPE).stdout.decode("utf-8")
        for row in map(json.loads, text.splitlines()):
            row["statement"] = tidy(row["statement"])
            key = same(row["statement"])
            if row["label"] is None or row.get("agreement", 1.0) < 1.0:
                continue
            if sets[row["set"]].setdefault(key, row)["label"] is not row["label"]:
                noisy.add((row["set"], key))
    for name, key in noisy:
        del sets[name][key]
    return {name: list(rows.values()) for name, rows in sets.items()}


def city_of(statement):
    return re.match(r"The city of (.*) is in (.*)\.$", statement)[1]


def add_cities(base, sets):
    """Returns the cities that are spoken of."""
    entities = shuffled({row["entity"] for row in sets["cities"]}, "cities")
    pool, negated = set(entities[:CITIES]), set(entities[:NEGATED])
    by_city = collections.defaultdict(list)

    def add(statement, label):
        if base.find(statement) is None:
            by_city[city_of(statement)].append(base.add("cities", statement, label))
        return base.find(statement)

    for row in sets["cities"]:
        if row["entity"] in negated:
            add(row["statement"], row["label"])
    for row in sets["neg_cities"]:
        if row["entity"] in negated:
            name = base.add("neg_cities", row["statement"], row["label"])
            base.constrain("{} iff not {}", name, base.find(row["parts"][0]["statement"]))
    for family, law in (("cities_conj", "{} iff {} and {}"), ("cities_disj", "{} iff {} or {}")):
        rows = [r for r in sets[family] if all(city_of(part["statement"]) in pool for part in r["parts"])]
        for row in balanced(rows, COMPOSED, family):
            parts = [add(part["statement"], part["label"]) for part in row["parts"]]
            if len(set(parts)) == 2:
                name = base.add(family, row["statement"], row["label"])
                base.constrain(law, name, *parts)
    for names in by_city.values():
        for a, b in itertools.combinations(names, 2):
            base.constrain("not ({} and {})", a, b)
    return pool


def add_numbers(base, sets):
    """Returns the pairs of numbers that are compared."""
    rows = {(family, r["n1"], r["n2"]): r for family in ("larger_than", "smaller_than") for r in sets[family]}
    chosen = shuffled({(a, b) for _, a, b in rows if a < b}, "numbers")[:NUMBER_PAIRS]
    name = {}
    for a, b in chosen:
        for family, n1, n2 in itertools.product(("larger_than", "smaller_than"), (a, b), (a, b)):
            if n1 != n2:
                row = rows[family, n1, n2]
                name[family, n1, n2] = base.add(family, row["statement"], row["label"])
        for n1, n2 in ((a, b), (b, a)):
            base.constrain("{} iff {}", name["larger_than", n1, n2], name["smaller_than", n2, n1])
        base.constrain("not ({} and {})", name["larger_than", a, b], name["larger_than", b, a])
    larger = {(a, b) for family, a, b in name if family == "larger_than"}
    triples = [(a, b, c) for a, b in larger for b2, c in larger if b == b2 and c != a and (a, c) in larger]
    for a, b, c in shuffled(triples, "transitive")[:TRANSITIVE]:
        chain = (name["larger_than", n1, n2] for n1, n2 in ((a, b), (b, c), (a, c)))
        base.constrain("{} and {} implies {}", *chain)
    return larger


def held_out_topics(sets, base):
    held_out = Base("public sets")

    def add(family, row):
        return None if base.find(row["statement"]) else held_out.add(family, row["statement"], row["label"])

    for row in balanced(sets["sp_en_trans"], HELD_OUT, "sp_en_trans"):
        add("sp_en_trans", row)
    for row in sets["neg_sp_en_trans"]:
        part = held_out.find(row["parts"][0]["statement"])
        if part is not None:
            held_out.constrain("{} iff not {}", add("neg_sp_en_trans", row), part)
    for row in balanced(sets["companies"], HELD_OUT, "companies"):
        add("companies", row)
    for row, negation in shuffled(fact_pairs(sets), "facts", lambda pair: pair[0]["statement"])[:HELD_OUT]:
        if not base.find(row["statement"]) and not base.find(negation["statement"]):
            held_out.constrain("{} iff not {}", add("neg_facts", negation), add("facts", row))
    cities = {s["statement"].split(" is in ")[0][12:] for s in base.statements.values() if s["family"] == "cities"}
    rows = [r for r in sets["capitals"] if r["statement"].split(" is a ")[0] not in CITY_STATES | cities]
    for row in balanced(rows, HELD_OUT, "capitals"):
        add("capitals", row)
    by_subject = collections.defaultdict(dict)
    for row in sets["counterfact"]:
        by_subject[row["subject"], row["relation"]][row["label"]] = row
    pairs = [rows for rows in by_subject.values() if len(rows) == 2]
    for rows in shuffled(pairs, "counterfact", lambda rows: rows[True]["statement"])[: HELD_OUT // 2]:
        held_out.constrain("not ({} and {})", add("counterfact", rows[True]), add("counterfact", rows[False]))
    words = {w for r in sets["facts"] for w in r["statement"].split()[1:]}
    common = {word for word in words if word.islower()}
    for family in ("sp_en_trans", "companies", "facts", "capitals", "counterfact"):
        held_out.compose(family, COMPOSED_HELD_OUT, common if family == "facts" else frozenset(), with_not=True)
    return held_out


def affirmed(text):
    """What a statement would say without one of its negations, spelled as it may be."""
    plain = {"isn't": "is", "aren't": "are", "wasn't": "was", "weren't": "were", "can't": "can", "cannot": "can"}
    plain |= {f"{verb} not": verb for verb in ("is", "are", "was", "were", "can")}
    for found in re.finditer(r"\b(?:(?:is|are|was|were|can|do|does)(?:n't| not)|can't|cannot)\b", text):
        before, after, negation = text[: found.start()], text[found.end() :].lstrip(), found[0]
        if negation in plain:
            yield f"{before}{plain[negation]} {after}"
        elif negation.startswith("does"):
            verb, _, rest = after.partition(" ")
            for form in (verb + "s", verb + "es", verb[:-1] + "ies", "has" if verb == "have" else verb):
                yield f"{before}{form} {rest}"
        else:
            yield before + after


def fact_pairs(sets):
    """Statements with their exact negations, which have the other label."""
    rows = {same(r["statement"]): r for r in sets["neg_facts"] + sets["facts"]}
    for negation in sets["neg_facts"]:
        for text in affirmed(negation["statement"]):
            row = rows.get(same(text))
            if row is not None and row["label"] is not negation["label"]:
                yield row, negation
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    sets = read_sets(arguments.data)
    # Nonsense that no one would assert.
    sets["animals"] = [r for r in sets["animals"] if "atomic number" not in r["statement"]]

    base, calibrate = Base("public sets"), Base("public sets")
    cities = add_cities(base, sets)
    pairs = add_numbers(base, sets)
    for family, count in PLAIN.items():
        for row in balanced(sets[family], count, family):
            if base.find(row["statement"]) is None:
                base.add(family, row["statement"], row["label"])
    for family, count in CALIBRATE.items():
        rows = [r for r in sets[family] if base.find(r["statement"]) is None]
        rows = [r for r in rows if (r.get("n1"), r.get("n2")) not in pairs]
        if family == "cities":
            rows = [r for r in rows if r["entity"] not in cities]
        for row in balanced(rows, count, "calibrate"):
            calibrate.add(family, row["statement"], row["label"])
        calibrate.compose(family, COMPOSED_CALIBRATE, with_not=True)
    write_all(base, calibrate, held_out_topics(sets, base), arguments.out)


if __name__ == "__main__":
    main()
