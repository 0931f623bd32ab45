"""An archive is set up, tested and looked at in the admin."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from archives.models import Archive, ArchivedStudy, ArchiveKind
from tests.admin_pages import errors_in, fields_of, queries_of, said
from tests.archives.conftest import MakeStandIn
from tests.archives.images import MadeStudy
from tests.archives.making import a_study, an_archive, archive_at, with_password
from tests.archives.stand_in import PASSWORD

pytestmark = pytest.mark.django_db

ADD = "admin:archives_archive_add"
CHANGE = "admin:archives_archive_change"
LIST = "admin:archives_archive_changelist"
ONE = MadeStudy("1.2.3.1")


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def sent(client: Client, at: str, **typed: str) -> Any:
    """Send the form as it is shown, with what was typed over it."""
    fields = {name: value for name, value in fields_of(client, at).items() if value != "False"}
    return client.post(at, {**fields, **typed}, follow=True)


def of_kind(kind: str) -> str:
    return f"{reverse(ADD)}?kind={kind}"


@pytest.mark.acceptance("CL53")
def test_an_archive_is_added_by_c_find(admin: Client) -> None:
    answer = sent(
        admin, reverse(ADD), name="PACS", host="pacs.example.org", port="104", called_ae_title="PACS"
    )

    archive = Archive.objects.get()
    assert said(answer)
    assert (archive.kind, archive.host) == (ArchiveKind.DICOM, "pacs.example.org")
    assert archive.history.get().history_user_id == "alice"
    assert "PACS · pacs.example.org:104" in page(admin.get(reverse(LIST)))


@pytest.mark.acceptance("CL53")
def test_an_archive_is_added_by_dicomweb_and_its_password_is_never_shown(admin: Client) -> None:
    typed = {"url": "https://pacs.example.org/dicom-web", "authentication": "BASIC", "user_name": "pylantir"}

    sent(admin, of_kind("DICOMWEB"), name="PACS", secret=PASSWORD, **typed)

    archive = Archive.objects.get()
    assert (archive.kind, archive.secret(), archive.secret_set_by) == ("DICOMWEB", PASSWORD, "alice")
    shown = page(admin.get(reverse(CHANGE, args=[archive.pk])))
    assert "by alice" in shown
    assert PASSWORD not in shown
    assert archive.secret_cipher not in shown
    told = page(admin.get(reverse("admin:archives_archive_history", args=[archive.pk])))
    assert archive.secret_cipher not in told


@pytest.mark.acceptance("CL53")
@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        ("DICOM", {"host": "pacs"}, "port"),
        ("DICOM", {"host": "pacs", "port": "104"}, "called_ae_title"),
        ("DICOM", {"tls": "on", "tls_host_name": ""}, "tls_host_name"),
        ("DICOMWEB", {}, "url"),
        ("DICOMWEB", {"url": "https://a.example", "authentication": "BASIC", "secret": "x"}, "user_name"),
        ("DICOMWEB", {"url": "https://a.example", "authentication": "BEARER"}, "secret"),
        ("DICOMWEB", {"url": "https://a.example", "authentication": "BEARER", "secret": "ä"}, "secret"),
        (
            "DICOMWEB",
            {"url": "https://a.example", "secret": "x", "secret_variable": "PYLANTIR_TOKEN_A"},
            "secret_variable",
        ),
    ],
)
def test_what_is_missing_is_asked_for(admin: Client, kind: str, typed: dict[str, str], field: str) -> None:
    answer = sent(admin, of_kind(kind), name="PACS", **typed)

    assert field in errors_in(answer)
    assert not Archive.objects.exists()


@pytest.mark.acceptance("CL53")
def test_a_stored_password_goes_to_no_other_server(admin: Client) -> None:
    archive = with_password(
        an_archive(kind="DICOMWEB", url="https://pacs.example.org/dicom-web", host="", port=None)
    )
    url = reverse(CHANGE, args=[archive.pk])

    refused = sent(admin, url, url="https://elsewhere.example.org/dicom-web")
    assert "another server" in errors_in(refused)["secret"][0]
    sent(admin, url, url="https://pacs.example.org/other")
    archive.refresh_from_db()
    assert (archive.url, archive.secret()) == ("https://pacs.example.org/other", PASSWORD)
    sent(admin, url, url="https://elsewhere.example.org/dicom-web", secret="another")
    archive.refresh_from_db()
    assert archive.secret() == "another"


@pytest.mark.acceptance("CL54")
@pytest.mark.parametrize("kind", ArchiveKind.values)
def test_the_button_says_that_it_answers_or_what_is_wrong(
    admin: Client, stand_in: MakeStandIn, kind: str
) -> None:
    at = stand_in(ONE)
    archive = archive_at(at, kind)
    button = reverse("admin:archives_archive_test", args=[archive.pk])

    assert said(admin.post(button, follow=True)) == ["PACS answers."]
    at.status = 0x0124 if kind == ArchiveKind.DICOM else 403
    answer = admin.post(button, follow=True)

    assert "does not let this server ask" in said(answer)[0]
    assert "does not let this server ask" in page(admin.get(reverse(LIST)))
    assert admin.get(button).status_code == 405


@pytest.mark.acceptance("CL55")
@pytest.mark.parametrize("role", ["bob", "charlie"])
def test_others_look_and_see_nothing_of_secrets(
    client: Client, request: pytest.FixtureRequest, role: str
) -> None:
    client.force_login(request.getfixturevalue(role))
    archive = with_password(
        an_archive(
            kind="DICOMWEB",
            url="https://pacs.example.org/dicom-web",
            secret_variable="",
            secret_file="/run/secrets/pacs",
        )
    )

    shown = page(client.get(reverse(CHANGE, args=[archive.pk])))
    told = page(client.get(reverse("admin:archives_archive_history", args=[archive.pk])))

    assert "https://pacs.example.org/dicom-web" in shown
    for text in (shown, told):
        assert "/run/secrets/pacs" not in text
        assert archive.user_name not in text
    assert "PACS" in page(client.get(reverse(LIST)))
    assert client.post(reverse("admin:archives_archive_test", args=[archive.pk])).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403


@pytest.mark.acceptance("CL55")
def test_the_list_asks_the_database_as_much_of_many_as_of_few(admin: Client) -> None:
    an_archive()
    few = queries_of(lambda: admin.get(reverse(LIST)))
    for number in range(10):
        an_archive(name=f"PACS {number}")

    assert queries_of(lambda: admin.get(reverse(LIST))) == few


@pytest.mark.acceptance("CL55")
def test_an_archive_is_deleted_with_what_it_has_answered(admin: Client) -> None:
    archive = an_archive()
    a_study(archive)
    url = reverse("admin:archives_archive_delete", args=[archive.pk])

    assert "studies in archives" in page(admin.get(url)).lower()
    admin.post(url, {"post": "yes"})

    assert not Archive.objects.exists()
    assert not ArchivedStudy.objects.exists()
    assert archive.history.latest().history_user_id == "alice"
