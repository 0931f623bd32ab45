"""These tests hold the system checks of a site's set-up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.checks import CheckMessage
from django.core.checks.registry import registry
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.models import User
from pylantir_site.database.row_checks import row_check
from pylantir_site.overview import checks, exposure
from pylantir_site.processes import web
from sources.models import DataSource, OriginalDatabase
from tests.sources import making, originals
from worklist.models import Device


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the checks a database's path in the settings, without touching Django's connections."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(checks, "sqlite_files", lambda: [folder / "worklist.db"])
    return folder


def test_debug_where_others_can_reach_it_is_warned_of(settings: LazySettings) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["localhost", "pylantir.example.org"]

    (found,) = checks.debug_stays_on_this_machine(None)

    assert found.id == "pylantir.W001"
    assert "pylantir.example.org" in found.msg


@pytest.mark.parametrize(
    ("debug", "hosts"), [(True, ["localhost", "127.0.0.1", "[::1]"]), (False, ["pylantir.example.org"])]
)
def test_debug_on_this_machine_or_no_debug_is_fine(
    settings: LazySettings, debug: bool, hosts: list[str]
) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = debug, hosts

    assert checks.debug_stays_on_this_machine(None) == []


def test_a_star_among_the_hosts_is_warned_of(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert [found.id for found in checks.hosts_are_named(None)] == ["pylantir.W002"]

    settings.ALLOWED_HOSTS = ["localhost"]
    assert checks.hosts_are_named(None) == []


def test_sqlite_on_a_network_file_system_is_warned_of(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(checks, "MOUNTS", mounts)
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/export {data} nfs4 rw 0 0\n")

    (found,) = checks.sqlite_is_on_a_local_disk(None)

    assert found.id == "pylantir.W003"
    assert "nfs4" in found.msg


@pytest.mark.parametrize("content", ["/dev/sda / ext4 rw 0 0\nserver:/home /home nfs rw 0 0\n", ""])
def test_sqlite_on_a_local_disk_is_fine(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(checks, "MOUNTS", mounts)
    mounts.write_text(content)

    assert checks.sqlite_is_on_a_local_disk(None) == []


def test_a_system_without_a_list_of_mounts_is_fine(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MOUNTS", tmp_path / "missing")

    assert checks.sqlite_is_on_a_local_disk(None) == []


def test_a_mount_point_with_a_space_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("//server/share /mnt/my\\040share cifs rw 0 0\n")
    monkeypatch.setattr(checks, "MOUNTS", mounts)

    assert checks.mounts() == {"/mnt/my share": "cifs"}


def test_a_data_folder_that_others_may_read_is_warned_of(data: Path, settings: LazySettings) -> None:
    settings.DATA_DIR = data
    assert checks.data_is_the_owners_alone(None) == []

    data.chmod(0o750)

    (found,) = checks.data_is_the_owners_alone(None)
    assert found.id == "pylantir.W004"
    assert str(data) in (found.hint or "")


def test_an_old_sqlite_is_an_error(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.sqlite_is_recent(None) == []

    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))

    assert [found.id for found in checks.sqlite_is_recent(None)] == ["pylantir.E001"]


def test_an_old_sqlite_does_not_matter_to_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    monkeypatch.setattr(checks, "sqlite_files", list)

    assert checks.sqlite_is_recent(None) == []


@pytest.fixture
def saved(db: None) -> DataSource:
    source = making.unsaved(name="study", url="https://redcap.invalid/api/", server_timezone="UTC")
    source.redcap.set_token("0123456789ABCDEF", by="alice")
    source.save_with_details("alice")
    return source


def test_a_lost_encryption_key_is_warned_of_by_the_sources_name(
    saved: DataSource, settings: LazySettings
) -> None:
    keys = settings.FIELD_ENCRYPTION_KEYS
    assert checks.secrets_can_be_decrypted(None, databases=["default"]) == []
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key()]

    (found,) = checks.secrets_can_be_decrypted(None, databases=["default"])

    assert found.id == "pylantir.W005"
    assert "study" in found.msg
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key(), *keys]  # changed as it should be
    assert checks.secrets_can_be_decrypted(None, databases=["default"]) == []


def test_no_database_is_asked_unless_it_is_named(settings: LazySettings) -> None:
    assert checks.secrets_can_be_decrypted(None) == []


def test_a_database_that_is_not_migrated_yet_holds_no_secrets(
    saved: DataSource, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key()]
    monkeypatch.setattr(type(saved.details)._meta, "db_table", "not_there")

    assert checks.secrets_can_be_decrypted(None, databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("devices", "found"),
    [
        ({}, ["pylantir.W007"]),
        ({"MR1": True}, []),
        ({"MR1": False}, []),
        ({"MR1": True, "*": True}, ["pylantir.W008"]),
        ({"*": False}, []),
    ],
)
def test_it_is_told_who_may_associate_where_that_is_nobody_or_anybody(
    devices: dict[str, bool], found: list[str]
) -> None:
    for ae_title, enabled in devices.items():
        Device.objects.create(ae_title=ae_title, enabled=enabled)

    told = checks.devices_are_listed(None, databases=["default"])

    assert [warning.id for warning in told] == found
    assert all(warning.hint for warning in told)
    assert checks.devices_are_listed(None) == []


@pytest.fixture
def registered() -> Iterator[None]:
    """Take back what a test registers."""
    before = set(registry.registered_checks)
    yield
    registry.registered_checks = before


@pytest.mark.django_db
@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "not_there", ["SELECT * FROM of_a_later_version", "SELECT later FROM worklist_device"]
)
def test_rows_are_not_checked_in_tables_of_another_version(not_there: str) -> None:
    def asks() -> list[CheckMessage]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(not_there)
        raise AssertionError("No such table is there.")

    assert row_check(asks)(None, databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("registered")
def test_a_mistake_of_a_check_is_not_taken_for_an_older_table() -> None:
    def asks() -> list[CheckMessage]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM WHERE")
        return []

    with pytest.raises(DatabaseError):
        row_check(asks)(None, databases=["default"])


@pytest.mark.acceptance("RC161")
@pytest.mark.django_db
def test_what_lies_unused_in_a_file_of_the_originals_is_warned_of(data: Path) -> None:
    originals.worklist(data / "worklist.db", originals.completed())

    (found,) = checks.nothing_of_the_original_lies_unused(None, databases=["default"])
    assert found.id == "pylantir.W009"
    assert f"import_original {data / 'worklist.db'}" in str(found.hint)

    OriginalDatabase.objects.create(name="worklist.db", imported_by="alice")
    assert checks.nothing_of_the_original_lies_unused(None, databases=["default"]) == []


@pytest.mark.django_db
def test_a_database_of_ours_alone_holds_nothing_of_the_originals(data: Path) -> None:
    (data / "worklist.db").touch()

    assert checks.nothing_of_the_original_lies_unused(None, databases=["default"]) == []
    assert checks.nothing_of_the_original_lies_unused(None) == []


@pytest.mark.acceptance("H124")
@pytest.mark.parametrize(
    ("hosts", "behind", "found"),
    [
        (["localhost", "127.0.0.1", "[::1]"], False, []),
        (["localhost", "pylantir.example.org"], False, ["pylantir.W020"]),
        (["*"], False, ["pylantir.W020"]),
        (["pylantir.example.org"], True, []),
    ],
)
def test_a_server_without_a_proxy_is_warned_of(
    settings: LazySettings, hosts: list[str], behind: bool, found: list[str]
) -> None:
    settings.ALLOWED_HOSTS, settings.BEHIND_TLS_PROXY = hosts, behind

    assert [each.id for each in exposure.others_come_by_a_proxy(None)] == found


@pytest.mark.acceptance("H124")
@pytest.mark.parametrize(
    ("host", "is_told"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("", True),
        ("web", True),
    ],
)
def test_a_start_at_an_address_of_others_says_so(host: str, is_told: bool) -> None:
    assert bool(web.why_exposed(host)) == is_told


@pytest.mark.django_db
@pytest.mark.acceptance("H124")
@pytest.mark.parametrize(
    ("host", "behind", "role", "is_told"),
    [
        ("pylantir.example.org", False, "admin", True),
        ("pylantir.example.org", False, "write", False),
        ("pylantir.example.org", True, "admin", False),
        ("localhost", False, "admin", False),
        ("[::1]:8000", False, "admin", False),
    ],
)
def test_an_administrator_reads_that_a_proxy_is_missing(
    client: Client, alice: User, settings: LazySettings, host: str, behind: bool, role: str, is_told: bool
) -> None:
    settings.ALLOWED_HOSTS, settings.BEHIND_TLS_PROXY = ["*"], behind
    User.objects.update(role=role)
    client.force_login(alice)

    page = client.get("/admin/", headers={"host": host}).content.decode()

    assert ("came without encryption" in page) == is_told
