"""Marks of one participant come in here by every door, each a text that stands nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pylantir_site.notices import sweeping
from pylantir_site.notices.models import Delivery, NoticeKind, Subscription
from tests.admin_pages import fields_of, typed_name
from tests.api_client import client_of
from tests.worklist import made_files
from tests.worklist.item_pages import change_url
from worklist.attention import points
from worklist.items import file_import, intake, worklist_files
from worklist.items.file_import import FileImport
from worklist.models import Attention, WorklistItem

FAMILY, GIVEN, MIDDLE = "Qwertzfamily", "Qwertzgiven", "Qwertzmiddle"
NAME = f"{FAMILY}^{GIVEN}^{MIDDLE}=鱟鱸^鱺鱻=くゎるつ^ぎゔん"
CYRILLIC = "Щщавель"
PATIENT_ID, RECORD = "QWERTZ-4711", "QWERTZ-4711"
BIRTH = "19370713"
ACCESSION, ORDER, STUDY = "QWZACC01", "QWZRP01", "1.2.826.0.1.3680043.10.4711.815"
ALERT, COMMENT, NOTE = "Qwertzalert", "Qwertzcomment", "Qwertznote"
# Folded, as words of searches and compared groups are.
FOLDED = ("qwertzfamily", "qwertzgiven", "qwertzmiddle", "qwertz4711", "qwzacc01")
ENCODINGS = ("utf-8", "iso8859-1", "iso8859-5", "utf-16-le", "unicode_escape")
MARKS = (
    *(FAMILY, GIVEN, MIDDLE, "鱟鱸", "鱺鱻", "くゎるつ", "ぎゔん", CYRILLIC, PATIENT_ID, ACCESSION, ORDER),
    *(STUDY, ALERT, COMMENT, NOTE, BIRTH, "1937-07-13", *FOLDED),
)


def an_item(**values: Any) -> WorklistItem:
    least = {
        "patient_name": NAME,
        "patient_id": PATIENT_ID,
        "patient_birth_date": BIRTH,
        "patient_sex": "F",
        "patient_weight_kg": "61.37",
        "modality": "MR",
        "protocol_name": "BRAIN",
        "scheduled_station_aetitle": "MR1",
        "scheduled_start_date": timezone.localdate(),
    }
    return intake.create({**least, **values}, actor="alice")


def by_rest(user: User) -> WorklistItem:
    """Make an item by REST, look at it and for it, and give the reason of a change."""
    client = client_of(user)
    body = {
        "patient_name": NAME,
        "patient_id": PATIENT_ID,
        "patient_birth_date": BIRTH,
        "patient_sex": "F",
        "patient_weight_kg": "61.37",
        "modality": "MR",
        "protocol_name": "BRAIN",
        "procedure_description": f"Head of {FAMILY}",
        "referring_physician_name": f"Doctor^Of {FAMILY}",
        "accession_number": ACCESSION,
        "requested_procedure_id": ORDER,
        "study_instance_uid": STUDY,
        "scheduled_station_aetitle": "MR1",
        "scheduled_start_date": f"{timezone.localdate():%Y%m%d}",
        "extra_attributes": {"MedicalAlerts": ALERT, "PatientComments": COMMENT},
    }
    made = client.post("/worklist", body)
    assert made.status_code == 201, made.content.decode()
    item = WorklistItem.objects.get(accession_number=ACCESSION)
    changed = client.patch(f"/worklist/{item.pk}", {"patient_weight_kg": "62.5", "reason": NOTE})
    assert changed.status_code in (200, 400), changed.content.decode()
    assert client.get("/worklist", {"patient_id": PATIENT_ID}).status_code == 200
    return item


def by_the_form(client: Client) -> None:
    """Add an item by the admin's form, change it by that, and delete another."""
    add = reverse("admin:worklist_worklistitem_add")
    typed = {"patient_id": PATIENT_ID, "modality": "MR", "scheduled_start_date": f"{timezone.localdate()}"}
    name = typed_name("patient_name", NAME)
    client.post(add, {**fields_of(client, add), **typed, **name, "patient_weight_kg": "61.4"})
    made = WorklistItem.objects.latest("pk")
    assert made.patient_name == NAME
    url = change_url(made)
    client.post(url, {**fields_of(client, url), **typed_name("patient_name", NAME + "=")})
    gone = an_item()
    client.post(reverse("admin:worklist_worklistitem_delete", args=[gone.pk]), {"post": "yes"})
    assert not WorklistItem.objects.filter(pk=gone.pk).exists()


