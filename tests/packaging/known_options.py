#!/usr/bin/env python3
"""Asks the program of every option that is completed whether it knows it, and whether it takes an argument where the completion
says so; and the sources whether they have an option that no help names.

Usage: known_options.py PROGRAM SOURCE...
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import completions  # noqa: E402

NONE = "--no-such-option"


def fault(program, command, option):
    """Called so that it is wrong in any case: nothing is begun."""
    before = ["--model", "none"] if command.name == "serve" else command.verbs[:1]  # what belongs to a model stands after it
    words = [program, command.name, *before, option.name]
    if option.kind and not option.is_optional:
        expected = f"'{option.name}' requires an argument"
    else:
        words.append("--no-such-option")
        expected = "unrecognized option '--no-such-option'"
    result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if result.returncode == 2 and expected in result.stderr:
        return ""
    return f"{' '.join(words[1:])}: exit {result.returncode}, {result.stderr}"


def main(program, *sources):
    faults, names = [], set()
    for command in completions.read_commands(program):
        for option in command.options:
            names.add(option.name)
            if option.name != "--help":
                faults.append(fault(program, command, option))
    for source in sources:
        text = pathlib.Path(source).read_text(encoding="utf-8")
        for name in re.findall(r'\{"([a-z][a-z0-9-]*)",\s*(?:required|no|optional)_argument', text):
            if "--" + name not in names:
                faults.append(f"{source}: no help names --{name}")
    faults = [one.strip() for one in faults if one]
    if faults or len(names) < 100:
        sys.exit("\n".join(faults) or f"only {len(names)} options are known")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
