#!/usr/bin/env python3
"""Belief bases of facts about the State of the Union addresses: who gave one when, who came first, which party, who
spoke of what; with negations, conjunctions and disjunctions.  Files as statements.py writes them.

Usage: address_facts.py MANIFEST DATA_DIR OUT_DIR

MANIFEST is recipes/sotu/manifest.json, DATA_DIR what recipes/sotu/fetch.sh left in DIR/package/data.  What is true is
read off the training addresses alone; of the years of held-out addresses nothing is said.  A quarter of the authors are
in held_out.jsonl only, and another quarter in calibrate.jsonl only: who is sure of authors he was taught may not be as
sure of others.  "Spoke of" means in three training addresses at least, its opposite in none of them.
"""

import argparse
import collections
import itertools
import json
import pathlib
import re

from bases import Base, balanced, shuffled, write_all

PARTIES = {"Federalist", "Democratic-Republican", "Democratic", "Whig", "Republican"}
CONFUSED = {"Democratic-Republican": {"Republican", "Democratic"}}  # its own names for itself, in part
ADDRESSES = 3  # of an author of whom it is said what he spoke of, and in which a word must occur
WORDS = 28  # of each author, at most, and as many of which he did not speak
FEWEST_USERS = 5  # authors who use a word, and who do not
ORDER_PAIRS, ORDER_PAIRS_HELD_OUT = 360, 150
COUNTS = {"year": 230, "party": 80, "terms": 640}  # in the base
CALIBRATE = {"year": 160, "order": 160, "party": 32, "terms": 248}
TRANSITIVE = 200
COMPOSED = 60  # of each kind and connective
COMPOSED_CALIBRATE = 32  # of each that has true and false ones
DETERMINERS = {"the", "of", "our", "their", "its", "this", "no"}
FOLLOWERS = set("of and in is are was to which that for has have will or by with as at be on from . , ; :".split())


def read_addresses(directory):
    paths = sorted(directory.glob("*.json"))
    if not paths:
        raise SystemExit(f"{directory}: no addresses here: run recipes/sotu/fetch.sh first")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def row(text, label, key):
    return {"statement": text, "label": label, "key": key}