def by_a_file(folder: Path) -> None:
    content = made_files.worklist(
        SpecificCharacterSet="ISO_IR 192",
        PatientName=NAME,
        PatientID=PATIENT_ID,
        PatientBirthDate=BIRTH,
        PatientComments=COMMENT,
    )
    path = made_files.write(folder / f"{FAMILY}.wl", content)
    imported = FileImport("import_worklist").take(
        file_import.given(path.name, path.name, lambda: worklist_files.read(path, strict=False))
    )
    path.unlink()
    assert not imported.refusal, imported.refusal


def by_a_weight(client: Client, item: WorklistItem) -> None:
    """Correct a weight by its own page, so that an undo stands in a message of the session."""
    page = reverse("admin:worklist_quick_weight", args=[item.pk])
    hidden = re.findall(r'name="(seen_\w+)" value="([^"]*)"', client.get(page).content.decode())
    client.post(page, {**dict(hidden), "patient_weight_kg": "63.5", "next": "/admin/"})
    assert "_messages" in client.session


def by_what_people_look_for(client: Client) -> None:
    """Search on every page and in a list, and download that."""
    client.post(reverse("admin:search"), {"q": FAMILY})
    listed = reverse("admin:worklist_worklistitem_changelist")
    client.post(reverse("admin:search"), {"q": PATIENT_ID, "list": "worklist.worklistitem"})
    kept = dict(client.session["kept_searches"])
    assert FAMILY in kept.values()
    for key in kept:
        client.get(listed, {"q": key})
        answer = client.get("/admin/csv/worklist/worklistitem/", {"q": key})
        assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def wants_notices(user: User) -> None:
    Subscription.objects.create(username=user.username, kinds=NoticeKind.values)


def by_notices() -> None:
    sweeping.sweep()
    assert Delivery.objects.exists()


def by_what_others_wrote(point: Attention) -> WorklistItem:
    """Write of the participant in the history of somebody else's item, and resolve a point with a note."""
    other = intake.create(
        {
            "patient_name": "Else^Somebody",
            "patient_id": "ELSE-1",
            "modality": "MR",
            "scheduled_start_date": timezone.localdate(),
        },
        actor="alice",
    )
    intake.change(other, {"protocol_name": "KNEE"}, actor="alice", reason=f"In place of {GIVEN} {FAMILY}")
    points.resolve(point, actor="alice", note=f"{NOTE}: asked {GIVEN}")
    return other


def left_in_tables() -> dict[str, set[str]]:
    """Return the marks that any row of any table of each database has, by the table."""
    found: dict[str, set[str]] = {}
    for alias in connections:
        connection = connections[alias]
        quote = connection.ops.quote_name
        for table in connection.introspection.table_names():
            for row in _rows(connection, quote(table)):
                marks = {mark for mark in MARKS for text in row if mark in text}
                if marks:
                    found.setdefault(table, set()).update(marks)
    return found


def _rows(connection: Any, table: str) -> Iterator[list[str]]:
    """Yield each row's values as texts; bytes as the texts that they may be, in usual encodings."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        for row in cursor.fetchall():
            yield [text for value in row for text in _texts(value)]


def _texts(value: Any) -> list[str]:
    if isinstance(value, bytes | memoryview):
        return [bytes(value).decode(encoding, "replace") for encoding in ENCODINGS]
    text = str(value)
    return [text, text.encode().decode("unicode_escape", "replace")] if "\\u" in text else [text]


def left_in_sessions() -> set[str]:
    """Return the marks that any session has, decoded, an undo's token too."""
    said = [str(session.get_decoded()) for session in Session.objects.all()]
    return {mark for mark in MARKS for text in said if mark in text}


def _encoded(mark: str) -> set[bytes]:
    """Return the bytes of a mark in each encoding that has all its letters."""
    found = {mark.encode(encoding, "ignore") for encoding in ENCODINGS}
    return {each for each in found if len(each) >= len(mark)}


def left_in_files(*folders: Path) -> dict[str, set[str]]:
    """Return the marks whose bytes any file below the folders has, by the file."""
    found: dict[str, set[str]] = {}
    for path in (each for folder in folders for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        marks = {mark for mark in MARKS if any(each in content for each in _encoded(mark))}
        if marks:
            found[path.name] = marks
    return found
