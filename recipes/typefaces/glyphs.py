#!/usr/bin/env python3
"""Draws typefaces glyph by glyph: small pictures with designers and years as labels, for a corpus of pictures.

Every font file under FONTS is looked at that has the Latin letters, digits and "&?!". Of each family the cut nearest to
regular and upright is taken; families that are one design under two names (by their stem, or by their pixels) once. Of
one designer at most --most families are taken, and so of all fonts of one package whose designer is not known.

A glyph is 24x24 pixels of 256 greys, ink black. All fonts share the baseline, 6 pixels above the lower edge; a font's
size is the largest at which its glyphs fit, but for the two that reach farthest, which may be cut off. The ink is centred
and begins at a whole pixel.

The split, by hashes of names: of each font about 15 % of the glyphs are held out. Of every designer with at least three
families one is UNSEEN: none of its glyphs is in the corpus. The character stands before the picture as the document's
text, but in every eighth document of the training split: there the picture stands alone.

Usage: glyphs.py FONTS OUT [--most N]
writes OUT/glyphs.jsonl (training and held out), OUT/unseen.jsonl, OUT/images/, OUT/fonts.tsv, OUT/manifest.json,
OUT/unseen.manifest.json
then:  trine corpus build --manifest OUT/manifest.json --out CORPUS OUT/glyphs.jsonl
"""

import argparse
import collections
import hashlib
import json
import logging
import multiprocessing
import pathlib
import re
import sys

import numpy
from fontTools.ttLib import TTFont, TTLibError
from PIL import Image, ImageDraw, ImageFont

import labels

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!"
SIDE, BASELINE, FINER = 24, 18, 8  # pixels of a picture; the row under the letters; pixels drawn for one kept
HELD_OUT, ALONE, UNSEEN_FAMILIES = 0.15, 0.125, 3
OUTLIERS = 2  # glyphs of a font that need not fit, such as a Q with a flourish
LEAST_HEIGHT = 8  # pixels of a capital H: smaller ones are unreadable
SAME_DESIGN = 0.024  # mean difference of all pixels (0 to 1) below which two fonts are one design
LEGIBLE = 0.1  # share of the letters that are nearest to the mean picture of that letter
SEED = "trine typefaces 1"


