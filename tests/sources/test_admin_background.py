"""The queue's own pages are not in the admin: a schedule there may name any code."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", ["schedule", "success", "failure", "ormq"])
def test_not_even_an_admin_reaches_the_pages_of_the_queue(client: Client, alice: User, model: str) -> None:
    client.force_login(alice)
    assert client.get(f"/admin/django_q/{model}/").status_code == 404
    assert client.get(f"/admin/django_q/{model}/add/").status_code == 404


def test_the_index_does_not_name_the_queue(client: Client, alice: User) -> None:
    client.force_login(alice)
    apps = {app["app_label"] for app in client.get("/admin/").context["app_list"]}
    assert "sources" in apps
    assert "django_q" not in apps
