"""USERS_DB_PATH keeps accounts, sessions and the admin log in a database of their own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.site.fresh import manage, script

PASSWORD = "correct horse battery staple"
USE = f"""
from django.test import Client
from django.test.utils import setup_test_environment
setup_test_environment()
from accounts.first_admin import create_first_admin
create_first_admin()
client = Client()
assert client.login(username="admin", password={PASSWORD!r})

def add(page, **given):
    answer = client.post(f"/admin/{{page}}/add/", given)
    assert answer.status_code == 302, answer.content.decode()

add("accounts/user", username="bob", usable_password="true", role="write",
    password1={PASSWORD!r}, password2={PASSWORD!r})
add(
    "worklist/device", ae_title="SCANNER", enabled="on", station_filter="AS_ASKED", misfit="unicode",
    protocol_codes_sent="as_stored",
)
from worklist.models import Device
assert Device.history.get().history_user_id == "admin"

def ask(path, body, **headers):
    return client.post(path, body, content_type="application/json", headers=headers)

assert ask("/auth/login", {{"username": "bob", "password": "wrong"}}).status_code == 401
token = ask("/auth/login", {{"username": "bob", "password": {PASSWORD!r}}}).json()["access_token"]
item = {{"patient_name": "Doe^John", "patient_id": "P1", "modality": "MR"}}
assert ask("/worklist", item, authorization=f"Bearer {{token}}").status_code == 201
print("done")
"""


def rows(path: Path, table: str) -> int:
    with sqlite3.connect(path) as database:
        found = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    database.close()
    return int(found)


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as database:
        found = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()
    return found


def test_accounts_live_apart_and_the_admin_works_over_both(users_apart: Path) -> None:
    users, worklist = users_apart / "users.db", users_apart / "worklist.db"

    result = script(users_apart, USE, USERS_DB_PATH=str(users), PYLANTIR_ADMIN_PASSWORD=PASSWORD)

    assert result.stdout == "done\n", result.stderr
    assert rows(users, "accounts_user") == 2
    assert rows(users, "django_session") == 1
    assert rows(users, "django_admin_log") == 2
    assert rows(users, "accounts_auditevent") == 7
    assert rows(worklist, "worklist_device") == 1
    assert rows(worklist, "worklist_worklistitem") == 1
    apart = {"accounts_user", "django_session", "django_admin_log", "django_content_type", "auth_permission"}
    assert apart <= tables(users)
    assert not apart & tables(worklist)
    assert not {name for name in tables(users) if name.startswith("worklist_")}


def test_djangos_account_commands_find_the_accounts_there(users_apart: Path) -> None:
    users = users_apart / "users.db"
    variables = {"USERS_DB_PATH": str(users), "DJANGO_SUPERUSER_PASSWORD": PASSWORD}

    made = manage(users_apart, "createsuperuser", "--noinput", "--username", "dora", **variables)

    assert made.returncode == 0, made.stderr
    assert rows(users, "accounts_user") == 1
