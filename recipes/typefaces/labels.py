"""Who designed a font and when, from its name table, and from designers.tsv where that does not say."""

import datetime
import pathlib
import re

COPYRIGHT, FAMILY, DESIGNER, TYPOGRAPHIC_FAMILY = 0, 1, 9, 16
FIRST_YEAR = 1984  # of outline fonts on computers: what is earlier in a notice tells of the model in metal
MAC_EPOCH = datetime.datetime(1904, 1, 1)

# Words of a family's name that say which cut it is, not which design.
CUTS = re.compile(
    r"\b(Thin|Hairline|Extra ?Light|Ultra ?Light|Light|Book|Regular|Medium|Semi ?Bold|Demi ?Bold|Demi|Bold|Heavy|Black|"
    r"Semi|Half|Condensed|Cond|Cn|Narrow|Wide|Expanded|Extended|Compact|Italics?|Slanted|Oblique|SC|Small ?caps|Caps|All|"
    r"Std|Pro|TT|TTF|OT|O|G|No ?\d|Outline|Solid|Shadow|Layer|Thick|Display|Caption|Text|Titling|Style|Alternates|Alt|Basic|"
    r"Unicode|Variable|VF|Plus|1[0-9]|[0-9])\b")


class Table:
    """designers.tsv."""

    def __init__(self, path=pathlib.Path(__file__).parent / "designers.tsv"):
        self.families, self.aliases, self.nobody, skip = [], {}, [], []
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                kind, about, *value = line.split("\t")
                if kind == "family":
                    self.families.append((re.compile(about), value[0]))
                elif kind == "alias":
                    self.aliases.update((spelling, value[0]) for spelling in about.split("|"))
                elif kind == "nobody":
                    self.nobody.append(about)
                elif kind == "skip":
                    skip.append(about)
                else:
                    raise ValueError(f"{path}: there is no kind {kind!r}")
        self.skip = re.compile("|".join(f"(?:{pattern})" for pattern in skip))


def name_of(font, which):
    """A string of the name table, in English if it can be had."""
    table = font["name"]
    for platform, encoding, language in ((3, 1, 0x409), (1, 0, 0), (0, 3, 0)):
        record = table.getName(which, platform, encoding, language)
        if record is not None:
            break
    else:
        record = next((r for r in table.names if r.nameID == which), None)
    try:
        return " ".join(str(record).split()) if record is not None else ""
    except UnicodeError:
        return ""


def family_of(font):
    return name_of(font, TYPOGRAPHIC_FAMILY) or name_of(font, FAMILY)


def stem_of(family):
    """What the cuts of one design have in common: "Alegreya SC" and "Alegreya" are one."""
    return " ".join(CUTS.sub(" ", family).split()).casefold() or family.casefold()


def first_person(text):
    """The first of the people who are named; who drew the Latin letters goes first."""
    latin = re.search(r"([^,;&]+?)\s*\(Latin\)", text)
    text = latin.group(1) if latin else text
    text = re.sub(r"<[^>]*>|\([^)]*\)|https?:\S+|\S+@\S+|\bAT hot.*|©", " ", text)
    text = re.sub(r"^\s*(Designed by|Designers?:|Copyright|.*FONTS -|Georgian by|based on a font by)\s*", "", text)
    text = re.split(r",|;|/|&|\band\b|\bwith\b|\s-\s|\bfor\b", text)[0]
    return " ".join(text.split()).rstrip(". ")


def designer_of(font, family, table):
    """A name, or None."""
    for pattern, designer in table.families:
        if pattern.match(family):
            return None if designer == "-" else designer
    person = first_person(name_of(font, DESIGNER))
    person = table.aliases.get(person, person)
    if len(person) < 4 or len(person) > 40 or person == "-" or any(person.startswith(word) for word in table.nobody):
        return None
    return person


def year_of(font):
    """The earliest year of the copyright notice that a font can have been drawn in, or else that of the file; or None."""
    created = font["head"].created
    made = (MAC_EPOCH + datetime.timedelta(seconds=created)).year if 0 < created < 5e9 else 0
    latest = datetime.date.today().year
    notice = re.sub(r"\S+@\S+|https?:\S+", " ", name_of(font, COPYRIGHT))
    years = [int(year) for year in re.findall(r"(?<!\d)((?:19|20)\d\d)(?!\d)", notice)]
    years = [year for year in years if FIRST_YEAR <= year <= latest]
    if years:
        return min(years)
    return made if FIRST_YEAR + 3 <= made <= latest else None
