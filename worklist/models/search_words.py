"""What people search for is kept as rows of its own, in the same transaction as what they find."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q

from worklist.dicom import folding
from worklist.models import writing
from worklist.models.lookups import WildCard

models.CharField.register_lookup(WildCard)


class SearchWord(models.Model):
    """A row says that a text of its owner ends with the word, folded: what is sought begins one of them.

    The index begins with the word; its class lets PostgreSQL use it for LIKE, whatever the collation.
    """

    word = models.CharField(max_length=folding.LONGEST)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.word)


class ItemSearchWord(SearchWord):
    pk = models.CompositePrimaryKey("owner", "word")
    owner = models.ForeignKey(
        "worklist.WorklistItem", models.CASCADE, related_name="search_words", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["word", "owner"], name="item_search", opclasses=["varchar_pattern_ops", "int8_ops"]
            )
        ]


class StepSearchWord(SearchWord):
    pk = models.CompositePrimaryKey("owner", "word")
    owner = models.ForeignKey(
        "worklist.PerformedStep", models.CASCADE, related_name="search_words", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["word", "owner"], name="step_search", opclasses=["varchar_pattern_ops", "int8_ops"]
            )
        ]


SearchWords = type[ItemSearchWord] | type[StepSearchWord]


def owners(words: SearchWords, spellings: Collection[str]) -> Any:
    """Return the keys of what has a word in one of its spellings, as a subquery of the index alone."""
    return words._default_manager.filter(_begins(spellings)).order_by().values("owner_id")


def has_all(words: SearchWords, text: str, *others: Any) -> Q:
    """Return the restriction to what has each word of a text; a text without one finds nothing.

    The longest word finds, and the others are looked up of what it found: SQLite would list all that has a
    common one. `others` are subqueries of what a text of one word finds besides.
    """
    sought = sorted(folding.sought(text), key=_length, reverse=True)
    if not sought:
        return Q(pk__in=[])
    longest, *more = sought
    found = owners(words, longest)
    if not more:
        return Q(pk__in=found.union(*others) if others else found)
    of_the_same = words._default_manager.filter(owner_id=OuterRef("pk"))
    has_more = (Q(Exists(of_the_same.filter(_begins(each)))) for each in more)
    return reduce(and_, has_more, Q(pk__in=found))


def first_owners(words: SearchWords, text: str, most: int) -> list[int]:
    """Return the keys of at most so many that have each word of a text, without reading all that have."""
    sought = sorted(folding.sought(text), key=_length, reverse=True)
    if not sought:
        return []
    longest, *more = sought
    found = words._default_manager.filter(_begins(longest))
    of_the_same = words._default_manager.filter(owner_id=OuterRef("owner_id"))
    for each in more:
        found = found.filter(Exists(of_the_same.filter(_begins(each))))
    return list(found.order_by().values_list("owner_id", flat=True).distinct()[:most])


def has_all_itself(words: SearchWords, text: str, owner: str = "pk") -> Q:
    """Return the restriction to rows whose owner, by the name of its column, has each word of a text.

    Each row is asked, as is right for few of them, or for the first of many in an order that an index has.
    """
    sought = folding.sought(text)
    if not sought:
        return Q(pk__in=[])
    own = words._default_manager.filter(owner_id=OuterRef(owner))
    return reduce(and_, (Q(Exists(own.filter(_begins(each)))) for each in sought))


def _length(spellings: Collection[str]) -> int:
    return min(map(len, spellings))


def _insert(rows: SearchWords, words: Sequence[tuple[int, str]]) -> None:
    """Write (owner, word) pairs. Two writers at once would write the same."""
    writing.insert_values(rows, ("owner_id", "word"), words, ignores_known=True)


def _begins(spellings: Collection[str]) -> Q:
    return reduce(or_, (Q(word__wild_card=f"{spelling}*") for spelling in sorted(spellings)))


class Searched(models.Model):
    """Such a row is found by parts of its names and IDs; `save` keeps its words, and `bulk_create` does not.

    They are written anew only where one of these fields is another than it was read or saved.
    """

    searched_names: ClassVar[tuple[str, ...]]
    searched_ids: ClassVar[tuple[str, ...]]
    _words_are_of: tuple[Any, ...] | None = None  # the values that the stored words follow from

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        is_new = self._state.adding
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)
            self.keep_changed_search_words(is_new=is_new)

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any
    ) -> Self:
        found = super().from_db(db, field_names, values, **more)
        found._words_are_of = found._searched_values()
        return found

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        super().refresh_from_db(using, fields, from_queryset)
        # Of a row that was read in part nobody knows: its words are written anew.
        self._words_are_of = self._searched_values() if fields is None else None

    def keep_search_words(self, *, is_new: bool = False) -> None:
        """Write the words anew. Needs a transaction."""
        rows: Any = self.search_words  # type: ignore[attr-defined]
        if not is_new:
            rows.all().delete()
        _insert(rows.model, self._words())
        self._words_are_of = self._searched_values()

    @classmethod
    def keep_search_words_of_new(cls, rows: Sequence[Self]) -> None:
        """Write the words of rows that `bulk_create` has made. Needs a transaction."""
        if rows:
            words: Any = rows[0].search_words  # type: ignore[attr-defined]
            _insert(words.model, [pair for row in rows for pair in row._words()])
        for row in rows:
            row._words_are_of = row._searched_values()

    def keep_changed_search_words(self, *, is_new: bool = False) -> None:
        """Write the words anew where they would be others. Needs a transaction."""
        if is_new or self._searched_values() != self._words_are_of:
            self.keep_search_words(is_new=is_new)

    def _words(self) -> list[tuple[int, str]]:
        words = folding.endings(
            names=[getattr(self, field) for field in self.searched_names],
            ids=[getattr(self, field) for field in self.searched_ids],
        )
        return [(self.pk, word) for word in sorted(words)]

    def _searched_values(self) -> tuple[Any, ...]:
        """Return the values as they are in hand, without reading what was left in the database."""
        return tuple(self.__dict__.get(field) for field in (*self.searched_names, *self.searched_ids))
