"""Tables of codes are read and written here, and made of what labels say of sex and status.

A table is one line, `1=M, 2=F, 9=`: in quotation marks stands what has a comma, = or quotes in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sources.mapping import targets

_TEXT = r'(?:"((?:[^"]|"")*)"|([^=,"]*?))'
_PAIR = re.compile(rf"\s*{_TEXT}\s*=\s*{_TEXT}\s*(?:,|$)")
_NEEDS_QUOTES = re.compile(r'[=,"]|^\s|\s$')


def read(text: str) -> dict[str, str]:
    """Read a table. Raises ValueError, which says what is expected."""
    table: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if not match:
            raise ValueError('Pairs of code and value are expected: 1=M, 2=F, "a, b"=O.')
        code = _unquoted(match[1], match[2])
        if not code or code in table:
            raise ValueError(f"The code {code} is given twice." if code else "A code is empty.")
        table[code] = _unquoted(match[3], match[4])
        position = match.end()
    if not table:
        raise ValueError("Pairs of code and value are expected: 1=M, 2=F, 3=O.")
    return table


def write(table: Mapping[str, str]) -> str:
    """Return the line that `read` reads back."""
    return ", ".join(f"{_quoted(code)}={_quoted(value)}" for code, value in table.items())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _unquoted(quoted: str | None, plain: str | None) -> str:
    return quoted.replace('""', '"') if quoted is not None else (plain or "")


_SEX = {"male": "M", "man": "M", "boy": "M", "m": "M", "female": "F", "woman": "F", "girl": "F", "f": "F"}
_OTHER_SEX = frozenset({"other", "o", "intersex", "non-binary", "nonbinary"})
# What says no wins over what says yes: "confirmed, then cancelled".
_NO = re.compile(
    r"\b(?:cancel(?:l?ed)?|no[- ]?show(?:ed)?|declined?|withdr(?:awn|ew)|complete[d]?|done|refused"
    r"|not scheduled|unscheduled|deleted|ineligible|missed|did not attend)\b",
    re.IGNORECASE,
)
_YES = re.compile(
    r"\b(?:scheduled|confirmed|requested|booked|planned|rescheduled|tentative)\b", re.IGNORECASE
)
# "Not cancelled", "to be rescheduled": a person has to say what it means.
_DOUBT = re.compile(
    r"\b(?:not (?!scheduled|attend)|un(?:confirmed|known|sure)|pending|to be|needs?)\b", re.IGNORECASE
)


def codes_by_label(target: str, choices: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return a table of codes for `patient_sex` or the status, and a remark for each label that says neither.

    A code in no table is a problem of its session when it turns up, so nothing is guessed.
    """
    meaning = _sex if target == targets.SEX else _status
    table = {code: found for code, label in choices.items() if (found := meaning(label)) is not None}
    remarks = [
        f"{target}: it is not clear what “{label}” (code {code}) means."
        for code, label in choices.items()
        if code not in table
    ]
    return table, remarks


def _sex(label: str) -> str | None:
    """Judge by the first word alone: "male (at birth)" is male, "male to female" is left to a person."""
    words = re.findall(r"[a-z-]+", label.lower())
    found = {_SEX.get(word) for word in words} - {None}
    if len(found) == 1 and words[0] in _SEX:
        return found.pop()
    return "O" if words and words[0] in _OTHER_SEX and not found else None


def _status(label: str) -> str | None:
    if _DOUBT.search(label):
        return None
    if _NO.search(label):
        return targets.NOT_WANTED
    return targets.WANTED if _YES.search(label) else None
