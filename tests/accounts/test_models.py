"""These tests hold accounts, roles, the first admin, and Django's own account commands."""

from __future__ import annotations

import threading
from io import StringIO

import pytest
from django.conf import LazySettings
from django.contrib.auth import authenticate
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction

from accounts.first_admin import create_first_admin
from accounts.models import User
from accounts.roles import Role
from tests.conftest import PASSWORD


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        ("admin", "worklist.delete_worklistitem", True),
        ("admin", "worklist.change_device", True),
        ("admin", "accounts.change_user", True),
        ("write", "worklist.view_worklistitem", True),
        ("write", "worklist.add_worklistitem", True),
        ("write", "worklist.change_worklistitem", True),
        ("write", "worklist.change_device", False),
        ("write", "accounts.view_user", False),
        ("read", "worklist.view_worklistitem", True),
        ("read", "worklist.view_device", True),
        ("read", "worklist.change_worklistitem", False),
        ("read", "accounts.view_user", False),
        ("nobody", "worklist.view_worklistitem", False),
    ],
)
def test_permissions_follow_from_the_role(role: str, permission: str, allowed: bool) -> None:
    user = User(username="someone", role=role)

    assert user.has_perm(permission) is allowed
    assert user.has_perms([permission]) is allowed


@pytest.mark.parametrize("role", Role.values)
def test_a_closed_account_may_do_nothing(role: str) -> None:
    user = User(username="someone", role=role, is_active=False)

    assert not user.has_perm("worklist.view_worklistitem")
    assert not user.has_module_perms("worklist")
    assert not user.is_superuser


def test_only_an_admin_sees_the_accounts_app() -> None:
    seen = {role: User(role=role).has_module_perms("accounts") for role in Role.values}

    assert seen == {"admin": True, "write": False, "read": False}


def test_a_person_signs_in_with_their_password(bob: User) -> None:
    assert authenticate(username="bob", password=PASSWORD) == bob
    assert authenticate(username="bob", password="wrong") is None


def test_a_closed_account_cannot_sign_in(bob: User) -> None:
    bob.is_active = False
    bob.save()

    assert authenticate(username="bob", password=PASSWORD) is None


@pytest.mark.django_db
def test_an_unknown_role_is_refused_by_form_and_database() -> None:
    with pytest.raises(ValidationError):
        User.objects.create_user("dora", password=PASSWORD, role="boss")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="dora", role="boss")


@pytest.mark.acceptance("D147")
@pytest.mark.django_db
def test_the_first_admin_gets_a_password_of_its_own(settings: LazySettings) -> None:
    settings.PYLANTIR_ADMIN_PASSWORD = ""

    made = create_first_admin()

    assert made
    username, password = made
    assert password
    user = authenticate(username=username, password=password)
    assert isinstance(user, User)
    assert user.role == Role.ADMIN
    assert create_first_admin() is None


@pytest.mark.django_db
def test_the_first_admins_password_may_be_given(settings: LazySettings) -> None:
    settings.PYLANTIR_ADMIN_PASSWORD = PASSWORD

    assert create_first_admin() == ("admin", None)
    assert authenticate(username="admin", password=PASSWORD)


@pytest.mark.acceptance("D147")
@pytest.mark.django_db
def test_a_weak_first_password_is_refused_by_name(settings: LazySettings) -> None:
    settings.PYLANTIR_ADMIN_PASSWORD = "admin"

    with pytest.raises(ImproperlyConfigured, match="PYLANTIR_ADMIN_PASSWORD"):
        create_first_admin()

    assert not User.objects.exists()


def test_no_admin_is_made_where_there_are_users(charlie: User) -> None:
    assert create_first_admin() is None
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_make_one_admin(settings: LazySettings) -> None:
    settings.PYLANTIR_ADMIN_PASSWORD = ""
    together = threading.Barrier(4)
    made: list[tuple[str, str | None] | None] = []

    def start() -> None:
        together.wait()
        try:
            made.append(create_first_admin())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (winner,) = filter(None, made)
    assert len(made) == 4
    assert User.objects.count() == 1
    assert authenticate(username=winner[0], password=winner[1])


@pytest.mark.django_db
def test_createsuperuser_makes_an_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", interactive=False, username="dora", stdout=StringIO())

    assert User.objects.get(username="dora").is_superuser
    assert authenticate(username="dora", password=PASSWORD)


def test_changepassword_changes_it(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    new = "a horse of another colour"
    monkeypatch.setattr("getpass.getpass", lambda prompt: new)

    call_command("changepassword", "bob", stdout=StringIO())

    assert authenticate(username="bob", password=new)
