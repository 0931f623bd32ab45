"""The admin's page takes the original's files, shows what each row would do, and does just that."""

from __future__ import annotations

import base64
import re
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources import secrets
from sources.admin import original_upload
from sources.models import OriginalDatabase, OriginalStep
from sources.original.importing import ChangedSince
from tests.admin_pages import said, shown
from tests.sources import originals
from tests.sources.originals import completed, person, scheduled
from tests.sources.test_original_people import hashed
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db

PAGE, LIST = "admin:sources_import_original", "admin:sources_originaldatabase_changelist"


@pytest.fixture
def administrator(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def upload(client: Client, *paths: Path, **fields: str) -> Any:
    files = [path.open("rb") for path in paths]
    try:
        return client.post(reverse(PAGE), {"chosen": files, "unmarked": "auto", **fields})
    finally:
        for file in files:
            file.close()


def confirm(client: Client, preview: Any) -> Any:
    return client.post(reverse(PAGE), {"shown": preview.context["shown"]})


def rows(response: Any) -> list[str]:
    """Return the tables' rows as text."""
    page = response.content.decode()
    lines = [
        re.sub(r"<[^>]*>|\s+", " ", row)
        for body in re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
        for row in body.split("</tr>")
    ]
    return [" ".join(line.split()) for line in lines if line.strip()]


def a_worklist(folder: Path) -> Path:
    return originals.worklist(
        folder / "worklist.db",
        completed(patient_id="P-1", patient_name="Doe^Jane", patient_birth_date="20010305", patient_sex="2"),
        scheduled(patient_id="P-2", patient_name="Roe^Ann"),
        completed(patient_id="P-3", patient_name="Poe^Eve", scheduled_start_date="soon"),
    )


@pytest.mark.acceptance("RC162")
def test_files_are_shown_and_then_imported(administrator: Client, tmp_path: Path) -> None:
    accounts = originals.users(tmp_path / "users.db", person("ann", hashed("ann's own"), role="WRITE"))

    preview = upload(administrator, a_worklist(tmp_path), accounts, sex_codes="1=M, 2=F")

    assert rows(preview) == [
        "1 P-1 · Doe^Jane item made The weight is 100 lb, the original&#x27;s default: unknown.",
        "2 P-2 · Roe^Ann kept for the next pull",
        "3 P-3 · Poe^Eve left out It has no date that can be read.",
        "1 ann account made",
    ]
    assert "Item made: 1, Kept for the next pull: 1, Left out: 1. Nothing is written yet." in (
        preview.content.decode()
    )
    assert not WorklistItem.objects.exists()
    assert not User.objects.filter(username="ann").exists()

    done = confirm(administrator, preview)

    assert rows(done) == rows(preview)
    item = WorklistItem.objects.get()
    assert (item.patient_sex, item.history.get().history_user_id) == ("F", "alice")
    assert reverse("admin:worklist_worklistitem_change", args=[item.pk]) in done.content.decode()
    assert User.objects.get(username="ann").role == "write"
    listed = shown(administrator, reverse(LIST))
    assert "worklist.db" in listed
    assert "alice" in listed
    again = upload(administrator, tmp_path / "worklist.db", accounts)
    assert again.context["shown"] == ""
    assert "There is nothing to import." in again.content.decode()


@pytest.mark.acceptance("RC162")
def test_what_the_page_carries_tells_nobody_anything(administrator: Client, tmp_path: Path) -> None:
    password = hashed("ann's own")
    preview = upload(administrator, originals.users(tmp_path / "users.db", person("ann", password)))

    assert password not in preview.content.decode()
    assert "ann" not in preview.context["shown"]
    assert password in str(_unpacked(preview.context["shown"]))


def _unpacked(sealed: str) -> bytes:
    return zlib.decompress(base64.b64decode(secrets.decrypt(sealed)))


@pytest.mark.acceptance("RC162")
def test_what_would_do_something_else_by_now_is_not_imported(administrator: Client, tmp_path: Path) -> None:
    path = a_worklist(tmp_path)
    preview = upload(administrator, path, sex_codes="1=M, 2=F")
    OriginalDatabase.objects.all().delete()
    confirm(administrator, upload(administrator, path))
    before = OriginalStep.objects.count()

    done = confirm(administrator, preview)

    assert said(done) == [str(ChangedSince())]
    assert (WorklistItem.objects.get().patient_sex, OriginalStep.objects.count()) == ("", before)


def _of_another_person(client: Client, patch: pytest.MonkeyPatch, sealed: str) -> str:
    client.force_login(User.objects.create_user("dora", role="admin"))
    return sealed


def _touched(client: Client, patch: pytest.MonkeyPatch, sealed: str) -> str:
    middle = len(sealed) // 2
    return sealed[:middle] + sealed[middle:].swapcase()


def _old(client: Client, patch: pytest.MonkeyPatch, sealed: str) -> str:
    patch.setattr(original_upload, "SECONDS_TO_DECIDE", -1)
    return sealed


def _of_another_page(client: Client, patch: pytest.MonkeyPatch, sealed: str) -> str:
    return secrets.encrypt("a token")


@pytest.mark.acceptance("RC162")
@pytest.mark.parametrize("spoil", [_of_another_person, _touched, _old, _of_another_page])
def test_only_what_was_shown_to_this_person_is_imported(
    administrator: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Client, pytest.MonkeyPatch, str], str],
) -> None:
    preview = upload(administrator, a_worklist(tmp_path))
    sealed = spoil(administrator, monkeypatch, preview.context["shown"])

    answered = administrator.post(reverse(PAGE), {"shown": sealed})

    assert said(answered) == [str(original_upload.TOO_OLD)]
    assert not WorklistItem.objects.exists()


