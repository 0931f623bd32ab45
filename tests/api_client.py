"""Tests of the API use a client that is signed in."""

from __future__ import annotations

from rest_framework.test import APIClient

from accounts.models import User


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.default_format = "json"
    client.force_authenticate(user)
    return client
