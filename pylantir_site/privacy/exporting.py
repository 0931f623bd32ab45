"""All that is known of a participant becomes a file: for programs as JSON, and for people an overview.

It is what whoever asks under article 15 of the GDPR is given, once a person has looked through it.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import AuditEvent, AuditKind
from archives.privacy import telling as of_archives
from pylantir_site import __version__, kept_search
from pylantir_site.notices.models import NoticedFact
from pylantir_site.privacy import participants
from pylantir_site.privacy.accounts import aliases_of
from sources.privacy import telling as of_sources
from worklist.dicom import name_parts
from worklist.privacy import telling as of_worklist
from worklist.privacy.people import ParticipantRows
from worklist.privacy.telling import Rows, row_of
from worklist.privacy.traces import Traces

JSON_NAME, OVERVIEW_NAME = "participant.json", "overview.txt"
# Paths of the API, and of which rows their audit keeps keys.
# Rows by the part of an endpoint's path, or of a page's name, that says what they are.
AUDITED = {
    "worklist": "worklist_items",
    "performed-steps": "performed_steps",
    "attention": "points_of_attention",
    "archived-studies": "studies_in_archives",
    "archive-checks": "checks_of_archives",
    "worklist_worklistitem": "worklist_items",
    "worklist_performedstep": "performed_steps",
    "worklist_attention": "points_of_attention",
}


def known_of(participant: ParticipantRows) -> Rows:
    """Return all that is known of the participant, by what it is."""
    traces = participants.traces_of(participant)
    found = {
        **of_worklist.rows_of(participant, traces),
        **of_sources.rows_of(participant, traces),
        **of_archives.rows_of(participant),
    }
    told = (*found["points_of_attention"], *found["points_of_archived_studies"])
    points = [f"attention:{row['id']}" for row in told]
    found["notices"] = [row_of(row) for row in NoticedFact.objects.filter(key__in=points)]
    found["searches"] = list(_searches(traces))
    found["audit_events"] = list(_audit_events(found))
    found["admin_log"] = list(_log_entries(found))
    found["lists_downloaded_since"] = list(_downloads(found))
    return found


def as_zip(participant: ParticipantRows) -> bytes:
    """Return the file: the JSON and the overview in a ZIP."""
    known = known_of(participant)
    told = {"made_at": timezone.now(), "by": f"Pylantir {__version__}", "known": known}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(JSON_NAME, json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))
        file.writestr(OVERVIEW_NAME, overview(participant, known))
    return buffer.getvalue()


def write(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone may read. Raises OSError, also where there is one already."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


def overview(participant: ParticipantRows, known: Rows) -> str:
    """Return on a page what is known, for people."""
    lines = [
        "What Pylantir knows of one participant",
        f"as of {timezone.localtime():%Y-%m-%d %H:%M}",
        "",
        f"Patient ID: {', '.join(sorted(participant.patient_ids))}",
        f"Name: {'; '.join(map(name_parts.readable, participant.names)) or 'not known'}",
        f"Birth date: {', '.join(map(str, participant.birth_dates)) or 'not known'}",
        "",
        "Appointments",
        *(_appointment(row) for row in known["worklist_items"]),
        "",
        "Examinations, as scanners reported them",
        *(_examination(row) for row in known["performed_steps"]),
        "",
        f"Who acted: {', '.join(_actors(known)) or 'nobody'}",
        f"Scanners that asked or reported: {', '.join(_scanners(known)) or 'none'}",
        "",
        f"All of it stands in {JSON_NAME}:",
        *(f"  {name.replace('_', ' ')}: {len(rows)}" for name, rows in known.items()),
        "",
        "Not in here: images, REDCap, backups, and files that people have downloaded.",
    ]
    return "\n".join(lines) + "\n"


def _appointment(row: dict[str, Any]) -> str:
    where = row["scheduled_station_aetitle"] or "any scanner"
    what = row["protocol_name"] or row["procedure_description"] or row["modality"]
    at = f"{row['scheduled_start_date']} {row['scheduled_start_time']:%H:%M}"
    return f"  {at}, {where}, {what}: {row['performed_procedure_step_status'].lower()}"


def _examination(row: dict[str, Any]) -> str:
    day = row["start_date"] or row["created_at"].date()
    what = row["description"] or row["modality"]
    return f"  {day}, {row['calling_ae_title']}, {what}: {row['status'].lower()}"


def _actors(known: Rows) -> list[str]:
    histories = (known["history_of_worklist_items"], known["history_of_performed_steps"])
    return sorted({row["history_user_id"] for rows in histories for row in rows if row["history_user_id"]})


def _scanners(known: Rows) -> list[str]:
    return sorted({row["ae_title"] for row in known["contacts_with_scanners"] if row["ae_title"]})


def _searches(traces: Traces) -> Iterator[dict[str, Any]]:
    """Yield what people searched for, as long as their sessions keep it."""
    for alias in aliases_of(Session):
        for session in Session.objects.using(alias):
            for text in dict(session.get_decoded().get(kept_search.SESSION_KEY, {})).values():
                if traces.may_be_in(text):
                    yield {"session_until": session.expire_date, "searched_for": text}


def _audit_events(known: Rows) -> Iterator[dict[str, Any]]:
    """Yield who read or wrote a row of the participant, by the keys that the trail keeps."""
    keys = {part: {row["id"] for row in known[name]} for part, name in AUDITED.items()}
    for event in AuditEvent.objects.exclude(rows=[]).order_by("pk").iterator():
        page = event.path.removeprefix("admin:").rpartition("_")[0]
        parts = (page, *event.path.strip("/").split("/"))
        if any(part in parts and keys[part] & set(event.rows) for part in keys):
            yield row_of(event)


def _log_entries(known: Rows) -> Iterator[dict[str, Any]]:
    """Yield the entries of the admin's log about a row of the participant."""
    rows = {
        "worklistitem": known["worklist_items"],
        "performedstep": known["performed_steps"],
        "attention": known["points_of_attention"],
        "confirmedperson": known["confirmed_people"],
        "syncedstep": known["sessions_at_their_sources"],
    }
    for model, of_model in rows.items():
        keys = [str(row["id"]) for row in of_model]
        found = LogEntry.objects.filter(content_type__model=model, object_id__in=keys)
        yield from (row_of(entry) for entry in found.order_by("pk"))


def _downloads(known: Rows) -> Iterator[dict[str, Any]]:
    """Yield who downloaded lists since the participant is known: nobody keeps what stood in them."""
    since = min(_moments(known), default=None)
    if since is not None:
        events = AuditEvent.objects.filter(kind=AuditKind.DOWNLOAD, at__gte=since)
        yield from (row_of(event) for event in events.order_by("pk"))


def _moments(known: Rows) -> Iterable[Any]:
    return (row["created_at"] for name in ("worklist_items", "performed_steps") for row in known[name])
