"""Accounts of the original come in with their passwords, which work at every door; its default never does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from django.test import Client
from django.urls import reverse

from accounts import hashers
from accounts.models import User
from accounts.roles import Role
from sources.models import OriginalDatabase
from sources.original import people
from sources.original.importing import OriginalImport
from sources.original.reports import FileReport, RowOutcome
from tests.conftest import PASSWORD
from tests.sources import originals
from tests.sources.originals import person, read

pytestmark = pytest.mark.django_db

LONG = "correct horse battery staple " * 4  # more than 72 bytes


def hashed(password: str, prefix: str = "$2b$") -> str:
    """Hash it as passlib did: what is over 72 bytes was cut."""
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    return prefix + made.removeprefix("$2b$")


def taken(folder: Path, *rows: dict[str, Any]) -> FileReport:
    path = folder / "users.db"
    path.unlink(missing_ok=True)
    [report] = OriginalImport("alice").take([read(originals.users(path, *rows))]).files
    return report


def told(report: FileReport) -> list[tuple[RowOutcome, str]]:
    return [(row.outcome, " ".join(row.notes)) for row in report.rows]


def login(client: Client, username: str, password: str) -> int:
    body = {"username": username, "password": password}
    return client.post("/auth/login", body, content_type="application/json").status_code


@pytest.mark.acceptance("RC158")
def test_accounts_come_in_with_role_and_dates(tmp_path: Path) -> None:
    report = taken(
        tmp_path,
        person("ann", hashed("ann's own"), role="ADMIN", last_login="2026-01-02 03:04:05"),
        person("ben", hashed("ben's own"), role="WRITE", email=None, full_name=None),
        person("cat", hashed("cat's own"), role="READ", is_active=0),
        person("dan", hashed("dan's own"), role="READ", is_active=None, email="no address"),
    )

    assert told(report) == [
        (RowOutcome.ACCOUNT, ""),
        (RowOutcome.ACCOUNT, ""),
        (RowOutcome.ACCOUNT, people.INACTIVE),
        (RowOutcome.ACCOUNT, f"{people.NO_EMAIL} {people.INACTIVE}"),
    ]
    ann, ben, cat, dan = User.objects.order_by("username")
    assert [ann.role, ben.role, cat.role] == [Role.ADMIN, Role.WRITE, Role.READ]
    assert [ann.is_active, ben.is_active, cat.is_active, dan.is_active] == [True, True, False, False]
    assert (ann.full_name, ann.email, ben.full_name, ben.email) == ("Ann", "ann@example.org", "", "")
    assert ann.date_joined == datetime(2025, 11, 18, 12, tzinfo=UTC)
    assert (ann.last_login, ben.last_login) == (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None)


@pytest.mark.acceptance("RC159")
@pytest.mark.parametrize("prefix", ["$2b$", "$2a$", "$2y$"])
def test_an_old_password_signs_in_by_rest_and_is_hashed_anew(
    client: Client, tmp_path: Path, prefix: str
) -> None:
    taken(tmp_path, person("ann", hashed("ann's own", prefix), role="WRITE"))
    assert login(client, "ann", "ann's other") == 401
    assert User.objects.get().password.startswith("bcrypt$$2b$")

    assert login(client, "ann", "ann's own") == 200

    assert not User.objects.get().password.startswith("bcrypt")
    assert login(client, "ann", "ann's own") == 200
    assert login(client, "ann", "ann's other") == 401


@pytest.mark.acceptance("RC159")
def test_an_old_password_signs_in_to_the_admin(client: Client, tmp_path: Path) -> None:
    taken(tmp_path, person("ann", hashed("ann's own"), role="READ"))

    answer = client.post(reverse("admin:login"), {"username": "ann", "password": "ann's own"})

    assert answer.status_code == 302
    assert not User.objects.get().password.startswith("bcrypt")


@pytest.mark.acceptance("RC159")
def test_a_closed_account_stays_closed(client: Client, tmp_path: Path) -> None:
    taken(tmp_path, person("ann", hashed("ann's own"), is_active=0))

    assert login(client, "ann", "ann's own") == 401


@pytest.mark.acceptance("RC159")
def test_a_password_over_72_bytes_signs_in_and_counts_whole_from_then_on(
    client: Client, tmp_path: Path
) -> None:
    taken(tmp_path, person("ann", hashed(LONG)))

    assert login(client, "ann", LONG) == 200
    assert login(client, "ann", LONG[:72]) == 401


def test_any_text_is_tried_as_a_password_without_an_error(client: Client, tmp_path: Path) -> None:
    taken(tmp_path, person("ann", hashed("ann's own")))

    for text in ("é" * 100, "\N{SNOWMAN}", LONG):
        assert login(client, "ann", text) == 401


@pytest.mark.acceptance("RC160")
def test_the_originals_default_password_opens_nothing(client: Client, tmp_path: Path) -> None:
    report = taken(tmp_path, person("admin", hashed("admin123"), role="ADMIN"))

    assert told(report) == [(RowOutcome.ACCOUNT, people.DEFAULT_TOLD)]
    assert login(client, "admin", "admin123") == 401
    assert not User.objects.get().has_usable_password()


@pytest.mark.acceptance("RC160")
@pytest.mark.parametrize(
    "kept",
    [
        "",
        "ann's own",
        "$2b$31$" + "a" * 53,  # a sign-in would take days
        "$2b$04$" + "." * 21 + "z" + "a" * 31,  # its salt is none
        "$2b$12$" + "a" * 52,
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
    ],
)
def test_a_password_that_cannot_be_read_opens_nothing(client: Client, tmp_path: Path, kept: str) -> None:
    report = taken(tmp_path, person("ann", kept))

    assert told(report) == [(RowOutcome.ACCOUNT, people.NO_HASH)]
    assert login(client, "ann", kept or "x") == 401


@pytest.mark.acceptance("RC158")
def test_an_account_that_is_here_stays_as_it_is(client: Client, tmp_path: Path, bob: User) -> None:
    before = User.objects.values().get()

    report = taken(tmp_path, person("Bob", hashed("another"), role="ADMIN"), person("ann", hashed("her own")))

    assert told(report) == [(RowOutcome.LEFT, people.EXISTS), (RowOutcome.ACCOUNT, "")]
    assert User.objects.filter(pk=bob.pk).values().get() == before
    assert login(client, "bob", PASSWORD) == 200
    assert login(client, "Bob", "another") == 401


@pytest.mark.acceptance("RC158")
@pytest.mark.parametrize(
    ("wild", "note"),
    [
        ({"role": "OWNER"}, people.NO_ROLE),
        ({"role": ""}, people.NO_ROLE),
        ({"username": "two words"}, "Enter a valid username"),
        ({"username": ""}, "This field cannot be blank"),
        ({"username": b"ann\xff"}, "Enter a valid username"),
    ],
)
def test_an_account_that_cannot_be_is_left_out_and_told(
    tmp_path: Path, wild: dict[str, Any], note: str
) -> None:
    [(outcome, notes)] = told(taken(tmp_path, {**person("ann", hashed("ann's own")), **wild}))

    assert outcome == RowOutcome.LEFT
    assert notes.startswith(note)
    assert not User.objects.exists()
    assert not OriginalDatabase.objects.exists()


@pytest.mark.acceptance("RC154")
def test_a_second_run_changes_no_account_and_brings_back_none_that_was_deleted(tmp_path: Path) -> None:
    rows = [person("ann", hashed("ann's own")), person("ben", hashed("ben's own"))]
    taken(tmp_path, *rows)
    User.objects.get(username="ben").delete()
    before = list(User.objects.values())

    report = taken(tmp_path, *rows)

    assert [row.outcome for row in report.rows] == [RowOutcome.KNOWN, RowOutcome.KNOWN]
    assert list(User.objects.values()) == before


@pytest.mark.acceptance("RC155")
def test_a_rehearsal_makes_no_account(tmp_path: Path) -> None:
    file = read(originals.users(tmp_path / "users.db", person("ann", hashed("ann's own"))))

    report = OriginalImport("alice").rehearse([file])

    assert [row.outcome for row in report.files[0].rows] == [RowOutcome.ACCOUNT]
    assert not User.objects.exists()
    assert not OriginalDatabase.objects.exists()


def test_a_hash_is_kept_as_the_hasher_reads_it() -> None:
    kept = hashers.encoded(hashed("ann's own"))

    assert hashers.OriginalBCryptHasher().verify("ann's own", kept)
    assert not hashers.OriginalBCryptHasher().verify("ann's", kept)
