"""Accounts keep what people searched for and were told, and which rows they looked at.

Accounts may have a database of their own, and the one from before may still be there: each is looked into.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.db.models import CharField, F, Model
from django.db.models.functions import Cast

from pylantir_site import kept_search

# What of a session may name participants: what was searched for, and messages that wait to be shown.
TAKEN_FROM_SESSIONS = (kept_search.SESSION_KEY, "_messages")


def erase() -> dict[str, int]:
    """Take from every session what may name a participant; the audit trail holds keys of rows alone.

    What others searched for goes, too: a part of a name is enough, and to type it again costs little. Needs
    a transaction of each database.
    """
    return {
        "sessions": sum(map(_clear_sessions, aliases_of(Session))),
        "entries of the admin's log": sum(map(_by_keys, aliases_of(LogEntry))),
    }


def clear(session: Any) -> None:
    """Take it from the session in hand, too, which is saved after all."""
    for key in TAKEN_FROM_SESSIONS:
        session.pop(key, None)


def aliases_of(model: type[Model]) -> Iterator[str]:
    """Yield the databases that have the model's table."""
    for alias in connections:
        if model._meta.db_table in connections[alias].introspection.table_names():
            yield alias


def _clear_sessions(alias: str) -> int:
    count = 0
    for session in list(Session.objects.using(alias)):
        data: dict[str, Any] = session.get_decoded()
        if not any(key in data for key in TAKEN_FROM_SESSIONS):
            continue
        clear(data)
        encoded = SessionStore().encode(data)
        count += Session.objects.using(alias).filter(pk=session.pk).update(session_data=encoded)
    return count


def _by_keys(alias: str) -> int:
    """Name what entries are about by its key: a database that accounts have left was not upgraded."""
    key = Cast(F("object_id"), CharField(max_length=200))
    named = LogEntry.objects.using(alias).exclude(object_id=None).exclude(object_repr=F("object_id"))
    return named.update(object_repr=key)
