"""History names its actor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords


def actor_history(*, excluded_fields: Iterable[str] = ()) -> HistoricalRecords:
    """Return a history whose actor is a name: a user's, `source:NAME` or `device:AET`.

    It has no key to a user, for users may live in a database of their own.
    """
    return HistoricalRecords(
        history_user_id_field=models.CharField(max_length=200, null=True),
        history_user_getter=lambda record: record.history_user_id,
        history_user_setter=_set_actor,
        excluded_fields=list(excluded_fields),
    )


def _set_actor(record: Any, actor: str | None) -> None:
    record.history_user_id = actor


class Recorded(models.Model):
    """The history of such a model names the actor of each save."""

    _history_user: str | None
    _change_reason: str | None

    class Meta:
        abstract = True

    def save_as(self, actor: str, *, reason: str = "") -> None:
        self._history_user = actor
        self._change_reason = reason
        self.save()
