"""A field is described by all that the dictionary says of it, and by whom it is about."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sources.dictionary import Dictionary, Field
from sources.mapping import events, sessions, wording
from sources.mapping.rules import Level, SessionLayout
from sources.mapping.suggestion import words
from sources.mapping.wording import any_of

_CHOICES = frozenset({"radio", "dropdown"})
_NUMBERS = ("number", "integer")
_ID = any_of("ids?", "record", "code", "key", "uid", "guid", "nr", "no", "number", "family", "site", "case")
_NOTHING = re.compile(r"(?!)")
_PARTICLES = any_of(
    *(
        "the",
        "a",
        "an",
        "of",
        "in",
        "on",
        "and",
        "for",
        "der",
        "die",
        "das",
        "des",
        "und",
        "von",
        "zur",
        "zum",
    ),
    *("im", "la", "le", "les", "de", "du", "et", "el", "los", "las", "del", "y", "en"),
)
# How to answer is not what is asked: “Date of birth (if unknown enter 01-JUL)”.
_HINT = re.compile(r"\((?:if|falls|wenn|si)\b[^()]*\)", re.IGNORECASE)
_FEW = 3  # names that begin with the same word, which is then no word of the field's own
_PREGNANCY = any_of(
    *("pregnan(?:t|cy|cies)", "obstetric", "gestation", "gestational", "placenta", "placental"),
    *("schwangerschaft", "schwangere", "grossesse", "embarazo", "embarazadas?"),
)


@dataclass(frozen=True, slots=True)
class Described:
    """It has a field's texts as words (`wording.words`), and those of its form and section."""

    field: Field
    name: str
    label: str
    form: str
    section: str

    @property
    def said(self) -> str:
        return f"{self.name} {self.label}"

    @property
    def is_text(self) -> bool:
        return self.field.type == "text"

    @property
    def is_free_text(self) -> bool:
        """Tell whether REDCap takes any text in it."""
        return self.is_text and not self.field.validation

    @property
    def is_choice(self) -> bool:
        return self.field.type in _CHOICES and bool(self.field.choices)

    @property
    def is_date(self) -> bool:
        return self.is_text and self.field.validation.startswith("date")

    @property
    def has_time(self) -> bool:
        return self.is_text and self.field.validation.startswith("datetime")

    @property
    def is_time(self) -> bool:
        return self.is_text and self.field.validation in ("time", "time_hh_mm_ss")

    @property
    def is_number(self) -> bool:
        return self.field.type == "calc" or (self.is_text and self.field.validation.startswith(_NUMBERS))

    @property
    def is_retired(self) -> bool:
        return words.RETIRED.search(f"{self.label} {wording.words(self.field.annotation)}") is not None


