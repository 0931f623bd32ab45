"""Names and IDs are searched for without accents, case, spaces and punctuation, by any part of them.

A text is stored by all its endings (`endings`), so that whatever stands in it begins one of them, and an
index finds beginnings. That needs no knowledge of words: 小明 is found in 王小明.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from worklist.dicom.character_sets import PLAIN_LETTERS

LONGEST = 64  # characters of an ending, and of what is sought: an ID is no longer

# The two ways to write these without the letter: Müller is Muller to some and Mueller to others.
_AS_TWO_LETTERS = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "AE",
        "Ö": "OE",
        "Ü": "UE",
        "ø": "oe",
        "Ø": "OE",
        "å": "aa",
        "Å": "AA",
    }
)
_PLAIN = str.maketrans(PLAIN_LETTERS)
# Marks that make another letter: か and が differ as k and g do.
_KEPT_MARKS = frozenset("\u3099\u309a")
# Marks of these scripts are accents, points and tones that people leave out; of others, of Thai and those of
# India, they are vowels: กิน and กุน are two names.
_WITHOUT_MARKS = ("COMBINING", "HEBREW", "ARABIC", "SYRIAC", "VARIATION", "IDEOGRAPHIC", "CYRILLIC")
_MODIFIERS = range(0x02B0, 0x0300)  # letters by their category, and apostrophes to people: Kaʻana
_BETWEEN_WORDS = re.compile(r"[\s^=,;\\|]+")
_BETWEEN_COMPONENTS = re.compile(r"[\^=]")
_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[^a-z0-9]+")
_LATIN_WITH = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH ")


def folded(text: str) -> str:
    """Return the letters and digits of a text alone, each as its plainest form."""
    if text.isascii():
        return _NEITHER_LETTER_NOR_DIGIT.sub("", text.lower())
    plain = unicodedata.normalize("NFKD", text).translate(_PLAIN)
    plain = unicodedata.normalize("NFKD", plain.casefold()).casefold()
    return unicodedata.normalize("NFC", "".join(map(_plainest, plain)))


def spellings(text: str) -> frozenset[str]:
    """Return how a text is written folded: without umlauts, or with two letters for each. None is empty."""
    composed = unicodedata.normalize("NFC", text)
    written = [folded(composed)]
    if not composed.isascii():
        written.append(folded(composed.translate(_AS_TWO_LETTERS)))
    return frozenset(filter(None, written))


def endings(*, names: Iterable[str], ids: Iterable[str]) -> frozenset[str]:
    """Return all by which names and IDs are found: each component of a name by itself, an ID as a whole."""
    parts = (part for name in names for part in _BETWEEN_COMPONENTS.split(name))
    texts = {text for part in (*parts, *ids) for text in spellings(part)}
    return frozenset(text[start : start + LONGEST] for text in texts for start in range(len(text)))


def is_found(text: str, *, names: Iterable[str], ids: Iterable[str]) -> bool:
    """Return whether a search for the text finds one with these names and IDs."""
    words, stored = sought(text), endings(names=names, ids=ids)
    return bool(words) and all(
        any(ending.startswith(spelling) for ending in stored for spelling in word) for word in words
    )


def sought(text: str) -> list[frozenset[str]]:
    """Return the spellings of each word that a person looks for; a word without a letter or digit is none."""
    words = (spellings(word) for word in _BETWEEN_WORDS.split(text))
    return [frozenset(each[:LONGEST] for each in word) for word in words if word]


def is_same_name(name: str, other: str) -> bool:
    """Return whether the first groups are written alike but for accents, order and what divides the words."""
    return bool(_name_spellings(name) & _name_spellings(other))


def words(group: str) -> list[list[str]]:
    """Return the folded words of a name's component group, in each of its spellings."""
    composed = unicodedata.normalize("NFC", group)
    written = (composed, composed.translate(_AS_TWO_LETTERS))
    return [list(filter(None, map(folded, _BETWEEN_WORDS.split(each)))) for each in written]


def _name_spellings(name: str) -> set[frozenset[str]]:
    """Return the sets of words that a name may be, by its words and by its components, in each spelling."""
    group = unicodedata.normalize("NFC", name.partition("=")[0])
    found = {frozenset(each) for each in words(group)}
    for written in (group, group.translate(_AS_TWO_LETTERS)):
        found.add(frozenset(filter(None, map(folded, _BETWEEN_COMPONENTS.split(written)))))
    return found - {frozenset()}


def _plainest(character: str) -> str:
    """Return one character of decomposed small letters in its plainest form, or "" for what is left out."""
    if character.isascii():
        return character if character.isalnum() else ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in _KEPT_MARKS or _is_a_vowel(character):
        return character
    if not character.isalnum() or ord(character) in _MODIFIERS:
        return ""
    found = _LATIN_WITH.match(unicodedata.name(character, ""))
    return found[1].lower() if found else character


def _is_a_vowel(character: str) -> bool:
    if unicodedata.category(character) not in {"Mn", "Mc"}:
        return False
    name = unicodedata.name(character, "")
    return bool(name) and not name.startswith(_WITHOUT_MARKS) and "NUKTA" not in name
