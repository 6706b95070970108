#!/usr/bin/env python3
"""Checks a Dockerfile: that it is well-formed, pinned, leaves no lists of packages behind, and ends as a user without rights,
with a health check and without a model.

Usage: lint_dockerfile.py DOCKERFILE                       says what is wrong with it
       lint_dockerfile.py --packages DOCKERFILE STAGE      the Debian packages of a stage (0 is the first), one a line
"""

import json
import pathlib
import re
import sys

INSTRUCTIONS = set("FROM RUN COPY ENV ARG WORKDIR VOLUME USER EXPOSE HEALTHCHECK ENTRYPOINT CMD LABEL STOPSIGNAL SHELL".split())
BASE = re.compile(r"debian:12(\.\d+)?(-slim)?(@sha256:[0-9a-f]{64})?")
MODELS = re.compile(r"\.(gguf|safetensors|bin|sqlite)\b")


def instructions(text):
    """(line, word, the rest) of each instruction; comments between continued lines are left out, as docker does."""
    found, number, pending = [], 0, ""
    for at, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not pending):
            continue
        number = number or at
        if line.rstrip().endswith("\\"):
            pending += line.rstrip()[:-1] + " "
            continue
        word, _, rest = (pending + line).strip().partition(" ")
        found.append((number, word, " ".join(rest.split())))
        pending, number = "", 0
    if pending:
        found.append((number, pending.split()[0], ""))
    return found


def stages(found):
    result = []
    for entry in found:
        if entry[1] == "FROM":
            result.append([])
        if result:
            result[-1].append(entry)
    return result


def packages(stage):
    names = []
    for _, word, rest in stage:
        for command in re.split(r"&&|;", rest) if word == "RUN" else []:
            match = re.match(r"\s*apt-get install (.*)", command)
            names += [name for name in (match[1].split() if match else []) if not name.startswith("-")]
    return names


def check_run(number, rest, complain):
    if re.search(r"\bsudo\b|apt-get upgrade|apt-get dist-upgrade|\bapt install|curl[^&]*\|\s*(ba)?sh|chmod (-R )?777", rest):
        complain(f"line {number}: sudo, an upgrade, apt, 777 or a script from elsewhere")
    if "apt-get install" in rest:
        if not re.search(r"apt-get update && .*apt-get install", rest):
            complain(f"line {number}: apt-get install without update before it in the same layer")
        if not re.search(r"apt-get install (?=.*-y)(?=.*--no-install-recommends)", rest):
            complain(f"line {number}: apt-get install wants -y --no-install-recommends")
        if not re.search(r"apt-get install.*&& rm -rf /var/lib/apt/lists/\*", rest):
            complain(f"line {number}: the lists of packages stay in the layer")


def check_json(number, word, rest, complain):
    try:
        words = json.loads(rest)
        assert isinstance(words, list) and words and all(isinstance(one, str) for one in words)
        return words
    except (ValueError, AssertionError):
        complain(f'line {number}: {word} is not of the form ["...", "..."]')
        return []


def check_stages(all_stages, complain):
    names = []
    for stage in all_stages:
        number, _, rest = stage[0]
        match = re.fullmatch(r"(\S+)(?: AS ([a-z][a-z0-9-]*))?", rest)
        if not match or not BASE.fullmatch(match[1]):
            complain(f"line {number}: FROM {rest} is not debian:12")
        for at, word, text in stage[1:]:
            origin = re.search(r"--from=(\S+)", text) if word == "COPY" else None
            if origin and origin[1] not in names:
                complain(f"line {at}: there is no earlier stage {origin[1]}")
        names.append(match[2] if match else None)
    if len(all_stages) < 2:
        complain("it has one stage: the compiler would be in the image")


def check_final(stage, complain):
    def last(word):
        return next(((at, rest) for at, one, rest in reversed(stage) if one == word), (0, None))

    words = {}
    for word in ("ENTRYPOINT", "CMD"):
        number, rest = last(word)
        words[word] = check_json(number, word, rest or "", complain)
    at, user = last("USER")
    if not re.fullmatch(r"[1-9][0-9]*(:[1-9][0-9]*)?", user or ""):
        complain(f"the last USER is {user}: not the number of a user without rights")
    if any(word in ("RUN", "COPY") and number > at for number, word, _ in stage):
        complain("something is done after USER, for which the image's files would belong to it")
    number, health = last("HEALTHCHECK")
    match = re.fullmatch(r"((?:--(?:interval|timeout|start-period|retries)=[0-9]+[smh]? )+)CMD (.*)", health or "")
    if not match:
        complain("there is no HEALTHCHECK with its times")
    else:
        command = check_json(number, "HEALTHCHECK CMD", match[2], complain)
        port = re.search(r":(\d+)/health", " ".join(command))
        if not port or last("EXPOSE")[1] != port[1]:
            complain("HEALTHCHECK does not ask /health at the port that is exposed")
        if command[:1] == ["curl"] and ("curl" not in packages(stage) or "-fsS" not in command):
            complain("HEALTHCHECK uses curl, which is not installed, or without -fsS")
    if words["ENTRYPOINT"][:1] != ["trine"] or "--keys" not in words["CMD"]:
        complain("it does not serve with keys")
    for number, word, rest in stage:
        if word == "COPY" and "--from=" not in rest:
            complain(f"line {number}: COPY from outside into the final stage")
    if any(re.search(r"-dev$|^gcc|^make$|^npm$", name) for name in packages(stage)):
        complain("the final stage has what only a build needs")


def lint(text):
    faults = []
    found = instructions(text)
    for number, word, rest in found:
        if word not in INSTRUCTIONS or not rest:
            faults.append(f"line {number}: {word} is no instruction for this file, or has nothing behind it")
        if word == "RUN":
            check_run(number, rest, faults.append)
        if word in ("COPY", "RUN") and MODELS.search(rest):
            faults.append(f"line {number}: a model or a database comes into the image")
        if word in ("ENV", "ARG") and re.search(r"(?i)password|secret|token", rest):
            faults.append(f"line {number}: a secret would stay in the image")
    if not found or found[0][1] not in ("FROM", "ARG"):
        faults.append("it does not begin with FROM")
    all_stages = stages(found)
    for stage in all_stages:
        names = packages(stage)
        faults += [f"{name} is installed twice" for name in sorted(set(names)) if names.count(name) > 1]
        faults += [f"{name} is no name of a package" for name in names if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)]
    if all_stages:
        check_stages(all_stages, faults.append)
        check_final(all_stages[-1], faults.append)
    return faults


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "--packages":
        found = stages(instructions(pathlib.Path(arguments[1]).read_text(encoding="utf-8")))
        print("\n".join(packages(found[int(arguments[2])])))
    elif len(arguments) == 1:
        faults = lint(pathlib.Path(arguments[0]).read_text(encoding="utf-8"))
        if faults:
            sys.exit("\n".join(f"{arguments[0]}: {fault}" for fault in faults))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
