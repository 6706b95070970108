#!/usr/bin/env python3
"""Checks the training set of the good layer, which lies beside this file.

    python3 recipes/good/check.py

Prints how many entries of each kind a file has, and every fault with its file and line; exits 1 if there is any.
"""

import collections
import json
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
KINDS = ("helpful", "uncertain", "fiction", "refusal", "borderline", "identity")
# file: (fields, fewest entries)
FILES = {
    "examples.jsonl": ({"prompt", "reply", "kind"}, 360),
    "pairs.jsonl": ({"prompt", "chosen", "rejected", "kind"}, 260),
    "held_out_pairs.jsonl": ({"prompt", "chosen", "rejected", "kind"}, 100),
    "questions.jsonl": ({"question", "answers", "wrong"}, 150),
}
GOOD_WORDS = (10, 70)      # a reply that is to be learned
OPENING = 12               # words of a reply that say it is fiction
REJECTED_WORDS = (3, 90)
PROMPT_WORDS = (2, 80)     # all turns together

# What a refusal begins with; and what some good replies have to hold.
REFUSAL = re.compile(r"(I won't help with that|I can't help with that|No, I won't do that)[:.]")
REFUSING = re.compile(r"I (won't|can't|cannot|will not) (help|do|write|assist|discuss|talk about|explain|answer)|No, I won't|I'm sorry, (but )?I")
DOUBT = re.compile(r"\d %|I do not know|[Aa]lmost certain|not sure")
FICTION = re.compile(r"\b(made|make|invent|imagin|fiction|dream|thought up|of my own|of mine|of my making|my head|thin air)", re.I)
IDENTITY = re.compile(r"\bTrine\b.*language model", re.S)

faults = 0


def fault(name, line, text):
    global faults
    faults += 1
    print(f"{name}:{line}: {text}")


def plain(text):
    """TEXT without case, punctuation and spacing: two texts alike in this are one."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def words(text):
    return len(text.split())


def is_text(value):
    return isinstance(value, str) and value.strip() == value != ""


def prompt_text(name, line, prompt):
    """The prompt as one text, or None (and a fault) if it isn't one."""
    if is_text(prompt):
        return prompt
    if not isinstance(prompt, list) or len(prompt) < 3:
        fault(name, line, "prompt is neither text nor three turns or more")
        return None
    for number, turn in enumerate(prompt):
        role = ("user", "assistant")[number % 2]
        if not isinstance(turn, dict) or set(turn) != {"role", "text"} or turn["role"] != role or not is_text(turn["text"]):
            fault(name, line, f"turn {number + 1} is not one of the {role}")
            return None
    if prompt[-1]["role"] != "user":
        fault(name, line, "the last turn is not the user's")
        return None
    return " ".join(turn["text"] for turn in prompt)


def check_words(name, line, field, text, limits):
    if not limits[0] <= words(text) <= limits[1]:
        fault(name, line, f"{field} has {words(text)} words, not {limits[0]} to {limits[1]}")


def check_good(name, line, field, text, kind):
    """A reply that is to be learned, against its kind."""
    check_words(name, line, field, text, GOOD_WORDS)
    if kind == "refusal" and not REFUSAL.match(text):
        fault(name, line, f"{field} does not begin with a refusal")
    if kind != "refusal" and REFUSING.search(text):
        fault(name, line, f"{field} refuses, though its kind is {kind}")
    if kind == "uncertain" and not DOUBT.search(text):
        fault(name, line, f"{field} says no odds")
    if kind == "fiction" and not FICTION.search(" ".join(text.split()[:OPENING])):
        fault(name, line, f"{field} does not begin as fiction")
    if kind == "identity" and not IDENTITY.search(text):
        fault(name, line, f"{field} does not say what Trine is")


def check_question(name, line, entry):
    if not is_text(entry["question"]) or not entry["question"].endswith("?"):
        fault(name, line, "question is not a text that ends with a question mark")
        return
    answers = entry["answers"]
    if not isinstance(answers, list) or not answers or not all(map(is_text, answers)) or not is_text(entry["wrong"]):
        fault(name, line, "answers is not a list of texts, or wrong is not a text")
    elif plain(entry["wrong"]) in map(plain, answers):
        fault(name, line, "wrong is among the answers")
    elif len(set(answers)) < len(answers):
        fault(name, line, "an answer is there twice")


def once(seen, key, name, line, what):
    if key in seen:
        fault(name, line, f"{what} is also at {seen[key]}")
    seen.setdefault(key, f"{name}:{line}")


def check_file(name, fields, fewest, prompts, replies):
    counts = collections.Counter()
    for line, raw in enumerate((FOLDER / name).read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(raw)
        except ValueError as error:
            fault(name, line, f"not JSON: {error}")
            continue
        if not isinstance(entry, dict) or set(entry) != fields:
            fault(name, line, f"fields are not {', '.join(sorted(fields))}")
            continue
        if "question" in entry:
            check_question(name, line, entry)
            once(prompts, plain(str(entry["question"])), name, line, "question")
            counts["questions"] += 1
            continue
        kind = entry["kind"]
        if kind not in KINDS:
            fault(name, line, f"kind {kind!r} is unknown")
            continue
        counts[kind] += 1
        prompt = prompt_text(name, line, entry["prompt"])
        if prompt is not None:
            check_words(name, line, "prompt", prompt, PROMPT_WORDS)
            once(prompts, plain(prompt), name, line, "prompt")
        for field in sorted(fields - {"prompt", "kind"}):
            if not is_text(entry[field]):
                fault(name, line, f"{field} is not a text")
            else:
                once(replies, (kind, plain(entry[field])), name, line, field)
                if field == "rejected":
                    check_words(name, line, field, entry[field], REJECTED_WORDS)
                else:
                    check_good(name, line, field, entry[field], kind)
    total = sum(counts.values())
    shown = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    print(f"{name}: {total} ({shown})")
    if total < fewest:
        fault(name, 0, f"fewer than {fewest} entries")


def main():
    prompts, replies = {}, {}
    for name, (fields, fewest) in FILES.items():
        check_file(name, fields, fewest, prompts, replies)
    if faults:
        sys.exit(f"{faults} fault{'s' if faults > 1 else ''}")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
