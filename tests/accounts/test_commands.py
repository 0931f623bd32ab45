"""These tests run create_user, list_users and admin_password."""

from __future__ import annotations

import getpass
import io
import json
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.conftest import PASSWORD

NEW = "a horse of another colour"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(command: str, *args: str) -> str:
    out = io.StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def at_a_terminal(*passwords: str) -> None:
        answers = iter(passwords)
        monkeypatch.setattr("sys.stdin", Terminal("dora\n"))
        monkeypatch.setattr(getpass, "getpass", lambda prompt: next(answers))

    return at_a_terminal


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.django_db
def test_a_user_is_created_as_the_original_command_did() -> None:
    text = said(
        "create_user", "--username", "newuser", "--role", "write", "--email", "user@example.com",
        "--full-name", "New User", "--password", NEW,
    )  # fmt: skip

    user = User.objects.get()
    assert text == "User newuser with the role write was created.\n"
    assert (user.role, user.email, user.full_name) == ("write", "user@example.com", "New User")
    assert authenticate(username="newuser", password=NEW)


@pytest.mark.django_db
@pytest.mark.parametrize("option", [[], ["--password", "-"]])
def test_a_script_gives_the_password_on_standard_input(
    option: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, f"{NEW}\n")

    said("create_user", "--username", "dora", *option)

    assert authenticate(username="dora", password=NEW)


@pytest.mark.django_db
def test_a_person_is_asked_for_what_is_missing(typed: Any) -> None:
    typed(NEW, NEW)

    said("create_user")

    assert authenticate(username="dora", password=NEW)


@pytest.mark.django_db
def test_two_passwords_that_differ_are_refused(typed: Any) -> None:
    typed(NEW, "another")

    with pytest.raises(CommandError, match="differ"):
        said("create_user", "--username", "dora")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--username", "bob", "--password", NEW], "already exists"),
        (["--username", "dora", "--password", "short"], "at least 8 characters"),
        (["--username", "dora", "--password", "12345678901"], "entirely numeric"),
        (["--username", "no spaces", "--password", NEW], "valid username"),
        (["--username", "dora", "--password", ""], "password is empty"),
        (["--password", NEW], "Give the username"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    args: list[str], sentence: str, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, "")

    with pytest.raises(CommandError, match=sentence) as refusal:
        said("create_user", *args)
    assert NEW not in str(refusal.value)
    assert User.objects.count() == 1


def test_a_password_is_changed(bob: User) -> None:
    assert (
        said("admin_password", "--username", "bob", "--password", NEW) == "The password of bob was changed.\n"
    )
    assert authenticate(username="bob", password=NEW)
    assert not authenticate(username="bob", password=PASSWORD)


@pytest.mark.django_db
def test_without_a_name_it_is_the_admins(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("admin", password=PASSWORD, role="admin")
    piped(monkeypatch, NEW)

    said("admin_password")

    assert authenticate(username="admin", password=NEW)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--username", "nobody", "--password", NEW], "There is no user nobody"),
        (["--username", "bob", "--password", "short"], "at least 8 characters"),
    ],
)
def test_a_password_that_cannot_be_set_is_refused(args: list[str], sentence: str, bob: User) -> None:
    with pytest.raises(CommandError, match=sentence):
        said("admin_password", *args)
    assert authenticate(username="bob", password=PASSWORD)


def test_users_are_listed_as_a_table_or_as_json(alice: User, bob: User) -> None:
    table = said("list_users")
    rows = json.loads(said("list_users", "--format", "json"))

    assert [line.split()[0] for line in table.splitlines()] == ["username", "----------", "alice", "bob"]
    assert rows[1] == {
        "username": "bob",
        "role": "write",
        "active": "yes",
        "full name": "Bob",
        "email": "",
        "last login": "never",
    }
