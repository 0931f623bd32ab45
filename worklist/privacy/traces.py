"""A text names a participant if it has an ID of theirs, or enough of a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property

from worklist.dicom import folding, person_name

SHORTEST_ID = 3  # characters: a shorter one stands in many texts and means something else there
SHORTEST_NAME = 4  # folded letters of a whole name of plain letters, as it may stand within a word
SHORTEST_BEGINNING = 2  # letters that a query's wild card leaves, to tell of somebody
_WORD = re.compile(r"\w+")
_DATES = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")


@dataclass
class Traces:
    """These say who a participant is: IDs of every kind, names in DICOM's form, birth dates."""

    ids: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    birth_dates: set[date] = field(default_factory=set)

    def note(
        self, *, ids: Iterable[str] = (), names: Iterable[str] = (), birth_dates: Iterable[date | None] = ()
    ) -> None:
        """Take in what else is known; what is empty says nothing."""
        self.ids.update(filter(None, map(str.strip, ids)))
        self.names.update(filter(None, map(str.strip, names)))
        self.birth_dates.update(filter(None, birth_dates))
        self._begin_anew()

    def forget(self, ids: Iterable[str]) -> None:
        """Leave out IDs that turn out to say nothing."""
        self.ids.difference_update(ids)
        self._begin_anew()

    def _begin_anew(self) -> None:
        for known in ("_id_pattern", "_parts", "_wholes", "_written"):
            self.__dict__.pop(known, None)

    def are_in(self, text: str) -> bool:
        """Tell whether the text, which is about somebody else or nobody, names the participant."""
        if not text:
            return False
        if self._id_pattern is not None and self._id_pattern.search(text):
            return True
        words, joined = _folded_words(text), folding.folded(text)
        return any(
            whole.stands_in(joined) or (len(whole.words) > 1 and whole.words <= words)
            for whole in self._wholes
        )

    def may_be_in(self, text: str) -> bool:
        """Tell whether any part of what says who it is stands in a text that is about the participant."""
        if self.are_in(text) or any(written in text for written in self._written):
            return True
        words, joined = _folded_words(text), folding.folded(text)
        if any(part in words or (not part.isascii() and part in joined) for part in self._parts):
            return True
        return any(each in text.split() for each in self.ids)

    def are_asked_for(self, value: str) -> bool:
        """Tell whether a query's value finds the participant, or would with a little less of it."""
        if self.may_be_in(value):
            return True
        if "*" not in value and "?" not in value:
            return False
        return any(map(self._is_found_by, value.split("\\")))

    def _is_found_by(self, value: str) -> bool:
        if len(re.sub(r"[*?^=\s]", "", value)) < SHORTEST_BEGINNING:
            return False
        pattern = person_name.comparable(value).replace("[", "[[]")
        stored = {person_name.comparable(each) for each in (*self.ids, *self.names)}
        stored |= {group for name in self.names for group in person_name.groups(name) if group}
        stored |= self._parts
        return any(fnmatchcase(each, pattern) for each in stored)

    @property
    def texts(self) -> list[str]:
        """Return what a database is asked for, to find the texts that `are_in` then judges."""
        parts = {part for name in self.names for part in re.split(r"[\^=]", name) if part.strip()}
        texts = {*self.ids, *parts}
        return sorted(each for each in texts if len(each) >= SHORTEST_ID or not each.isascii())

    @cached_property
    def _id_pattern(self) -> re.Pattern[str] | None:
        ids = sorted(each for each in self.ids if len(each) >= SHORTEST_ID)
        either = "|".join(map(re.escape, ids))
        return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE) if ids else None

    @cached_property
    def _parts(self) -> frozenset[str]:
        found = (word for name in self.names for word in _folded_words(name))
        return frozenset(word for word in found if len(word) > 1 or not word.isascii())

    @cached_property
    def _wholes(self) -> tuple[_Whole, ...]:
        return tuple(_wholes(self.names))

    @cached_property
    def _written(self) -> frozenset[str]:
        return frozenset(f"{day:{form}}" for day in self.birth_dates for form in _DATES)


@dataclass(frozen=True)
class _Whole:
    """This is a component group: its words, and these in the two orders in which people write them."""

    words: frozenset[str]
    orders: frozenset[str]

    def stands_in(self, joined: str) -> bool:
        return any(each in joined for each in self.orders)


def _wholes(names: Iterable[str]) -> Iterator[_Whole]:
    for name in names:
        for group in name.split("="):
            family, given, *_ = (*map(folding.folded, group.split("^")), "")
            orders = {family + given, given + family}
            long_enough = {each for each in orders if len(each) >= SHORTEST_NAME or not each.isascii()}
            words = frozenset(filter(None, (family, given)))
            if words:
                yield _Whole(words, frozenset(filter(None, long_enough)))


def _folded_words(text: str) -> frozenset[str]:
    """Return the words of a text in each of their spellings."""
    return frozenset(spelling for word in _WORD.findall(text) for spelling in folding.spellings(word))
