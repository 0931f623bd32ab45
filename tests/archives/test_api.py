"""Archives are listed by REST for whoever may see them, without secrets."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.api_client import client_of
from tests.archives.making import an_archive, with_password
from tests.archives.stand_in import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.acceptance("CL56")
def test_archives_are_listed_without_secrets(charlie: User) -> None:
    archive = with_password(an_archive(stations="MR1\\MR2"))
    an_archive(name="Another", enabled=False)

    answer = client_of(charlie).get("/archives")

    assert answer.status_code == 200
    assert [each["name"] for each in answer.json()] == ["Another", "PACS"]
    assert answer.json()[1]["stations"] == ["MR1", "MR2"]
    body = answer.content.decode()
    assert all(secret not in body for secret in (PASSWORD, archive.secret_cipher, archive.user_name))
    assert client_of(charlie).post("/archives", {"name": "x"}).status_code == 405
