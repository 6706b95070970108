#!/usr/bin/env python3
"""Checks the contrastive replies, the questions and the value systems, which lie beside this file.

    python3 recipes/values/check.py

Prints what each file holds and every fault with its file and line; exits 1 if there is any.
"""

import collections
import json
import math
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
NAMES = ("brief-expansive", "plain-ornate", "cautious-bold", "warm-cool", "questioning-affirming", "tradition-change")
PAIRS, QUESTIONS = {"pairs": 24}, {"taste": 8, "priority": 7, "principle": 5}
BRIEF, EXPANSIVE, OTHER = (4, 10), (40, 60), (8, 45)  # words of a reply
ALIKE = 1.2  # the longer reply's words over the shorter's: else a direction would be one of length
REFUSAL = re.compile(r"(I can['’]?t|I cannot|I won['’]?t|I['’]?m sorry|I am sorry|Sorry)\b", re.I)
faults, prompts = [], {}

def fault(path, line, text):
    faults.append(f"{path.parent.name}/{path.name}:{line}: {text}")

def entries(path, fields):
    """Line numbers and objects of a file; without FIELDS the objects are not looked at."""
    for line, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(raw)
        except ValueError as error:
            fault(path, line, f"not JSON: {error}")
            continue
        if fields and not (isinstance(entry, dict) and set(entry) == fields
                           and all(isinstance(text, str) and text for text in entry.values())):
            fault(path, line, f"is not an object of the texts {', '.join(sorted(fields))}")
            continue
        yield line, entry

def once(path, line, prompt):
    """A prompt that differs from another in letter case and punctuation alone is the same."""
    key = " ".join(re.findall(r"[^\W_]+", prompt.lower()))
    if prompts.setdefault(key, (path, line)) != (path, line) and path.parent == FOLDER:  # the rest is for good/check.py
        fault(path, line, f"prompt is also at {prompts[key][0].name}:{prompts[key][1]}")

def check_pair(path, line, entry):
    low, high = len(entry["low"].split()), len(entry["high"].split())
    is_brief = path.stem == "brief-expansive"
    for end, count, (least, most) in zip(("low", "high"), (low, high), (BRIEF, EXPANSIVE) if is_brief else (OTHER, OTHER)):
        if not least <= count <= most:
            fault(path, line, f"{end} has {count} words, not {least} to {most}")
        if REFUSAL.match(entry[end]):
            fault(path, line, f"{end} begins with a refusal")
    if not is_brief and max(low, high) > ALIKE * min(low, high):
        fault(path, line, f"replies of {low} and {high} words are not alike in length")
    if entry["low"] == entry["high"]:
        fault(path, line, "both replies are the same")

for path in sorted((FOLDER.parent / "good").glob("*.jsonl")):
    for line, entry in entries(path, None):
        prompt = entry.get("prompt") or entry["question"]
        once(path, line, prompt if isinstance(prompt, str) else prompt[-1]["text"])
for path in [FOLDER / f"{name}.jsonl" for name in (*NAMES, "questions")]:
    fields, wanted = ({"prompt", "about"}, QUESTIONS) if path.stem == "questions" else ({"prompt", "high", "low"}, PAIRS)
    counts = collections.Counter()
    for line, entry in entries(path, fields):
        once(path, line, entry["prompt"])
        counts[entry.get("about", "pairs")] += 1
        if "high" in entry:
            check_pair(path, line, entry)
    print(f"{path.name}: {', '.join(f'{kind} {count}' for kind, count in counts.items())}")
    if counts != wanted:
        fault(path, 0, "not as many as there should be")
path = FOLDER / "systems.json"
for name, system in json.loads(path.read_text(encoding="utf-8")).items():
    if not set(system["wish"]) <= set(NAMES) or not 0.95 < math.hypot(*system["wish"].values()) < 1.05:
        fault(path, 0, f"{name} is not a wish of length 1 along the directions")
sys.exit("\n".join(faults) if faults else 0)