@pytest.mark.acceptance("RC162")
@pytest.mark.parametrize("role", ["bob", "charlie"])
def test_whoever_is_no_administrator_gets_no_page(
    client: Client, request: pytest.FixtureRequest, tmp_path: Path, role: str
) -> None:
    client.force_login(request.getfixturevalue(role))

    assert client.get(reverse(PAGE)).status_code == 403
    assert client.get(reverse(LIST)).status_code == 403
    assert upload(client, a_worklist(tmp_path)).status_code == 403
    assert reverse(LIST) not in shown(client, reverse("admin:index"))


def test_an_administrator_finds_the_page(administrator: Client) -> None:
    assert reverse(LIST) in shown(administrator, reverse("admin:index"))
    assert reverse(PAGE) in shown(administrator, reverse(LIST))
    assert 'type="file"' in shown(administrator, reverse(PAGE))


@pytest.mark.acceptance("RC162")
def test_what_cannot_be_taken_is_told_by_the_form(
    administrator: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "notes.db"
    text.write_text("Dear colleague")
    path = a_worklist(tmp_path)

    assert "notes.db: This is not a database of SQLite" in str(
        upload(administrator, text).context["form"].errors
    )
    wrong = upload(administrator, path, sex_codes="1=male", modalities="7T=MRI").context["form"].errors
    assert "MALE is no sex of DICOM" in str(wrong["sex_codes"])
    assert "Did you mean MR?" in str(wrong["modalities"])
    assert administrator.post(reverse(PAGE), {"unmarked": "auto"}).context["form"].errors == {
        "chosen": ["This field is required."]
    }
    for limit, most in (("MOST_BYTES_OF_A_FILE", 100), ("MOST_ROWS", 2)):
        with monkeypatch.context() as patch:
            patch.setattr(original_upload, limit, most)
            assert str(original_upload.TOO_MUCH) in str(upload(administrator, path).context["form"].errors)
    assert not OriginalDatabase.objects.exists()


def test_a_file_that_may_have_its_newest_rows_beside_it_is_told(
    administrator: Client, tmp_path: Path
) -> None:
    in_a_log = originals.worklist(tmp_path / "in_a_log.db", completed(), wal=True)

    assert said(upload(administrator, in_a_log)) == [original_upload.MAY_HAVE_A_LOG % {"name": "in_a_log.db"}]
    assert said(upload(administrator, a_worklist(tmp_path))) == []


def test_no_upload_stays_on_the_disk(
    administrator: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    upload(administrator, a_worklist(tmp_path))

    assert not list(folder.iterdir())
