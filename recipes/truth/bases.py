"""Belief bases of labelled statements (src/truth/belief_base.h), for the scripts beside this file.

Draws go by hashes, as in recipes/sotu/choose_held_out.py: they depend on nothing but the statements and the seed.
"""

import hashlib
import itertools
import json
import re

FRACTIONS = (0.05, 0.2, 1.0)
SEEDS = (1, 2, 3)
DAYS = 10
NEVER = 0.1  # of the statements get no verdict at any fraction
MOST_UNRESOLVED = 600
# The forms of laws, and what they say.
LAWS = {
    "{} iff {}": lambda a, b: a == b,
    "{} iff not {}": lambda n, a: n != a,
    "{} iff {} and {}": lambda c, a, b: c == (a and b),
    "{} iff {} or {}": lambda c, a, b: c == (a or b),
    "not ({} and {})": lambda a, b: not (a and b),
    "{} and {} implies {}": lambda a, b, c: not (a and b) or c,
}
ARTICLES = {"a", "an", "the", "this", "these", "it", "he", "she", "they", "we", "there", "one", "some", "most", "many"}


def number_of(*parts):
    """A fraction in [0, 1) that looks random."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:6], "big") / 2**48


def shuffled(items, seed, key=str):
    return sorted(items, key=lambda item: number_of(seed, key(item)))


def balanced(rows, count, seed):
    """`count` of the rows, half of them true, as far as there are enough."""
    rows = shuffled(rows, seed, lambda row: row["statement"])
    sides = [[row for row in rows if row["label"] is label] for label in (True, False)]
    true = min(len(sides[0]), max(count - count // 2, count - len(sides[1])))
    return shuffled(sides[0][:true] + sides[1][: count - true], seed, lambda row: row["statement"])


def tidy(text):
    text = " ".join(text.split())
    return text if text[-1] in ".!?" else text + "."


def same(text):
    """Statements that differ in case and punctuation only are the same."""
    return " ".join(re.findall(r"\w+", text.lower()))


def inner(text, common=frozenset()):
    """A statement as it stands inside a sentence; `common` words begin with a small letter there too."""
    first = text.split()[0]
    text = text.rstrip(".")
    return text[0].lower() + text[1:] if first.lower() in ARTICLES or first.lower() in common else text


def both(a, b, common=frozenset()):
    return f"It is the case both that {inner(a, common)} and that {inner(b, common)}."


def either(a, b, common=frozenset()):
    return f"It is the case either that {inner(a, common)} or that {inner(b, common)}."


class Base:
    def __init__(self, source):
        self.source = source
        self.statements = {}  # id -> {"id", "statement", "family", "label"}
        self.laws = {}  # (form, names) in the order of adding
        self.by_text = {}
        self.counts = {}

    def add(self, family, text, label):
        """The id of a statement, which is new or was added before with the same label."""
        known = self.by_text.get(same(text))
        if known is not None:
            if self.statements[known]["label"] is not label:
                raise SystemExit(f"both true and false: {text}")
            return known
        self.counts[family] = self.counts.get(family, 0) + 1
        name = f"{family}.{self.counts[family]}"
        self.statements[name] = {"id": name, "statement": text, "family": family, "label": label}
        self.by_text[same(text)] = name
        return name

    def find(self, text):
        return self.by_text.get(same(text))

    def constrain(self, form, *names):
        if not LAWS[form](*(self.statements[name]["label"] for name in names)):
            raise SystemExit("a law is broken: " + form.format(*(self.statements[n]["statement"] for n in names)))
        self.laws[form, names] = True

    def settled(self, names):
        """Which statements follow, one law at a time, from the labels of these."""
        known = {name: self.statements[name]["label"] for name in names}
        waiting, before = list(self.laws), None
        while len(known) != before:
            before = len(known)
            for form, names in waiting:
                free = [name for name in names if name not in known]
                worlds = []
                for values in itertools.product((False, True), repeat=len(free)):
                    world = {name: known.get(name) for name in names} | dict(zip(free, values))
                    if LAWS[form](*(world[name] for name in names)):
                        worlds.append(world)
                for name in free:
                    if len({world[name] for world in worlds}) == 1:
                        known[name] = worlds[0][name]
            waiting = [law for law in waiting if not all(name in known for name in law[1])]
        return set(known)

    def compose(self, family, count, common=frozenset(), with_not=False):
        """`count` conjunctions of statements of one family, as many disjunctions, half of them true; and negations."""
        names = shuffled((n for n, s in self.statements.items() if s["family"] == family), "compose")
        label = {name: self.statements[name]["label"] for name in names}
        text = {name: self.statements[name]["statement"] for name in names}

        def pairs(kinds, start):
            """Of kinds like TF, a true and a false statement; each side walks through its own statements."""
            walk = {True: start, False: start}
            sides = {side: [n for n in names if label[n] is side] for side in (True, False)}
            for k in range(count):
                pair = []
                for letter in kinds[k % len(kinds)]:
                    side = sides[letter == "T"]
                    pair.append(side[walk[letter == "T"] % len(side)])
                    walk[letter == "T"] += 1
                yield pair

        for a, b in pairs(("TT", "TF", "TT", "FT", "TT", "FF"), 0):
            name = self.add(f"{family}_both", both(text[a], text[b], common), label[a] and label[b])
            self.constrain("{} iff {} and {}", name, a, b)
        for a, b in pairs(("FF", "TF", "FF", "FT", "FF", "TT"), 1):
            name = self.add(f"{family}_either", either(text[a], text[b], common), label[a] or label[b])
            self.constrain("{} iff {} or {}", name, a, b)
        for a in names[:count] if with_not else ():
            name = self.add(f"{family}_not", f"It is not true that {inner(text[a], common)}.", not label[a])
            self.constrain("{} iff not {}", name, a)

    def line(self, statement, day):
        line = {"id": statement["id"], "sentence": statement["statement"], "family": statement["family"]}
        if day is not None:
            line |= {"verdict": statement["label"], "day": day, "source": self.source}
        return line

    def write(self, path, day_of):
        """day_of(id): the day on which a verdict becomes known, None for never."""
        lines = [self.line(s, day_of(name)) for name, s in self.statements.items()]
        lines += [{"constraint": form.format(*names), "day": 0} for form, names in self.laws]
        write_lines(path, lines)


def write_lines(path, lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def write_all(base, calibrate, held_out, out):
    """What statements.py says that it writes."""
    out.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        order = shuffled(base.statements, seed)
        for fraction in FRACTIONS:
            known = set(order[: round(min(fraction, 1 - NEVER) * len(order))])
            base.write(
                out / f"base-{fraction}-s{seed}.jsonl",
                lambda name: 1 + int(DAYS * number_of("day", seed, name)) if name in known else None,
            )
            settled = base.settled(known)
            rest = [name for name in order if name not in known][-MOST_UNRESOLVED:]
            lines = [base.statements[name] | {"settled": name in settled} for name in rest]
            write_lines(out / f"unresolved-{fraction}-s{seed}.jsonl", lines)
    calibrate.write(out / "calibrate.jsonl", lambda name: 1)
    held_out.write(out / "held_out.jsonl", lambda name: 1)
    for what, b in (("base", base), ("calibrate", calibrate), ("held out", held_out)):
        true = sum(s["label"] for s in b.statements.values())
        print(f"{what}: {len(b.statements)} statements, {true} of them true; {len(b.laws)} constraints")
        print("  " + ", ".join(f"{family} {count}" for family, count in b.counts.items()))
