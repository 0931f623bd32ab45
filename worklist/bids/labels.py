"""A label names a participant or a session in BIDS: ASCII letters and digits, and one spelling for each.

BIDS allows `+` as well, but dcm2bids, heudiconv and pybids do not keep it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# A patient ID that names its session, as mappings of the original make them: sub_0042_ses_1_fam_7_site_792.
_NUMBERED = re.compile(
    r"sub[_-](?P<subject>.+?)[_-]ses[_-](?P<session>[^_-]+)(?P<rest>[_-].+)?", re.IGNORECASE
)
_LETTERS_AND_DIGITS = re.compile(r"[0-9A-Za-z]")


class UnfitLabel(ValueError):
    """This text has no label; the message says why, and does not repeat it."""


class NamedById(NamedTuple):
    """This is what a patient ID says: whose it is, how it names the subject, and which session, if any."""

    participant: str
    subject: str
    session: str


def named_by(patient_id: str) -> NamedById:
    """Return what the ID says; one that names no session is its participant's as a whole.

    IDs that differ in the session alone are one participant's.
    """
    match = _NUMBERED.fullmatch(patient_id)
    if match is None:
        return NamedById(patient_id, patient_id, "")
    subject = match["subject"]
    return NamedById(f"sub_{subject}{match['rest'] or ''}", subject, match["session"])


def label(text: str) -> str:
    """Return the text's letters and digits, as converters to BIDS keep them.

    Raises UnfitLabel where there are none, and for a letter beyond ASCII: what is left would name another.
    """
    kept = []
    for character in text:
        if _LETTERS_AND_DIGITS.fullmatch(character):
            kept.append(character)
        elif not character.isascii():
            raise UnfitLabel("a BIDS label has letters A to Z and digits alone")
    if not kept:
        raise UnfitLabel("it has no letter and no digit")
    return "".join(kept)


def clashes(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Yield the names that would be one label, or labels that differ in case alone.

    `named` holds names and their labels. Folders of two such labels are one on Windows and macOS, and
    heudiconv makes one subject of them.
    """
    spelled: dict[str, list[str]] = defaultdict(list)
    for name, its_label in named:
        spelled[its_label.casefold()].append(name)
    yield from (tuple(sorted(names)) for names in spelled.values() if len(names) > 1)
