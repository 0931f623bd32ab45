"""These tests hold accounts in the admin, and what each role finds there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.users import LAST_ADMIN
from tests.conftest import PASSWORD

USERS = "/admin/accounts/user/"


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def page(user: User, action: str = "change") -> str:
    return f"{USERS}{user.pk}/{action}/"


def form_of(user: User, **changed: Any) -> dict[str, Any]:
    form = {"username": user.username, "full_name": "", "email": "", "role": user.role, "is_active": "on"}
    return {name: value for name, value in {**form, **changed}.items() if value is not None}


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_every_role_signs_in_to_the_admin(name: str, client: Client, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(name)

    answer = client.post("/admin/login/?next=/admin/", {"username": name, "password": PASSWORD}, follow=True)

    assert answer.status_code == 200
    assert answer.redirect_chain == [("/admin/", 302)]


@pytest.mark.parametrize(("name", "code"), [("alice", 200), ("bob", 403), ("charlie", 403)])
def test_only_an_admin_reaches_the_accounts(
    name: str, code: int, client: Client, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(name)
    client.force_login(user)

    for url in (USERS, f"{USERS}add/", page(user), page(user, "delete"), page(user, "password")):
        expected = 302 if code == 200 and url == page(user, "delete") else code  # alice is the last admin
        assert client.get(url).status_code == expected, url


def test_there_are_no_groups(client: Client, alice: User) -> None:
    answer = signed_in(client, alice).get("/admin/")

    assert client.get("/admin/auth/group/").status_code == 404
    assert b"Groups" not in answer.content


def test_an_admin_adds_a_person(client: Client, alice: User) -> None:
    form = {"username": "dora", "password1": PASSWORD, "password2": PASSWORD}

    answer = signed_in(client, alice).post(f"{USERS}add/", {**form, "role": "write"})

    assert answer.status_code == 302
    assert User.objects.get(username="dora").role == Role.WRITE
    assert authenticate(username="dora", password=PASSWORD)


def test_an_admin_sets_a_persons_password(client: Client, alice: User, bob: User) -> None:
    new = "a horse of another colour"

    answer = signed_in(client, alice).post(page(bob, "password"), {"password1": new, "password2": new})

    assert answer.status_code == 302
    assert authenticate(username="bob", password=new)


def test_everyone_changes_their_own_password(client: Client, charlie: User) -> None:
    new = "a horse of another colour"

    signed_in(client, charlie).post(
        "/admin/password_change/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )

    assert authenticate(username="charlie", password=new)


@pytest.mark.parametrize("changed", [{"role": "write"}, {"is_active": None}])
def test_the_last_active_admin_stays_one(client: Client, alice: User, changed: dict[str, Any]) -> None:
    User.objects.create_user("former", password=PASSWORD, role=Role.ADMIN, is_active=False)

    answer = signed_in(client, alice).post(page(alice), form_of(alice, **changed))

    assert answer.status_code == 200
    assert str(LAST_ADMIN) in answer.content.decode()
    alice.refresh_from_db()
    assert alice.is_superuser


@pytest.mark.parametrize("changed", [{"role": "write"}, {"is_active": None}])
def test_an_admin_beside_another_may_step_down(client: Client, alice: User, changed: dict[str, Any]) -> None:
    User.objects.create_user("other", password=PASSWORD, role=Role.ADMIN)

    answer = signed_in(client, alice).post(page(alice), form_of(alice, **changed))

    assert answer.status_code == 302
    alice.refresh_from_db()
    assert not alice.is_superuser


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_last_active_admin_cannot_be_deleted(client: Client, alice: User, method: str) -> None:
    answer = getattr(signed_in(client, alice), method)(page(alice, "delete"), {"post": "yes"}, follow=True)

    assert str(LAST_ADMIN) in answer.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


def test_another_person_can_be_deleted(client: Client, alice: User, bob: User) -> None:
    signed_in(client, alice).post(page(bob, "delete"), {"post": "yes"})

    assert not User.objects.filter(pk=bob.pk).exists()


def test_accounts_are_not_deleted_in_bulk(client: Client, alice: User, bob: User) -> None:
    signed_in(client, alice).post(
        USERS, {"action": "delete_selected", "_selected_action": [alice.pk, bob.pk], "post": "yes"}
    )

    assert User.objects.count() == 2


@pytest.mark.acceptance("AD159")
def test_roles_are_called_what_people_are(client: Client, alice: User, bob: User) -> None:
    shown = signed_in(client, alice).get(page(bob)).content.decode()

    for name in ("Administrator", "Coordinator", "Viewer"):
        assert f'<th scope="col">{name}</th>' in shown
    assert "Write: the worklist" not in shown


@pytest.mark.acceptance("AD159")
@pytest.mark.parametrize("url", [f"{USERS}add/", f"{USERS}1/password/"])
def test_a_form_asks_for_a_password_in_plain_words(url: str, client: Client, db: None) -> None:
    alice = User.objects.create_user("alice", pk=1, password=PASSWORD, role=Role.ADMIN)

    shown = signed_in(client, alice).get(url).content.decode()

    assert "Password again" in shown
    for word in ("LDAP", "Single Sign-On", "authentication", "Disable"):
        assert word not in shown


@pytest.mark.parametrize("repeated", ["", "another one entirely"])
def test_a_new_person_needs_a_password_typed_twice(repeated: str, client: Client, alice: User) -> None:
    form = {"username": "dora", "password1": PASSWORD, "password2": repeated, "role": "read"}

    assert signed_in(client, alice).post(f"{USERS}add/", form).status_code == 200
    assert not User.objects.filter(username="dora").exists()
