"""The admin's log names what was changed by its key, and no participant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse

from accounts.models import User
from pylantir_site.keyed_log import KeyedLog
from tests.worklist.reported import an_item
from worklist.models import ConfirmedPerson, WorklistItem

NAME, PATIENT_ID = "Markiewicz^Zofia", "MARK-77"


@pytest.mark.acceptance("H60")
def test_the_log_of_each_page_of_the_admin_is_by_keys() -> None:
    assert admin.site._registry
    assert [model for model, its in admin.site._registry.items() if not isinstance(its, KeyedLog)] == []


@pytest.mark.django_db
@pytest.mark.acceptance("H60")
def test_what_is_added_and_deleted_is_logged_by_its_key(client: Client, alice: User) -> None:
    client.force_login(alice)
    item = an_item(patient_name=NAME, patient_id=PATIENT_ID)
    person = {"patient_id": PATIENT_ID, "patient_name": NAME, "reason": "Markiewicz said so"}
    form = {**person, "is_shared": "on", **_parts_of(NAME)}
    added = client.post(reverse("admin:worklist_confirmedperson_add"), form)
    assert added.status_code == 302, added.content.decode()
    key = ConfirmedPerson.objects.get().pk
    client.post(reverse("admin:worklist_worklistitem_delete", args=[item.pk]), {"post": "yes"})

    assert not WorklistItem.objects.exists()
    told = list(LogEntry.objects.order_by("pk").values_list("object_id", "object_repr"))
    assert told == [(str(key), str(key)), (str(item.pk), str(item.pk))]
    assert not any("Mark" in str(entry) for entry in LogEntry.objects.values())


def _parts_of(name: str) -> dict[str, str]:
    """Return the fields of a form that has a field for each part of a name."""
    parts = dict(enumerate(name.split("^")))
    return {f"patient_name_{number}": parts.get(number, "") for number in range(15)}


@pytest.mark.slow
@pytest.mark.acceptance("H60")
def test_what_was_logged_by_names_is_by_keys_after_the_upgrade(transactional_db: None) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", "0005_audit_events_are_only_added")])
    user = User.objects.create_user("alice", role="admin")
    inline: list[dict[str, Any]] = [
        {"changed": {"fields": ["Patient name"]}},
        {"added": {"name": "row", "object": f"{NAME} · {PATIENT_ID}"}},
    ]
    common = {"user_id": user.pk, "content_type": ContentType.objects.get_for_model(WorklistItem)}
    for object_id, message in (("7", json.dumps(inline)), ("8", "Renewed."), (None, '"object": no JSON')):
        LogEntry.objects.create(
            **common,
            object_id=object_id,
            object_repr="list" if object_id is None else NAME,
            action_flag=2,
            change_message=message,
        )

    call_command("migrate", verbosity=0)

    entries = list(LogEntry.objects.order_by("pk"))
    assert [entry.object_repr for entry in entries] == ["7", "8", "list"]
    assert "Mark" not in str([entry.change_message for entry in entries])
    assert entries[0].get_change_message() == "Changed Patient name. Added row “-”."
    assert entries[1].change_message == "Renewed."
    MigrationExecutor(connection).migrate([("accounts", "0005_audit_events_are_only_added")])
    call_command("migrate", verbosity=0)
