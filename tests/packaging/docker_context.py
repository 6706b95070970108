#!/usr/bin/env python3
"""What `docker build` would be sent: copies the files of a directory that its .dockerignore lets through.

Usage: docker_context.py DIRECTORY INTO
"""

import os
import pathlib
import re
import shutil
import sys


def expression(pattern):
    """Of a pattern as Go's filepath.Match has it, with ** for any number of directories; below a match all matches."""
    text = ""
    for part in re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|\\.|[^*?\[\\]+", pattern.strip("/")):
        if part.startswith("**"):
            text += "(?:.*/)?" if part.endswith("/") else ".*"
        else:
            text += {"*": "[^/]*", "?": "[^/]"}.get(part, part if part[0] in "[\\" else re.escape(part))
    return re.compile(text + "(?:/.*)?")


def rules(directory):
    for line in (directory / ".dockerignore").read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            yield not line.startswith("!"), expression(line.removeprefix("!"))


def main(directory, into):
    patterns = list(rules(directory))
    for root, directories, files in os.walk(directory):
        directories[:] = [name for name in directories if name not in (".git", "build")]
        for name in files:
            path = (pathlib.Path(root) / name).relative_to(directory)
            is_left_out = False
            for leaves_out, pattern in patterns:
                if pattern.fullmatch(path.as_posix()):
                    is_left_out = leaves_out
            if not is_left_out:
                (into / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(directory / path, into / path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