def year_rows(training, silent, subjects):
    """Of each author as many false years as true ones, half of them near in time."""
    given = collections.defaultdict(set)
    for address in training:
        given[address["name"]].add(address["year"])
    years = {address["year"] for address in training} - silent
    for name in sorted(subjects):
        true = sorted(given[name] & years)
        by_distance = sorted(years - given[name], key=lambda year: (min(abs(year - y) for y in given[name]), year))
        near, far = (shuffled(part, name) for part in (by_distance[:8], by_distance[8:]))
        false = near[: len(true) // 2] + far[: len(true) - len(true) // 2]
        for year in true + false:
            yield row(f"{name} gave an address in {year}.", year in given[name], (name, year))


def order_rows(training, pairs):
    first = {}
    for address in training:
        first[address["name"]] = min(address["year"], first.get(address["name"], address["year"]))
    for a, b in pairs:
        for a, b in ((a, b), (b, a)):
            yield row(f"{a} gave a first address before {b} did.", first[a] < first[b], (a, b))


def party_rows(training, subjects):
    party = {address["name"]: address["party"] for address in training}
    for name in sorted(subjects):
        if party[name] in PARTIES:
            others = PARTIES - {party[name]} - CONFUSED.get(party[name], set())
            for other in [party[name]] + shuffled(others, name)[:2]:
                yield row(f"{name} was a {other} president.", other == party[name], (name, other))


def term_rows(training, subjects):
    """Nouns, as far as the words around them tell, that some authors use often and others never."""
    addresses = collections.Counter(address["name"] for address in training)
    authors = [name for name, count in addresses.items() if count >= ADDRESSES]
    uses = collections.defaultdict(collections.Counter)  # word -> author -> addresses
    total, as_noun = collections.Counter(), collections.Counter()
    for address in training:
        words = re.findall(r"[a-z]+|[.,;:]", address["text"].lower())
        for before, word, after in zip(words, words[1:], words[2:]):
            total[word] += 1
            as_noun[word] += before in DETERMINERS and after in FOLLOWERS
        for word in set(words):
            uses[word][address["name"]] += 1
    written = collections.Counter(re.findall(r"[A-Za-z]+", " ".join(address["text"] for address in training)))
    words = []
    for word in sorted(uses):
        often = sum(uses[word][name] >= ADDRESSES for name in authors)
        never = sum(uses[word][name] == 0 for name in authors)
        if len(word) >= 5 and min(often, never) >= FEWEST_USERS and as_noun[word] > 0.3 * total[word]:
            words.append(word)
    order = authors_in_time(training)
    for name in sorted(set(subjects) & set(authors)):
        # An address that is not read may have the word after all: less likely where those around him hardly used it.
        at = order.index(name)
        near = order[max(0, at - 2) : at] + order[at + 1 : at + 3]
        rare = {w for w in words if sum(uses[w][n] for n in near) <= 0.2 * sum(addresses[n] for n in near)}
        spoken = shuffled((w for w in words if uses[w][name] >= ADDRESSES), name)
        unspoken = shuffled((w for w in rare if uses[w][name] == 0), name)
        count = min(WORDS, len(spoken), len(unspoken))
        for word in spoken[:count] + unspoken[:count]:
            # As the addresses write it: "Alaska", "finances".
            shown = word.capitalize() if written[word.capitalize()] > 4 * written[word] else word
            yield row(f"{name} spoke of {shown}.", uses[word][name] > 0, (name, word))


def authors_in_time(training):
    first = {}
    for address in sorted(training, key=lambda address: address["year"]):
        first.setdefault(address["name"], address["year"])
    return sorted(first, key=first.get)


def choose_hidden(training):
    """Of any four authors who follow each other one to be judged, and one to fit probabilities on."""
    authors = authors_in_time(training)
    fours = [shuffled(authors[i : i + 4], "hidden") for i in range(0, len(authors), 4)]
    return {four[0] for four in fours}, {four[1] for four in fours if len(four) > 1}


def add(base, family, rows):
    """key -> id"""
    return {row["key"]: base.add(family, row["statement"], row["label"]) for row in rows}


def negate_years(base, names):
    for (author, year), name in names.items():
        label = not base.statements[name]["label"]
        negation = base.add("not_year", f"{author} did not give an address in {year}.", label)
        base.constrain("{} iff not {}", negation, name)


def at_most_one(base, names, group_of):
    groups = collections.defaultdict(list)
    for key, name in names.items():
        groups[group_of(key)].append(name)
    for group in groups.values():
        for a, b in itertools.combinations(group, 2):
            base.constrain("not ({} and {})", a, b)


def order_laws(base, names):
    for a, b in names:
        if a < b and (b, a) in names:
            base.constrain("not ({} and {})", names[a, b], names[b, a])
    triples = [(a, b, c) for a, b in names for b2, c in names if b == b2 and (a, c) in names]
    for a, b, c in shuffled(triples, "transitive")[:TRANSITIVE]:
        base.constrain("{} and {} implies {}", names[a, b], names[b, c], names[a, c])


def speak(base, kinds, several, with_not=False):
    """Adds the statements and what binds them; in `several` years more than one address was given."""
    names = {kind: add(base, kind, rows) for kind, rows in kinds.items()}
    negate_years(base, names["year"])
    at_most_one(base, {key: name for key, name in names["year"].items() if key[1] not in several}, lambda key: key[1])
    at_most_one(base, names["party"], lambda key: key[0])
    order_laws(base, names["order"])
    for kind in kinds:
        base.compose(kind, COMPOSED, with_not=with_not)


def candidates(training, silent, subjects, pairs):
    return {
        "order": list(order_rows(training, pairs)),
        "year": list(year_rows(training, silent, subjects)),
        "party": list(party_rows(training, subjects)),
        "terms": list(term_rows(training, subjects)),
    }


def pairs_with(subjects, others):
    return shuffled(((a, b) for a in subjects for b in subjects | others if b in others or a < b), "order")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    held_out_names = set(json.loads(arguments.manifest.read_text(encoding="utf-8"))["held_out"]["documents"])
    addresses = read_addresses(arguments.data)
    training = [a for a in addresses if f"{a['year']} {a['name']}" not in held_out_names]
    silent = {a["year"] for a in addresses if f"{a['year']} {a['name']}" in held_out_names}
    several = {year for year, n in collections.Counter(a["year"] for a in addresses).items() if n > 1}
    hidden, apart = choose_hidden(training)
    others = {a["name"] for a in training} - hidden - apart
    base, calibrate, held_out = (Base("addresses") for _ in range(3))

    pairs = shuffled(itertools.combinations(sorted(others), 2), "order")
    kinds = candidates(training, silent, others, pairs[:ORDER_PAIRS])
    speak(base, {k: balanced(kinds[k], COUNTS[k], k) if k in COUNTS else kinds[k] for k in kinds}, several)

    pairs = pairs_with(apart, others)[::2]  # of few pairs: both orders of one tell each other
    for kind, rows in candidates(training, silent, apart, pairs).items():
        rows = balanced(rows, CALIBRATE[kind], "calibrate")
        add(calibrate, kind, rows)
        if len({row["label"] for row in rows}) == 2:
            calibrate.compose(kind, COMPOSED_CALIBRATE, with_not=True)

    pairs = pairs_with(hidden, others)[:ORDER_PAIRS_HELD_OUT]
    speak(held_out, candidates(training, silent, hidden, pairs), several, with_not=True)
    print("held-out authors: " + ", ".join(sorted(hidden)))
    write_all(base, calibrate, held_out, arguments.out)


if __name__ == "__main__":
    main()
