#!/usr/bin/env python3
"""A corpus of small drawings for the tests: Hor draws bars across, Ver bars down; in the year 1800 they are thin, in 1900
thick. Each drawing is a PNG of 16 by 16 greys, with the character that it is called by as its text.

Usage: tiny_pictures.py DIRECTORY          writes docs.jsonl, manifest.json and the drawings
       tiny_pictures.py --show FILE.png    prints an 8-bit grey PNG, a line of hexadecimal greys for each row
       tiny_pictures.py --draw FILE.png KIND [WIDTH [HEIGHT]]
                                           one drawing: across, down, or a kind of PNG (palette, rgba, grey16, interlaced)
"""

import json
import pathlib
import random
import struct
import sys
import zlib

SIZE = 16


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows, width, depth=8, colour=0, extra=b"", interlaced=0):
    """rows: bytes of each row (of each pass), without filters."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, interlaced)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bars(is_across, first, thickness, width=SIZE, height=SIZE):
    return [
        bytes(0 if ((y if is_across else x) - first) % 8 < thickness else 255 for x in range(width)) for y in range(height)
    ]


def corpus(directory):
    directory = pathlib.Path(directory)
    (directory / "drawings").mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)
    with open(directory / "docs.jsonl", "w", encoding="utf-8") as lines:
        for i in range(160):
            is_across, is_late = i % 2 == 0, i // 2 % 2
            rows = bars(is_across, i // 4 % 8, 1 + 2 * is_late)
            speckled = [bytearray(row) for row in rows]
            speckled[chance.randrange(SIZE)][chance.randrange(SIZE)] ^= 0x11  # no two alike
            name = f"drawings/{i}.png"
            (directory / name).write_bytes(png([bytes(row) for row in speckled], SIZE))
            line = {"id": f"p{i}", "text": "AB"[i // 32 % 2], "who": "Hor" if is_across else "Ver", "image": name}
            lines.write(json.dumps(line | {"year": 1800 + 100 * is_late + i % 7}) + "\n")
        for i in range(40):
            who = ("Hor", "Ver")[i % 2]
            text = f"Note {i}: " + " ".join(f"the bars of {who} go {('across', 'down')[i % 2]} {i * j % 11}" for j in range(4))
            lines.write(json.dumps({"id": f"t{i}", "text": text, "who": who, "year": 1850, "image": None}) + "\n")
    manifest = {
        "name": "bars",
        "id": ["id"],
        "image": "image",
        "patches": 64,
        "vocabulary": 280,
        "slots": {"author": {"kind": "categorical", "field": "who"}, "date": {"kind": "date", "field": "year"}},
        "held_out": {"documents": [f"p{i}" for i in range(120, 160)] + ["t38", "t39"]},
    }
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def unfilter(kind, row, above):
    out = bytearray(row)
    for i, value in enumerate(row):
        left, up, corner = out[i - 1] if i else 0, above[i], above[i - 1] if i else 0
        estimate = left + up - corner
        near = min((left, up, corner), key=lambda other: abs(estimate - other))
        out[i] = (value + (0, left, up, (left + up) // 2, near)[kind]) & 255
    return bytes(out)


def show(path):
    data = pathlib.Path(path).read_bytes()
    at, body = 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", data, at + 8)
            assert (depth, colour) == (8, 0), "not 8-bit grey"
        body += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    raw, above = zlib.decompress(body), bytes(width)
    for y in range(height):
        row = raw[y * (width + 1) : (y + 1) * (width + 1)]
        above = unfilter(row[0], row[1:], above)
        print("".join(f"{value // 17:x}" for value in above))


def draw(path, kind, width=SIZE, height=SIZE):
    grey = bars(kind != "down", 2, 3, width, height)
    if kind == "palette":
        data = png([bytes(value // 255 for value in row) for row in grey], width, 8, 3, chunk(b"PLTE", bytes([0] * 3 + [255] * 3)))
    elif kind == "rgba":  # black ink on nothing
        data = png([b"".join(bytes([0, 0, 0, 255 - value]) for value in row) for row in grey], width, 8, 6)
    elif kind == "grey16":
        data = png([b"".join(bytes([value, value]) for value in row) for row in grey], width, 16)
    else:
        data = png(grey, width)
    pathlib.Path(path).write_bytes(data)


if len(sys.argv) == 3 and sys.argv[1] == "--show":
    show(sys.argv[2])
elif len(sys.argv) >= 4 and sys.argv[1] == "--draw":
    draw(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:6]))
elif len(sys.argv) == 2:
    corpus(sys.argv[1])
else:
    sys.exit(__doc__)
