"""An archive's row is opened as a client, or says what it lacks; a test keeps what came of it."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.utils import timezone

from archives.models import Archive, ArchiveCheck, ArchiveKind, Authentication
from archives.opening import opened
from archives.trying import tried
from sources.errors import AuthorisationError, ConfigurationError, SourceError
from tests.archives.conftest import MakeStandIn
from tests.archives.images import MadeStudy
from tests.archives.making import a_study, an_archive, archive_at, with_password
from tests.archives.stand_in import TOKEN
from tests.worklist.conftest import make_item
from tests.worklist.tls_certificates import Authority

pytestmark = pytest.mark.django_db

ONE = MadeStudy("1.2.3.1")
BASIC = "Basic dGVzdGVyOmEtdGVzdC1vbmx5"


@pytest.mark.acceptance("CL49")
def test_an_archive_is_asked_by_c_find_as_its_row_says(stand_in: MakeStandIn, settings: LazySettings) -> None:
    settings.MWL_AETITLE = "OURS"
    archive = archive_at(stand_in(ONE, knows=("OURS",)))
    with opened(archive) as client:
        assert client.studies(study_instance_uids=["1.2.3.1"])
    archive.calling_ae_title = "OTHER"
    with opened(archive) as client, pytest.raises(AuthorisationError, match="does not know OTHER"):
        client.test()


@pytest.mark.acceptance("CL49")
def test_an_archive_is_asked_by_qido_with_its_user(stand_in: MakeStandIn) -> None:
    archive = with_password(archive_at(stand_in(ONE, credentials=BASIC), ArchiveKind.DICOMWEB))

    with opened(Archive.objects.get()) as client:
        assert client.studies(study_instance_uids=["1.2.3.1"])

    assert "a-test-only" not in archive.secret_cipher
    assert (archive.secret_set_by, archive.has_secret) == ("alice", True)


@pytest.mark.acceptance("CL49")
def test_a_token_may_stand_in_the_environment_or_a_file(
    stand_in: MakeStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: LazySettings
) -> None:
    at = stand_in(ONE, credentials=f"Bearer {TOKEN}")
    archive = archive_at(at, ArchiveKind.DICOMWEB, authentication=Authentication.BEARER)
    with pytest.raises(AuthorisationError, match="The archive has no password or token"):
        opened(archive)
    archive.secret_variable = "PYLANTIR_TOKEN_PACS"
    monkeypatch.setenv("PYLANTIR_TOKEN_PACS", TOKEN)
    with opened(archive) as client:
        client.test()
    archive.secret_variable = "SECRET_KEY"
    with pytest.raises(AuthorisationError, match="SECRET_KEY"):
        opened(archive)
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    settings.SOURCE_FILES_FOLDER = str(tmp_path)
    archive.secret_variable, archive.secret_file = "", str(tmp_path / "token")
    with opened(archive) as client:
        client.test()


@pytest.mark.acceptance("CL49")
@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"host": ""}, ConfigurationError, "host, port and called AE title"),
        ({"port": None}, ConfigurationError, "host, port and called AE title"),
        ({"kind": "DICOMWEB"}, ConfigurationError, "base URL"),
        (
            {"kind": "DICOMWEB", "url": "https://a.example", "authentication": "BASIC"},
            AuthorisationError,
            "no password",
        ),
        ({"tls": True, "ca_bundle": "/etc/shadow"}, ConfigurationError, "SOURCE_FILES_FOLDER"),
        ({"tls": True, "client_certificate": "/etc/hostname"}, ConfigurationError, "SOURCE_FILES_FOLDER"),
    ],
)
def test_a_row_that_does_not_say_enough_is_told(
    values: dict[str, Any], error: type[SourceError], says: str
) -> None:
    with pytest.raises(error, match=says):
        opened(an_archive(**values))


@pytest.mark.acceptance("CL49")
def test_tls_takes_its_files_from_the_sites_folder(
    stand_in: MakeStandIn, tmp_path: Path, settings: LazySettings
) -> None:
    settings.SOURCE_FILES_FOLDER = str(tmp_path)
    authority = Authority(tmp_path, "Hospital CA")
    issued, own = authority.issue("archive.example.org"), authority.issue("PYLANTIR")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.path)
    archive = archive_at(
        stand_in(ONE, tls=context),
        tls=True,
        ca_bundle=str(authority.path),
        client_certificate=str(own.certificate),
        client_key=str(own.key),
    )

    assert tried(archive) == ""


@pytest.mark.acceptance("CL50")
@pytest.mark.parametrize("kind", ArchiveKind.values)
def test_a_test_keeps_what_came_of_it_and_changes_nothing_else(stand_in: MakeStandIn, kind: str) -> None:
    at = stand_in(ONE)
    archive = archive_at(at, kind)

    assert tried(archive) == ""
    archive.refresh_from_db()
    assert archive.tested_at is not None
    assert archive.test_problem == ""
    at.status = 0xA700 if kind == ArchiveKind.DICOM else 403
    problem = tried(archive)
    archive.refresh_from_db()
    assert archive.test_problem == problem != ""
    assert archive.history.count() == 1


@pytest.mark.acceptance("CL51")
@pytest.mark.parametrize(
    ("stations", "of_item", "holds"),
    [
        ("", [], True),
        ("", ["MR1"], True),
        ("MR1", ["MR1"], True),
        ("MR1\\MR2", ["MR2", "MR3"], True),
        ("MR1", ["MR2"], False),
        ("MR1", [], True),
    ],
)
def test_an_archive_holds_the_images_of_its_stations(
    stations: str, of_item: list[str], *, holds: bool
) -> None:
    assert Archive(stations=stations).holds(of_item) == holds


@pytest.mark.acceptance("CL51")
def test_checks_are_due_of_enabled_archives_alone_the_longest_first() -> None:
    one, off = an_archive(), an_archive(name="old", enabled=False)
    item, other = make_item(), make_item(2, patient_id="P2")
    now = timezone.now()
    hour = timedelta(hours=1)
    for archive, of, at in (
        (one, item, now),
        (one, other, now - hour),
        (off, item, now - hour),
    ):
        of.save()
        ArchiveCheck.objects.create(archive=archive, item=of, next_at=at, until=now + hour)
    ArchiveCheck.objects.create(archive=off, item=other, next_at=None, until=now)

    assert [check.item for check in ArchiveCheck.objects.due(now)] == [other, item]
    assert not ArchiveCheck.objects.due(now - 2 * hour).exists()
    assert [*Archive.objects.asked()] == [one]


@pytest.mark.acceptance("CL51")
def test_an_item_that_is_deleted_leaves_the_study_and_no_check() -> None:
    archive, item = an_archive(), make_item()
    item.save()
    study = a_study(archive, item=item)
    ArchiveCheck.objects.create(archive=archive, item=item, until=timezone.now())

    item.delete()

    study.refresh_from_db()
    assert study.item is None
    assert not ArchiveCheck.objects.exists()


@pytest.mark.acceptance("CL52")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("host", value) for value in ("http://pacs", "pacs:104", "pacs/x", "a b", "169.254.169.254", "-x")),
        *(("url", value) for value in ("http://pacs.example.org/dicom-web", "ftp://x", "https://u:p@x", "x")),
        ("url", "https://169.254.169.254/dicom-web"),
        ("called_ae_title", "SEVENTEEN LETTERS"),
        ("stations", "MR1\\TOO LONG FOR AN AE TITLE"),
        ("port", 0),
        ("days", 0),
        ("secret_variable", "SECRET_KEY"),
        ("ca_bundle", "/etc/passwd"),
    ],
)
def test_what_is_no_address_or_may_not_be_read_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        Archive(name="PACS", **{field: value}).full_clean()
    assert field in raised.value.message_dict


@pytest.mark.acceptance("CL52")
@pytest.mark.parametrize("host", ["pacs.example.org", "10.0.0.5", "localhost", "pacs-1", "::1", "fe00::5"])
def test_hosts_are_names_and_addresses(host: str) -> None:
    Archive(name="PACS", host=host).full_clean()
