#!/usr/bin/env python3
"""Runs a program with the system calls and the sockets that a systemd unit allows, and no others.

Usage: under_filter.py UNIT PROGRAM [ARGUMENT]...

systemd-analyze says what the groups of system calls are; libseccomp, which systemd itself uses, sets the filter. Exits 77
when that cannot be done here.
"""

import ctypes
import os
import pathlib
import re
import socket
import subprocess
import sys

ALLOW, ERRNO_EPERM, EQUAL = 0x7FFF0000, 0x00050001, 4


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


def group(name):
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], capture_output=True, text=True, check=True)
    return set().union(*(group(word) for word in re.findall(r"^    ([@a-z_0-9-]+)$", said.stdout, re.M)))


def allowed(text):
    names = group("@default")
    for value in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        listed = set().union(*(group(word) for word in value.removeprefix("~").split()))
        names = names - listed if value.startswith("~") else names | listed
    return names


def set_filter(library, names, families):
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ERRNO_EPERM))
    for name in sorted(names - {"socket"}):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # others are of other machines
            library.seccomp_rule_add_array(context, ALLOW, number, 0, None)
    for family in families:
        comparison = Comparison(0, EQUAL, int(getattr(socket, family)), 0)
        library.seccomp_rule_add_array(context, ALLOW, library.seccomp_syscall_resolve_name(b"socket"), 1, ctypes.byref(comparison))
    if library.seccomp_load(context) != 0:
        print("skipped: no filter of system calls can be set here")
        sys.exit(77)


def main(unit, program, *arguments):
    text = pathlib.Path(unit).read_text(encoding="utf-8")
    try:
        library = ctypes.CDLL("libseccomp.so.2")
        names = allowed(text)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"skipped: {error}")
        sys.exit(77)
    set_filter(library, names, re.search(r"^RestrictAddressFamilies=(.*)$", text, re.M)[1].split())
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