class Project:
    """It has the described fields of a dictionary, and knows whom they are about."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self._forms: dict[str, str] = {}
        self._sections: dict[str, str] = {}
        self._beginnings: dict[str, Counter[str]] = defaultdict(Counter)
        self.fields = tuple(self._described(field) for field in dictionary.fields.values())

    def _described(self, field: Field) -> Described:
        form = self._forms.get(field.form)
        if form is None:
            form = wording.words(f"{field.form} {self.dictionary.forms.get(field.form, '')}")
            self._forms[field.form] = form
        section = self._sections.get(field.section)
        if section is None:
            section = self._sections[field.section] = wording.words(field.section)
        name = wording.words(field.name)
        self._beginnings[field.form].update(set(name.split()[:2]))
        return Described(field, name, wording.words(_HINT.sub(" ", field.label)), form, section)

    def where(self, fits: Callable[[Described], bool]) -> Iterator[Described]:
        """Yield what fits, without what is retired."""
        return (each for each in self.fields if fits(each) and not each.is_retired)

    def beyond_name(self, each: Described, known: Iterable[re.Pattern[str]]) -> list[str]:
        """Return what a name says beyond the known, without what it shares with others of its form."""
        beginnings = self._beginnings[each.field.form]
        often = max(_FEW, beginnings.total() // 8)
        return [
            word
            for word in words.beyond(each.name, known)
            if word not in each.form.split() and beginnings[word] < often
        ]

    @cached_property
    def participant(self) -> re.Pattern[str]:
        """Return what the record ID field calls those whose records they are: `player_id`."""
        own = words.beyond(self.fields[0].name, [_ID])
        return any_of(*(f"{word}s?" for word in own)) if own else _NOTHING

    def saying(self, keys: re.Pattern[str], fits: Callable[[Described], bool]) -> Iterator[Described]:
        """Yield what fits and has a word in its name or label that the pattern matches as a whole."""
        places = {place for word, found in self._places.items() if keys.fullmatch(word) for place in found}
        said = (self.fields[place] for place in sorted(places))
        return (each for each in said if fits(each) and not each.is_retired)

    @cached_property
    def _places(self) -> Mapping[str, list[int]]:
        """Return where each word is said: a project with 40,000 fields has far fewer words than texts."""
        places: dict[str, list[int]] = defaultdict(list)
        for place, each in enumerate(self.fields):
            for word in set(each.said.split()):
                places[word].append(place)
        return places

    def level(self, field: Field, how: SessionLayout) -> Level:
        return sessions.level_of(field.name, how, self.dictionary)

    def repeats(self, field: Field) -> bool:
        """Tell whether the field's form repeats, by itself or with its event."""
        return any(
            events.repeats_form(event, field.form, self.dictionary) or events.repeats(event, self.dictionary)
            for event in events.holding(field.form, self.dictionary)
        )

    def arms(self, field: Field) -> frozenset[int]:
        """Return the arms in which the field's form is; none in a classic project."""
        held = events.holding(field.form, self.dictionary)
        return frozenset(each.arm for each in self.dictionary.events if each.name in held)

    @cached_property
    def initials(self) -> frozenset[str]:
        """Return the initials of the title, of all its words and of those that are no particles."""
        said = self._title.split()
        long = [word for word in said if not _PARTICLES.fullmatch(word)]
        return frozenset("".join(word[0] for word in each) for each in (said, long) if len(each) > 1)

    @cached_property
    def _title(self) -> str:
        return wording.words(self.dictionary.title)

    @cached_property
    def scanned(self) -> re.Pattern[str] | None:
        """Return the words of those who are scanned where they are a mother, a child or an infant.

        A title tells it, else the date of the scan, its form included. Where two are scanned, it is unknown.
        """
        groups = _scanned_by(self._title)
        if not groups and _PREGNANCY.search(self._title):
            groups = [words.MOTHER]
        elif not groups and words.MINORS.search(self._title) and not words.RELATIVE.search(self._title):
            groups = [words.CHILD]
        if not groups:
            scans = re.compile(f"{words.MRI.pattern}|{words.SCAN.pattern}")
            dates = [f"{each.said} {each.form}" for each in self.saying(scans, lambda each: each.is_date)]
            groups = _scanned_by("; ".join(dates))
        return groups[0] if len(groups) == 1 else None

    @cached_property
    def who(self) -> re.Pattern[str]:
        """Return the words that name who is scanned."""
        known = [words.PARTICIPANT, self.participant, *filter(None, [self.scanned])]
        return re.compile("|".join(pattern.pattern for pattern in known))

    def is_another_persons(self, each: Described) -> bool:
        """Tell whether a relative or someone of the staff is named, in name, label or section."""
        texts = (each.name, *(self._told(text) for text in (each.label, each.section)))
        patterns = [words.RELATIVE, words.STAFF, *self._others]
        if not each.is_date:
            patterns.append(words.FETUS)  # the day of its scan is its mother's
        return any(pattern.search(text) for pattern in patterns for text in texts)

    def may_be_another_persons(self, each: Described) -> bool:
        """Tell whether it may be a child's, or whether its form is about a relative.

        A field that names the participant, or who is scanned, is theirs on whatever form.
        """
        texts = (each.name, self._told(each.label), each.section)
        scanned = [words.PARTICIPANT, *filter(None, [self.scanned])]
        if any(pattern.search(text) for pattern in scanned for text in texts):
            return False
        is_childs = self.scanned is not words.CHILD and any(words.CHILD.search(text) for text in texts)
        return is_childs or self.is_on_a_relatives_form(each)

    def is_on_a_relatives_form(self, each: Described) -> bool:
        form = self._told(each.form)
        return any(pattern.search(form) for pattern in (words.RELATIVE, *self._others))

    @cached_property
    def _others(self) -> list[re.Pattern[str]]:
        return [group for group in (words.MOTHER, words.INFANT) if group is not self.scanned]

    def _told(self, text: str) -> str:
        """Return the words without those that name who told it."""
        return words.REPORTED.sub(" ", text)


_GROUPS = (words.MOTHER, words.CHILD, words.INFANT)


def _scanned_by(text: str) -> list[re.Pattern[str]]:
    """Return the groups that a text names, the mother for her fetus."""
    named = {group for group in _GROUPS if group.search(text)}
    if words.FETUS.search(text):
        named.add(words.MOTHER)
    return [group for group in _GROUPS if group in named]
