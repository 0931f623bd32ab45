"""A name is taken into its parts here, put together from them, and written as people read it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from worklist.dicom import person_name
from worklist.dicom.representations import PADDING

COMPONENTS = ("family", "given", "middle", "prefix", "suffix")
# The parts of a name in the order in which a PN has them: (group, component).
PARTS = tuple((group, component) for group in person_name.GROUPS for component in COMPONENTS)
DELIMITERS = "^=\\"  # of components, of component groups, of values


def split(name: str) -> tuple[str, ...] | None:
    """Return a text for each of PARTS, or None of a name with more than DICOM allows."""
    groups = [group.rstrip(" ^").split("^") for group in name.rstrip(" =").split("=")]
    if len(groups) > len(person_name.GROUPS) or any(len(group) > len(COMPONENTS) for group in groups):
        return None
    missing = len(person_name.GROUPS) - len(groups)
    whole = [[*group, *[""] * (len(COMPONENTS) - len(group))] for group in (*groups, *[[""]] * missing)]
    return tuple(part.strip(PADDING) for group in whole for part in group)


def join(parts: Sequence[str]) -> str:
    """Return the PN of a text for each of PARTS; the inverse of `split`."""
    texts = [part.strip(PADDING) for part in parts]
    width = len(COMPONENTS)
    groups = ["^".join(texts[start : start + width]).rstrip("^") for start in range(0, len(PARTS), width)]
    return "=".join(groups).rstrip("=")


def readable(name: str) -> str:
    """Write a PN as people read it, with its other scripts behind it.

    `Yamada^Tarou=山田^太郎` is `Yamada, Tarou 山田, 太郎`; `Doe^John^Q^Dr.^Jr.` is `Doe, Dr. John Q, Jr.`.
    What is no PN stays as it is.
    """
    parts = split(name)
    if parts is None:
        return name
    width = len(COMPONENTS)
    return " ".join(filter(None, (_group(parts[at : at + width]) for at in range(0, len(parts), width))))


def spoken(name: str) -> str:
    """Write a PN as a sentence names somebody, in the first script that it has: `Dr. John Q Doe Jr.`."""
    parts = split(name)
    if parts is None:
        return name
    width = len(COMPONENTS)
    for at in range(0, len(parts), width):
        family, given, middle, prefix, suffix = parts[at : at + width]
        if said := " ".join(filter(None, (prefix, given, middle, family, suffix))):
            return said
    return ""


def initials(name: str) -> str:
    """Return the first letters of given and family name, of the first script that has any: JD of `Doe^John`.

    What is no PN has none.
    """
    parts = split(name) or ()
    width = len(COMPONENTS)
    groups = (parts[at : at + 2] for at in range(0, len(parts), width))
    found = ("".join(map(_first_letter, (given, family))) for family, given in groups)
    return next(filter(None, found), "")


def _first_letter(text: str) -> str:
    return next(filter(str.isalnum, unicodedata.normalize("NFC", text)), "").upper()


def readable_beside(name: str, other: str) -> tuple[str, str]:
    """Write both as people read them; in DICOM's form where two names would read alike."""
    ours, theirs = readable(name), readable(other)
    if person_name.comparable(ours) != person_name.comparable(theirs):
        return ours, theirs
    return (ours, theirs) if person_name.groups(name) == person_name.groups(other) else (name, other)


def _group(components: Sequence[str]) -> str:
    family, given, middle, prefix, suffix = components
    return ", ".join(filter(None, (family, " ".join(filter(None, (prefix, given, middle))), suffix)))
