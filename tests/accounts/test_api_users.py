"""These tests hold accounts by REST, and that an admin is always left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import users
from accounts.models import User
from accounts.users import LAST_ADMIN, LastAdmin
from tests.api_client import client_of
from tests.conftest import PASSWORD

NEW = {"username": "dora", "password": "a horse of another colour"}


@pytest.fixture
def client(alice: User) -> APIClient:
    return client_of(alice)


def test_a_user_is_shown_without_the_password(client: APIClient, bob: User) -> None:
    answer = client.get(f"/users/{bob.pk}")

    assert answer.json() == {
        "id": bob.pk,
        "username": "bob",
        "email": "",
        "full_name": "Bob",
        "role": "write",
        "is_active": True,
        "created_at": answer.json()["created_at"],
        "last_login": None,
    }


def test_all_users_are_listed_in_a_bare_list(client: APIClient, bob: User) -> None:
    answer = client.get("/users")

    assert [user["username"] for user in answer.json()] == ["alice", "bob"]
    assert answer["X-Total-Count"] == "2"


def test_the_list_costs_the_same_queries_however_long(client: APIClient) -> None:
    with CaptureQueriesContext(connection) as one:
        client.get("/users")
    for number in range(20):
        User.objects.create(username=f"user{number}")
    with CaptureQueriesContext(connection) as many:
        assert len(client.get("/users").json()) == 21

    assert len(many) == len(one)


def test_a_user_is_created_with_the_least_role(client: APIClient) -> None:
    answer = client.post("/users", {**NEW, "email": None, "full_name": None})

    assert answer.status_code == 201
    assert (answer.json()["role"], answer.json()["is_active"]) == ("read", True)
    assert "password" not in answer.content.decode()
    assert authenticate(username="dora", password=NEW["password"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "alice"}, "username"),
        ({"username": "ALICE"}, "username"),
        ({"username": "no spaces"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"password": "seven77"}, "password"),
        ({"password": "password"}, "password"),
        ({"username": "doradora1", "password": "doradora1"}, "password"),
        ({"role": "root"}, "role"),
        ({"email": "nobody"}, "email"),
        ({"is_active": "perhaps"}, "is_active"),
        ({"is_superuser": True}, "is_superuser"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(values: Any, field: str, client: APIClient) -> None:
    answer = client.post("/users", {**NEW, **values})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert User.objects.count() == 1


@pytest.mark.parametrize("verb", ["put", "patch"])
def test_only_what_is_sent_is_changed(verb: str, client: APIClient, bob: User) -> None:
    answer = getattr(client, verb)(f"/users/{bob.pk}", {"role": "read"})

    assert answer.json()["role"] == "read"
    bob.refresh_from_db()
    assert (bob.full_name, bob.is_active) == ("Bob", True)
    assert authenticate(username="bob", password=PASSWORD)


def test_a_user_sent_back_as_read_changes_nothing(client: APIClient, bob: User) -> None:
    read = client.get(f"/users/{bob.pk}").json()

    assert client.put(f"/users/{bob.pk}", read).json() == read


def test_a_username_is_not_changed(client: APIClient, bob: User) -> None:
    assert list(client.put(f"/users/{bob.pk}", {"username": "rob"}).json()["errors"]) == ["username"]


def test_a_new_password_is_checked_and_then_counts(client: APIClient, bob: User) -> None:
    assert client.put(f"/users/{bob.pk}", {"password": "short"}).status_code == 400
    assert client.put(f"/users/{bob.pk}", {"password": NEW["password"]}).status_code == 200
    assert authenticate(username="bob", password=NEW["password"])


def test_deleting_answers_as_the_original(client: APIClient, bob: User) -> None:
    answer = client.delete(f"/users/{bob.pk}")

    assert (answer.status_code, answer.json()) == (200, {"message": "User bob deleted successfully"})
    assert client.get(f"/users/{bob.pk}").status_code == 404


def test_nobody_deletes_their_own_account(client: APIClient, alice: User) -> None:
    answer = client.delete(f"/users/{alice.pk}")

    assert answer.status_code == 400
    assert "Cannot delete your own account" in answer.json()["detail"]


@pytest.mark.parametrize("change", [{"role": "write"}, {"is_active": False}])
def test_the_last_active_admin_stays_one(change: Any, client: APIClient, alice: User) -> None:
    User.objects.create_user("former", password=PASSWORD, role="admin", is_active=False)

    answer = client.put(f"/users/{alice.pk}", change)

    assert (answer.status_code, answer.json()["detail"]) == (409, LAST_ADMIN)
    alice.refresh_from_db()
    assert alice.is_superuser


def test_the_last_active_admin_is_not_deleted(alice: User, bob: User) -> None:
    with pytest.raises(LastAdmin):
        users.delete(alice)


@pytest.mark.django_db(transaction=True)
def test_two_admins_cannot_close_each_other_at_once() -> None:
    admins = [User.objects.create_user(name, password=PASSWORD, role="admin") for name in ("one", "two")]

    def close(user: User) -> bool:
        try:
            users.change(user, {"is_active": False})
        except LastAdmin:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(close, admins))

    assert sorted(done) == [False, True]
    assert User.objects.filter(role="admin", is_active=True).count() == 1
