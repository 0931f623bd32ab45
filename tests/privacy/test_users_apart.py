"""Accounts may have a database of their own: nothing of an erased participant is left in either file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.site.fresh import manage, script

pytestmark = pytest.mark.slow
MARKS = (b"Qwertzfamily", b"qwertzfamily", b"QWERTZ-4711")
PLANT = """
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import User
from tests.worklist.performed_steps import begun, completed
from tests.worklist.reported import an_item, reported, updated
from worklist.models import WorklistItem

alice = User.objects.create_user("alice", role="admin")
item = an_item(patient_name="Qwertzfamily^Given", patient_id="QWERTZ-4711")
step = updated(reported(begun(item)), completed())
LogEntry.objects.create(
    user=alice, content_type=ContentType.objects.get_for_model(WorklistItem), object_id=item.pk,
    object_repr="Qwertzfamily · QWERTZ-4711", action_flag=2, change_message="Made.",
)
session = SessionStore()
session["kept_searches"] = {"kept-1": "Qwertzfamily"}
session["used"] = 1
session.save()
print(step.sop_instance_uid)
"""
LOOK = """
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
print(LogEntry.objects.get().object_repr == LogEntry.objects.get().object_id)
print(Session.objects.get().get_decoded())
"""


def marks_in(folder: Path) -> dict[str, list[bytes]]:
    found = {
        path.name: [mark for mark in MARKS if mark in path.read_bytes()] for path in folder.glob("*.db*")
    }
    return {name: marks for name, marks in found.items() if marks}


@pytest.mark.acceptance("H69")
def test_no_mark_is_left_in_either_file(users_apart: Path) -> None:
    apart = {"USERS_DB_PATH": str(users_apart / "users.db")}
    planted = script(users_apart, PLANT, **apart)
    assert planted.returncode == 0, planted.stderr
    uid = planted.stdout.strip()
    assert {"users.db", "worklist.db"} <= marks_in(users_apart).keys()

    done = manage(users_apart, "erase_participant", "-", "--yes", stdin="QWERTZ-4711\n", **apart)

    assert done.returncode == 0, done.stderr
    assert "Erased." in done.stdout
    assert "Qwertz" not in done.stdout + done.stderr
    assert marks_in(users_apart) == {}
    assert uid.encode() not in (users_apart / "users.db").read_bytes()
    looked = script(users_apart, LOOK, **apart)
    assert looked.stdout == "True\n{'used': 1}\n", looked.stderr


@pytest.mark.acceptance("H61")
def test_what_a_reader_holds_open_is_purged_within_the_hour(migrated: Path) -> None:
    assert script(migrated, PLANT).returncode == 0
    reader = sqlite3.connect(migrated / "worklist.db")
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM worklist_worklistitem").fetchone() == (1,)

    done = manage(migrated, "erase_participant", "QWERTZ-4711", "--yes")
    assert "written anew within the hour" in done.stdout, done.stderr
    reader.close()
    pruned = script(migrated, "from pylantir_site import retention\nretention.prune()")

    assert pruned.returncode == 0, pruned.stderr
    assert marks_in(migrated) == {}
