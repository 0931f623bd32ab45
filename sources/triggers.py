"""REDCap's Data Entry Trigger is a POST that names a record that was saved.

It is sent once, inside the save, and anyone who knows the URL can send it. So it is a hint and nothing more:
the record is read again with our own token, and a trigger that is lost costs only the wait for the next pull.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from functools import cache

from django.core.exceptions import SuspiciousOperation
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils import timezone

from pylantir_site.outside import strict_json
from sources import secrets
from sources.models import DataSource, PendingRecord, RedcapProject, RunOutcome, SourceState, SyncRun
from sources.models.dictionaries import known_dictionary
from sources.sync import claims, left_out

MOST_BYTES = 64 * 1024
MOST_CHARACTERS = 100  # of a record ID, REDCap's own limit
MOST_PENDING = 1000
FORM = "application/x-www-form-urlencoded"


class NotATrigger(Exception):
    """The request is no trigger of this source."""


def lets_in(source: DataSource | None, secret: str) -> bool:
    """Tell whether the secret is the source's; the time it takes tells nothing, not even without a source."""
    project = getattr(source, "redcap", None)
    if project is None or not (project.trigger_enabled and project.trigger_cipher):
        _decoy().is_trigger_secret(secret)
        return False
    return bool(project.is_trigger_secret(secret))


@cache
def _decoy() -> RedcapProject:
    return RedcapProject(trigger_enabled=True, trigger_cipher=secrets.encrypt("of no source"))


def record_of(body: bytes, *, content_type: str, source: DataSource) -> str:
    """Return the record that was saved; nothing else the trigger says is believed. Raises NotATrigger."""
    fields = _json(body) if content_type == "application/json" else _form(body, content_type)
    if fields.get("project_id") != _project_id(source):
        raise NotATrigger("The project is another one, or this source has not been pulled yet.")
    record = fields.get("record", "")
    if not record.strip() or len(record) > MOST_CHARACTERS:
        raise NotATrigger("The record is missing, or longer than REDCap's records are.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in record):
        raise NotATrigger("The record holds control characters.")
    return record


def _form(body: bytes, content_type: str) -> dict[str, str]:
    if content_type not in ("", FORM):
        raise NotATrigger("Neither a form nor JSON.")
    try:
        return QueryDict(body, encoding="utf-8").dict()
    except (ValueError, SuspiciousOperation):
        raise NotATrigger("The form cannot be read.") from None


def _json(body: bytes) -> dict[str, str]:
    try:
        content = strict_json.loads(body)
    except strict_json.JsonRefused:
        raise NotATrigger("The JSON cannot be read.") from None
    if not isinstance(content, dict):
        raise NotATrigger("The JSON must be an object.")
    return {name: str(value) for name, value in content.items() if type(value) in (str, int)}


def _project_id(source: DataSource) -> str:
    """Return it as REDCap sends it; where it is not known, return what no trigger sends."""
    if source.redcap.project_id:
        return str(source.redcap.project_id)
    dictionary = known_dictionary(source)
    return str(dictionary.project_id) if dictionary else "unknown"


def note_test(source: DataSource) -> None:
    """Note the empty POST that the button Test in REDCap's project setup sends."""
    SourceState.objects.filter(source=source).update(trigger_tested_at=timezone.now())


def note(source: DataSource, record: str) -> bool:
    """Have the record read again; return True if nobody else has asked for a pull that is still to come.

    The record is written before the moment: a pull that began after `triggered_at` has seen the record.
    """
    if not source.enabled or left_out.is_erased(source, record):  # its name is not to be kept
        return False
    asked_for = waits(source.pk)
    if _has_room(source, record):
        PendingRecord.objects.update_or_create(
            source=source, record=record, defaults={"since": timezone.now()}
        )
    else:
        SourceState.objects.filter(source=source).update(full_requested=True)
    states = SourceState.objects.filter(source=source)
    is_first = states.filter(triggered_at=source.state.triggered_at).update(triggered_at=timezone.now())
    if not is_first:  # of those that came at the same time
        states.update(triggered_at=timezone.now())
    return bool(is_first) and not asked_for


def _has_room(source: DataSource, record: str) -> bool:
    pending = PendingRecord.objects.filter(source=source)
    return pending.count() < MOST_PENDING or pending.filter(record=record).exists()


def waiting() -> QuerySet[DataSource]:
    """Return sources with records that a trigger named after the last pull began.

    Those that are paused, in trouble or never pulled are left to the schedule, which takes such records too.
    """
    at = OuterRef("state__triggered_at")
    runs = SyncRun.objects.exclude(outcome__in=[RunOutcome.RUNNING, RunOutcome.INTERRUPTED])
    return DataSource.objects.filter(
        Exists(PendingRecord.objects.filter(source=OuterRef("pk"))),
        ~Exists(runs.filter(source=OuterRef("pk"), started_at__gte=at)),
        enabled=True,
        state__failures=0,
        state__mark__isnull=False,
        state__next_pull_at__isnull=False,
        state__triggered_at__isnull=False,
    ).select_related("state")


def waits(source_pk: int, *, now: datetime | None = None) -> bool:
    """Tell whether the source is one of `waiting`, and may be pulled at this time of the day."""
    source = waiting().filter(pk=source_pk).first()
    return source is not None and claims.in_window(source, now or timezone.now())
