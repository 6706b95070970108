#!/usr/bin/env python3
"""Types lines and a tab after each at an interactive shell on a terminal of its own.

Usage: press_tab.py SHELL COMPLETIONS [LINE EXPECTED]...     (SHELL: bash or zsh)

succeeds when what the shell then shows ends in EXPECTED, each time within SECONDS.
"""

import os
import pathlib
import pty
import re
import select
import sys
import tempfile
import time

PROMPT = "ready>"
SECONDS = float(os.environ.get("PRESS_TAB_SECONDS", 30))  # of a busy machine
REMOVE_LINE = b"\x15"


def start(shell, completions, directory):
    if shell == "bash":
        setup = f"bind 'set bell-style none' 'set enable-bracketed-paste off'; PS1='{PROMPT}'\n. {completions}\n"
        pathlib.Path(directory, "rc").write_text(setup, encoding="utf-8")
        command = ["bash", "--noprofile", "--rcfile", f"{directory}/rc", "-i"]
    else:
        setup = f"fpath=({completions.parent} $fpath)\nautoload -Uz compinit && compinit -u -D\nPS1='{PROMPT}'\nunsetopt beep\n"
        pathlib.Path(directory, ".zshrc").write_text(setup, encoding="utf-8")
        command = ["zsh", "-i"]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="dumb", ZDOTDIR=directory, HOME=directory, COLUMNS="400")
        os.execvp(command[0], command)
    return child, terminal


def wait_for(terminal, is_there):
    shown, end = "", time.monotonic() + SECONDS
    while not is_there(shown) and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 4096).decode(errors="replace")
            except OSError:
                break
    return shown


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r|\x07|.\x08", "", text)


def tab(terminal, line, expected):
    os.write(terminal, REMOVE_LINE + (line + "\t").encode())
    shown = plain(wait_for(terminal, lambda text: plain(text).endswith(expected)))
    return "" if shown.endswith(expected) else f"shows {shown!r} after {line!r}, not {expected!r}"


def main(shell, completions, *pairs):
    with tempfile.TemporaryDirectory() as directory:
        child, terminal = start(shell, pathlib.Path(completions).resolve(), directory)
        shown = wait_for(terminal, lambda text: PROMPT in text)
        wrong = "" if PROMPT in shown else f"does not start: {shown!r}"
        for line, expected in zip(pairs[::2], pairs[1::2]):
            wrong = wrong or tab(terminal, line, expected)
        os.close(terminal)
        os.waitpid(child, 0)
    if wrong:
        sys.exit(f"press_tab.py: {shell} {wrong}")


if __name__ == "__main__":
    if len(sys.argv) < 5 or len(sys.argv) % 2 == 0:
        sys.exit(__doc__)
    main(*sys.argv[1:])
