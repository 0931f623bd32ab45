"""History names its actor.

A row is saved with its history by Django's `save`, or by `insert_as` and `update_as`, which write the same
with a fifth of the work, for what scanners report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.signals import post_save
from django.utils import timezone
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords

from worklist.models import writing


class KeptManager(HistoryManager):  # type: ignore[misc]
    """The class of a manager is made once: django-simple-history asks for it at each save."""

    @classmethod
    @lru_cache
    def from_queryset(cls, queryset_class: Any, class_name: str | None = None) -> Any:
        return super().from_queryset(queryset_class, class_name)


def actor_history(*, excluded_fields: Iterable[str] = ()) -> HistoricalRecords:
    """Return a history whose actor is a name: a user's, `source:NAME` or `device:AET`.

    It has no key to a user, for users may live in a database of their own.
    """
    return HistoricalRecords(
        history_user_id_field=models.CharField(max_length=200, null=True),
        history_user_getter=lambda record: record.history_user_id,
        history_user_setter=_set_actor,
        excluded_fields=list(excluded_fields),
        history_manager=KeptManager,
    )


def _set_actor(record: Any, actor: str | None) -> None:
    record.history_user_id = actor


class Recorded(models.Model):
    """The history of such a model names the actor of each save."""

    _history_user: str | None
    _change_reason: str | None
    _history_date: datetime

    class Meta:
        abstract = True

    def save_as(self, actor: str, *, reason: str = "", at: datetime | None = None) -> None:
        """Save it; `at` is the moment in its history, where several rows are to share one."""
        self._history_user = actor
        self._change_reason = reason
        if at is None:
            self.save()
            return
        self._history_date = at
        try:
            self.save()
        finally:
            del self._history_date  # the next save has a moment of its own

    def insert_as(self, actor: str, *, reason: str = "") -> None:
        """Insert what `save_as` saves of a new row. Needs a transaction."""
        writing.insert(self)
        self._after_writing("+", actor, reason)

    @classmethod
    def insert_all_as(cls, rows: Sequence[Recorded], actor: str, *, reasons: Sequence[str]) -> None:
        """Insert many as `insert_as` does each, with a reason of its own, and tell nobody of it.

        The database must return rows of many. Needs a transaction.
        """
        if not rows:
            return
        inserted = writing.insert_with_keys(rows)
        model, names = _history_of(cls)
        at = connection.ops.adapt_datetimefield_value(timezone.now())
        own = {"history_date": at, "history_type": "+", "history_user_id": actor}
        kept = (
            {**values, **own, "history_change_reason": reason}
            for values, reason in zip(inserted, reasons, strict=True)
        )
        columns = [name for name in names if name != "history_id"]
        writing.insert_values(model, columns, [[row[name] for name in columns] for row in kept])

    def update_as(self, actor: str, names: Sequence[str], *, reason: str = "") -> None:
        """Write these fields of a row that is held and whole in hand, with its history. Needs a transaction.

        What is derived from them is the caller's.
        """
        writing.update(self, names)
        self._after_writing("~", actor, reason, names)

    def _after_writing(self, kind: str, actor: str, reason: str, names: Sequence[str] | None = None) -> None:
        writing.insert_all([self._history_row(kind, actor, reason, timezone.now())])
        self.skip_history_when_saving = True
        try:
            post_save.send(
                sender=type(self),
                instance=self,
                created=kind == "+",
                update_fields=frozenset(names) if names else None,
                raw=False,
                using=DEFAULT_DB_ALIAS,
            )
        finally:
            del self.skip_history_when_saving

    def _history_row(self, kind: str, actor: str, reason: str, at: datetime) -> Any:
        model, names = _history_of(type(self))
        own = {
            "history_date": at,
            "history_type": kind,
            "history_user_id": actor,
            "history_change_reason": reason,
            "history_id": None,
        }
        return model(*(own[name] if name in own else getattr(self, name) for name in names))


@cache
def _history_of(model: type[Recorded]) -> tuple[Any, list[str]]:
    """Return the model of the history, whose manager is made anew each time, and its fields in order."""
    rows: Any = model.history.model  # type: ignore[attr-defined]
    return rows, [field.attname for field in rows._meta.concrete_fields]
