"""Fields and instruments are found by what a person types of a name or a label, among tens of thousands.

A project's entries are one text with a line for each, which is searched as it is stored: a dictionary of
40,000 fields takes half a second to read, and its lines a few milliseconds. Accents, case and punctuation do
not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import islice
from typing import NamedTuple

from sources.dictionary import Dictionary, Field
from sources.mapping import columns
from sources.rows import GROUP
from worklist.dicom.folding import spellings

MOST_HITS = 20
LONGEST_SHOWN = 160  # characters of a label, or of choices
CHOICES_SHOWN = 5
_Words = list[tuple[str, ...]]  # each in its spellings
_BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~]+")  # white space and ASCII's punctuation
_OF_ASCII = re.compile(r"[^a-z0-9]+")
_BREAKS = re.compile(r"\s+")


class ListedEntry(NamedTuple):
    """It is a field, or an instrument, as a person chooses it from a list."""

    name: str
    label: str
    form: str = ""
    type: str = ""
    choices: str = ""


class FoundEntries(NamedTuple):
    entries: tuple[ListedEntry, ...]
    has_more: bool


def field_lines(dictionary: Dictionary) -> str:
    """Return a line for each name that a row of a mapping may read, in the dictionary's order."""
    statuses = [
        (f"{form}{columns.STATUS_ENDING}", f"Status of {label}", form, "status", "")
        for form, label in dictionary.forms.items()
    ]
    rows = [(name, label, "", "of every row", "") for name, label in _of_every_row(dictionary)]
    entries = [*map(_of_field, dictionary.fields.values()), *statuses, *rows]
    return "\n".join(_line(*entry) for entry in entries)


def instrument_lines(dictionary: Dictionary) -> str:
    return "\n".join(_line(name, label) for name, label in dictionary.forms.items())


def search(lines: str, text: str, *, most: int = MOST_HITS) -> FoundEntries:
    """Return the likeliest entries that have every word of the text in name or label."""
    words = [tuple(spellings(word)) for word in _BETWEEN_WORDS.split(text) if spellings(word)]
    if not text.strip():
        near = lines.split("\n", most + 1)[: most + 1] if lines else []
    elif words:
        near = _near(lines, text.strip().casefold(), words, most + 1)
    else:
        near = []  # nothing but signs
    return FoundEntries(tuple(map(_entry, near[:most])), has_more=len(near) > most)


def _near(lines: str, typed: str, words: _Words, count: int) -> list[str]:
    """Return the best lines. Enough names that begin so are found without a look at all the others."""
    beginning = list(islice(_beginning(lines, typed), count))
    if len(beginning) < count:
        return [line for _, _, line in nsmallest(count, _ranked(lines, typed, words))]
    exact = next(_beginning(lines, f"{typed}\t"), None)
    return [exact, *(line for line in beginning if line != exact)][:count] if exact else beginning


def _beginning(lines: str, text: str) -> Iterator[str]:
    """Yield the lines that begin with the text."""
    sought, whole = f"\n{text}", f"\n{lines}\n"
    place = whole.find(sought)
    while place >= 0:
        end = whole.find("\n", place + 1)
        yield whole[place + 1 : end]
        place = whole.find(sought, end)


def _ranked(lines: str, typed: str, words: _Words) -> Iterator[tuple[int, int, str]]:
    """Yield each line that has the words, with its rank, the best the least, and its place."""
    beginnings = [tuple(f" {word}" for word in each) for each in words]
    for place, line in enumerate(lines.split("\n")):
        if not _has_all(words, line):  # most lines go here
            continue
        _, of_name, of_label = line.rsplit("\t", 2)
        sought = f" {of_name} {of_label}"
        if _has_all(words, sought):
            yield _rank(line, f" {of_name}", sought, typed, beginnings), place, line


def _rank(line: str, of_name: str, sought: str, typed: str, beginnings: _Words) -> int:
    if line.startswith(typed):
        return 0 if line.startswith(f"{typed}\t") else 1
    if _has_all(beginnings, of_name):
        return 2
    return 3 if _has_all(beginnings, sought) else 4


def _has_all(words: _Words, text: str) -> bool:
    """Tell whether each word is in the text in one of its spellings. It is asked of every line."""
    for spelled in words:
        for word in spelled:
            if word in text:
                break
        else:
            return False
    return True


def _of_every_row(dictionary: Dictionary) -> Iterator[tuple[str, str]]:
    yield GROUP, "Data Access Group"
    if dictionary.is_longitudinal:
        yield "redcap_event_name", "Event"
    if dictionary.has_repeats:
        yield "redcap_repeat_instrument", "Repeating instrument"
        yield "redcap_repeat_instance", "Repeat instance"


def listed(field: Field) -> ListedEntry:
    """Return the field as it is shown: long texts are cut."""
    return ListedEntry(*map(_shown, _of_field(field)))


def _of_field(field: Field) -> tuple[str, str, str, str, str]:
    pairs = [f"{code}={label}" for code, label in list(field.choices.items())[:CHOICES_SHOWN]]
    more = [", …"] if len(field.choices) > CHOICES_SHOWN else []
    choices = "".join([", ".join(pairs), *more])
    return field.name, field.label, field.form, field.validation or field.type, choices


def _line(name: str, label: str, form: str = "", type: str = "", choices: str = "") -> str:
    shown = map(_shown, (name, label, form, type, choices))
    # A name is found as it is written without its underscores, too.
    return "\t".join([*shown, _sought([name, name.replace("_", "")]), _sought([label])])


def _entry(line: str) -> ListedEntry:
    return ListedEntry(*line.split("\t")[: len(ListedEntry._fields)])


def _shown(text: str) -> str:
    plain = _BREAKS.sub(" ", text).strip()
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[:LONGEST_SHOWN]}…"


def _sought(texts: Iterable[str]) -> str:
    return " ".join(word for text in texts for word in _words(text))


def _words(text: str) -> Iterator[str]:
    if text.isascii():  # the usual case, and many times faster
        yield from filter(None, _OF_ASCII.split(text.lower()))
        return
    for word in _BETWEEN_WORDS.split(unicodedata.normalize("NFC", text)):
        yield from sorted(spellings(word))