def share_of(*parts):
    """A number in [0, 1) that depends on the texts alone."""
    digest = hashlib.sha256("\0".join((SEED,) + parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def slug_of(family):
    return re.sub(r"[^a-z0-9]+", "-", family.casefold()).strip("-") or hashlib.sha256(family.encode()).hexdigest()[:8]


def look_at(path):
    """What there is to know of a font file; None if it is of no use."""
    try:
        font = TTFont(path, lazy=True, fontNumber=0)
        cmap = font.getBestCmap() or {}
        family = labels.family_of(font)
        table = labels.Table()
        is_italic = font["OS/2"].fsSelection & 1 or font["head"].macStyle & 2 or font["post"].italicAngle
        if is_italic or not re.search(r"\w", family) or any(ord(c) not in cmap for c in CHARACTERS) or \
                table.skip.match(family):
            return None
        return {"path": str(path), "family": family, "designer": labels.designer_of(font, family, table),
                "year": labels.year_of(font), "weight": font["OS/2"].usWeightClass, "width": font["OS/2"].usWidthClass,
                "bold": font["head"].macStyle & 1 or "bold" in path.name.casefold()}
    except (TTLibError, KeyError, ValueError, OSError, AssertionError, AttributeError, TypeError) as error:
        print(f"left out: {path.name}: {error}", file=sys.stderr)
        return None
    except Exception as error:  # fontTools has errors of its own for each table, struct.error among them
        print(f"left out: {path.name}: {type(error).__name__}", file=sys.stderr)
        return None


def ink_boxes(font):
    """Of each character: left, top, right, bottom of its ink, from the pen's place on the baseline."""
    return [font.getbbox(c, anchor="ls") for c in CHARACTERS]


def reach(distances):
    return sorted(distances)[-1 - OUTLIERS]


def size_that_fits(path):
    """The size in pixels of the finer drawing; 0 for a font without ink or with too small letters."""
    boxes = ink_boxes(ImageFont.truetype(path, 1000, layout_engine=ImageFont.Layout.BASIC))
    above, below, wide = reach(-b[1] for b in boxes), reach(b[3] for b in boxes), reach(b[2] - b[0] for b in boxes)
    if above <= 0 or wide <= 0 or any(b[2] <= b[0] or b[3] <= b[1] for b in boxes):
        return 0
    room = min((BASELINE - 0.5) / above, (SIDE - 1) / wide, (SIDE - BASELINE) / below if below > 0 else 1)
    return int(1000 * FINER * room) if -boxes[CHARACTERS.index("H")][1] * room >= LEAST_HEIGHT else 0


def draw(paths):
    """The first of the fonts that can be drawn, and its glyphs as [characters, SIDE, SIDE] bytes, 255 for paper; or None."""
    for path in paths:
        try:
            size = size_that_fits(path)
            font = ImageFont.truetype(path, max(size, 1), layout_engine=ImageFont.Layout.BASIC)
        except OSError as error:
            print(f"left out: {pathlib.Path(path).name}: {error}", file=sys.stderr)
            continue
        if size > 0:
            return path, numpy.stack([draw_glyph(font, *glyph) for glyph in zip(CHARACTERS, ink_boxes(font))])
    return None


def draw_glyph(font, character, box):
    large = Image.new("L", (SIDE * FINER, SIDE * FINER), 255)
    start = round((SIDE - (box[2] - box[0]) / FINER) / 2) * FINER
    ImageDraw.Draw(large).text((start - box[0], BASELINE * FINER), character, font=font, fill=0, anchor="ls")
    return numpy.asarray(large.reduce(FINER))


def by_regularity(fonts):
    """The regular, upright cut of normal width first."""
    return sorted(fonts, key=lambda f: (f["bold"], abs(f["weight"] - 400), abs(f["width"] - 5), len(f["family"]), f["path"]))


def choose(fonts, most):
    """The cuts of each stem, at most so many stems of a designer (or of a folder's unknown ones), by hash."""
    stems = collections.defaultdict(list)
    for font in fonts:
        stems[font["designer"] or str(pathlib.Path(font["path"]).parent), labels.stem_of(font["family"])].append(font)
    owners = collections.defaultdict(list)
    for (owner, stem), own in stems.items():
        owners[owner].append((share_of("family", stem), by_regularity(own)))
    return [cuts for own in owners.values() for _, cuts in sorted(own, key=lambda pair: pair[0])[:most]]


def legible(pictures):
    """Of each font the share of its letters that look like that letter: symbols under letters' codes have next to none."""
    ink = 1 - numpy.stack(pictures)[:, :52].reshape(len(pictures), 52, -1) / 255.0
    ink /= numpy.linalg.norm(ink, axis=2, keepdims=True) + 1e-9
    mean = ink.mean(axis=0)
    mean /= numpy.linalg.norm(mean, axis=1, keepdims=True)
    return [float((numpy.argmax(own @ mean.T, axis=1) % 26 == numpy.arange(52) % 26).mean()) for own in ink]


def without_doubles(fonts):
    """Fonts whose pixels are those of an earlier one are left out; the one with a designer, then the older, goes first."""
    order = sorted(fonts, key=lambda f: (f["designer"] is None, f["year"] or 9999, f["family"], f["path"]))
    kept, seen = [], numpy.empty((0, len(CHARACTERS) * SIDE * SIDE), dtype=numpy.float32)
    for font in order:
        own = font["pictures"].reshape(1, -1).astype(numpy.float32) / 255
        if len(seen) and numpy.abs(seen - own).mean(axis=1).min() < SAME_DESIGN:
            continue
        seen = numpy.concatenate([seen, own])
        kept.append(font)
    return kept


def unseen_families(fonts):
    by_designer = collections.defaultdict(list)
    for font in fonts:
        if font["designer"]:
            by_designer[font["designer"]].append(font["family"])
    return {min(own, key=lambda family: share_of("unseen", family))
            for own in by_designer.values() if len(own) >= UNSEEN_FAMILIES}


def documents_of(font, is_unseen, out):
    slug = font["slug"]
    (out / "images" / slug).mkdir(parents=True, exist_ok=True)
    order = sorted(CHARACTERS, key=lambda c: share_of("glyph", font["family"], c))
    held_out = set(order[:round(HELD_OUT * len(CHARACTERS))])
    for character, picture in zip(CHARACTERS, font["pictures"]):
        image = f"images/{slug}/{ord(character):02x}.png"
        Image.fromarray(picture).save(out / image, optimize=True)
        split = "unseen" if is_unseen else "held out" if character in held_out else "training"
        alone = split == "training" and share_of("alone", font["family"], character) < ALONE
        yield {"id": f"{font['family']} {character}", "text": "" if alone else character, "character": character,
               "image": image, "designer": font["designer"], "family": font["family"], "year": font["year"], "split": split}


def manifest(held_out):
    return {"name": "Typefaces", "text": "text", "id": ["id"], "vocabulary": 300, "image": "image", "patches": 512,
            "slots": {"author": {"kind": "categorical", "field": "designer"}, "date": {"kind": "date", "field": "year"}},
            "held_out": {"field": "split", "value": held_out}}


def write(fonts, out):
    unseen = unseen_families(fonts)
    (out / "images").mkdir(parents=True, exist_ok=True)
    counts = collections.Counter()
    with open(out / "glyphs.jsonl", "w", encoding="utf-8") as glyphs, open(out / "unseen.jsonl", "w", encoding="utf-8") as rest:
        for font in fonts:
            is_unseen = font["family"] in unseen
            for document in documents_of(font, is_unseen, out):
                counts[document["split"]] += 1
                (rest if is_unseen else glyphs).write(json.dumps(document, ensure_ascii=False) + "\n")
    for name, held_out in (("manifest.json", "held out"), ("unseen.manifest.json", "unseen")):
        (out / name).write_text(json.dumps(manifest(held_out), indent=1) + "\n", encoding="utf-8")
    with open(out / "fonts.tsv", "w", encoding="utf-8") as table:
        for font in fonts:
            table.write("\t".join([font["family"], font["designer"] or "", str(font["year"] or ""), font["package"],
                                   "unseen" if font["family"] in unseen else "", pathlib.Path(font["path"]).name]) + "\n")
    designers = collections.Counter(font["designer"] for font in fonts if font["designer"])
    years = [font["year"] for font in fonts if font["year"]]
    print(f"{len(fonts)} typefaces, {sum(designers.values())} of them by {len(designers)} designers, {len(unseen)} unseen; "
          f"{len(years)} with a year, {min(years)} to {max(years)}")
    print("glyphs: " + ", ".join(f"{count} {split}" for split, count in sorted(counts.items())))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fonts", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--most", type=int, default=10, help="families of one designer (10)")
    options = parser.parse_args()
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # odd dates in head tables, without end
    paths = sorted(path for path in options.fonts.rglob("*") if path.suffix.lower() in (".ttf", ".otf") and path.is_file())

    with multiprocessing.Pool() as pool:
        fonts = [font for font in pool.map(look_at, paths, chunksize=16) if font]
        chosen = choose(fonts, options.most)
        drawings = pool.map(draw, [[font["path"] for font in cuts] for cuts in chosen], chunksize=8)
    drawn = []
    for cuts, drawing in zip(chosen, drawings):
        if drawing is not None:
            font = next(font for font in cuts if font["path"] == drawing[0])
            font["pictures"], font["package"] = drawing[1], pathlib.Path(font["path"]).relative_to(options.fonts).parts[0]
            drawn.append(font)
    letters = [font for font, share in zip(drawn, legible([font["pictures"] for font in drawn])) if share >= LEGIBLE]
    kept = without_doubles(letters)
    print(f"{len(paths)} files, {len(fonts)} upright ones with all characters, {len(chosen)} chosen, {len(drawn)} drawn, "
          f"{len(letters)} legible, {len(kept)} that are not alike", file=sys.stderr)
    slugs = collections.Counter()
    for font in sorted(kept, key=lambda f: f["family"]):
        slug = slug_of(font["family"])
        slugs[slug] += 1
        font["slug"] = slug if slugs[slug] == 1 else f"{slug}-{slugs[slug]}"
        font["family"] = font["family"] if slugs[slug] == 1 else f"{font['family']} ({font['slug']})"
    write(sorted(kept, key=lambda f: f["family"]), options.out)


if __name__ == "__main__":
    main()
