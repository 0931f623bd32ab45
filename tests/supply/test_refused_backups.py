"""What cannot be backed up or restored is refused in a sentence, and nothing is changed by it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from pylantir_site import __version__
from pylantir_site.backups import archive, keys, making, postgresql, restoring, sqlite, swapping
from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.manifest import FORMAT, Manifest, SavedDatabase, refuse_unless_it_fits
from pylantir_site.backups.stopping import ending_in_order
from pylantir_site.backups.swapping import Replacement
from pylantir_site.environment.secret_key import kept_export_key

PART = SavedDatabase("default", "sqlite", "default.sqlite3", (("worklist", "0001_initial"),))
MANIFEST = Manifest(__version__, "2026-01-10T09:00:00+00:00", (PART,), ("0" * 16,), has_keys=False)
ALONE = {"default": "sqlite"}


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "backup.zip"
    archive.write(path, MANIFEST, {PART.member: b"rows " * 20})
    return path


@pytest.mark.acceptance("H145")
def test_a_byte_that_is_not_as_it_was_written_is_noticed_wherever_it_is(backup: Path) -> None:
    written = backup.read_bytes()
    for place in range(len(written)):
        for bit in (0x01, 0x80):
            damaged = bytearray(written)
            damaged[place] ^= bit
            backup.write_bytes(damaged)
            with pytest.raises(BackupError, match="is damaged"):
                archive.read(backup)
    backup.write_bytes(written)
    assert archive.read(backup).manifest == MANIFEST


@pytest.mark.acceptance("H145")
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda written: written[:-1], id="one byte short"),
        pytest.param(lambda written: written[: len(written) // 2], id="half of it"),
        pytest.param(lambda written: written + b"\n", id="one byte more"),
        pytest.param(lambda written: written[1:], id="without its first byte"),
        pytest.param(lambda written: b"", id="nothing"),
        pytest.param(lambda written: b"0" * 64, id="a digest alone"),
        pytest.param(lambda written: b"SQLite format 3\0" * 100, id="another file"),
    ],
)
def test_a_file_that_is_no_backup_any_more_is_refused(backup: Path, damage: object) -> None:
    assert callable(damage)
    backup.write_bytes(damage(backup.read_bytes()))

    with pytest.raises(BackupError, match=r"is damaged|is no backup"):
        archive.read(backup)


def test_any_tool_unpacks_a_backup(backup: Path) -> None:
    with zipfile.ZipFile(backup) as packed:
        assert packed.testzip() is None
        assert packed.read(PART.member) == b"rows " * 20
        assert json.loads(packed.read("manifest.json"))["version"] == __version__


@pytest.mark.acceptance("H146")
def test_a_backup_is_its_owners_alone_and_never_overwrites(backup: Path) -> None:
    written = backup.read_bytes()

    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with pytest.raises(BackupError, match="is there already, and is not overwritten"):
        archive.write(backup, MANIFEST, {})
    assert backup.read_bytes() == written
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]


@pytest.mark.acceptance("H146")
def test_a_backup_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"cannot be written: No such file"):
        archive.write(tmp_path / "new.zip", MANIFEST, {PART.member: tmp_path / "nowhere"})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BackupError, match=r"cannot be written: No such file"):
        archive.write(tmp_path / "no folder" / "new.zip", MANIFEST, {})

    (tmp_path / "new.zip.part").touch()
    with pytest.raises(BackupError, match="another backup is being written, or one was interrupted"):
        archive.write(tmp_path / "new.zip", MANIFEST, {})


@pytest.mark.acceptance("H146")
def test_one_that_is_stopped_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_seal", lambda descriptor: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(BackupError, match="was stopped before its end"), ending_in_order():
        archive.write(tmp_path / "new.zip", MANIFEST, {PART.member: b"rows"})

    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.acceptance("H147")
@pytest.mark.parametrize(
    ("change", "vendors", "told"),
    [
        ({}, ALONE, ""),
        ({"version": "0.1.0"}, ALONE, ""),
        ({"version": "99.0.0"}, ALONE, "made by Pylantir 99.0.0, which is newer than this one"),
        ({"version": "0.9.1"}, ALONE, r"newer than this one"),
        (
            {"parts": (replace(PART, migrations=(("worklist", "9999_later"),)),)},
            ALONE,
            r"newer than this one, .* \(it has worklist.9999_later\)",
        ),
        ({}, {"default": "postgresql"}, "is of SQLite alone; this installation has PostgreSQL alone"),
        ({}, {"default": "sqlite", "users": "sqlite"}, "this installation has SQLite with users apart"),
    ],
)
def test_a_backup_fits_an_installation_of_its_kind_and_version(
    change: dict[str, object], vendors: dict[str, str], told: str
) -> None:
    made = replace(MANIFEST, **change)  # type: ignore[arg-type]
    if not told:
        refuse_unless_it_fits(made, vendors)
        return
    with pytest.raises(BackupError, match=told):
        refuse_unless_it_fits(made, vendors)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (replace(MANIFEST, format=FORMAT + 1).to_json(), "whose form is newer"),
        (b"{}", "cannot be read"),
        (b"[1]", "cannot be read"),
        (b"\xff", "cannot be read"),
    ],
)
def test_what_a_backup_says_of_itself_must_be_understood(text: bytes, told: str) -> None:
    with pytest.raises(BackupError, match=told):
        Manifest.from_json(text)


@pytest.mark.acceptance("H147")
@pytest.mark.django_db
def test_an_installation_with_data_is_left_alone(tmp_path: Path) -> None:
    vendor = connection.vendor
    part = replace(PART, vendor=vendor)
    path = tmp_path / "backup.zip"
    archive.write(path, replace(MANIFEST, parts=(part,)), {PART.member: b""})

    with pytest.raises(BackupError, match=r"has data. Back it up first; `--replace` then"):
        restoring.refuse_unless_possible(archive.read(path), replace=False)


class TestSqliteFiles:
    @pytest.fixture
    def database(self, tmp_path: Path) -> Path:
        path = tmp_path / "worklist.db"
        with closing(sqlite3.connect(path)) as made:
            made.executescript(
                "PRAGMA journal_mode=WAL; CREATE TABLE item (name); INSERT INTO item VALUES ('a')"
            )
        return path

    def test_one_that_somebody_has_open_is_not_taken(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as other:
            other.execute("SELECT * FROM item").fetchall()
            with pytest.raises(BackupError, match="is in use: stop Pylantir"), sqlite.nobody_else(database):
                pass
        with sqlite.nobody_else(database):
            assert not database.with_name("worklist.db-wal").exists(), "Its log is in it."

    @pytest.mark.parametrize("content", [b"", b"no database" * 200], ids=["empty", "damaged"])
    def test_one_that_holds_nothing_to_lose_is_taken(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "worklist.db"
        path.write_bytes(content)

        with sqlite.nobody_else(path):
            pass
        assert sqlite.is_empty(path) == (not content)

    def test_a_damaged_one_in_a_backup_is_not_put_in_place(self, database: Path) -> None:
        sqlite.refuse_unless_sound(database)
        database.write_bytes(database.read_bytes()[:5000])
        with pytest.raises(BackupError, match="is damaged: it was so when the backup was made"):
            sqlite.refuse_unless_sound(database)


class TestFilesThatTakeTheirPlacesTogether:
    @pytest.fixture
    def places(self, tmp_path: Path) -> list[Replacement]:
        (tmp_path / "new").mkdir()
        for name in ("a", "b"):
            (tmp_path / name).write_text(f"old {name}")
            (tmp_path / "new" / name).write_text(f"new {name}")
        return [Replacement(tmp_path / "new" / name, tmp_path / name) for name in ("a", "b")]

    def test_all_are_new_and_nothing_old_is_left(self, places: list[Replacement], tmp_path: Path) -> None:
        swapping.put_in_place([places[0], replace(places[1], keeps_old=True)])

        assert [place.target.read_text() for place in places] == ["new a", "new b"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "b.replaced", "new"]

    @pytest.mark.acceptance("H148")
    def test_one_that_cannot_be_leaves_each_as_it_was(
        self, places: list[Replacement], tmp_path: Path
    ) -> None:
        (tmp_path / "b.replaced").mkdir()  # which no file can be renamed to
        with pytest.raises(OSError, match=r"."):
            swapping.put_in_place(places)

        assert [place.target.read_text() for place in places] == ["old a", "old b"]
        assert [place.new.read_text() for place in places] == ["new a", "new b"]

    @pytest.mark.acceptance("H148")
    def test_a_stop_between_two_leaves_each_as_it_was(
        self, places: list[Replacement], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rename = Path.rename

        def stopped(path: Path, target: Path) -> Path:
            if path == places[1].new:
                raise BackupError("It was stopped before its end.")
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", stopped)
        with pytest.raises(BackupError, match="was stopped"):
            swapping.put_in_place(places)

        assert [place.target.read_text() for place in places] == ["old a", "old b"]

    @pytest.mark.acceptance("H148")
    def test_what_an_interrupted_restore_set_aside_is_not_lost(self, places: list[Replacement]) -> None:
        places[0].target.rename(places[0].aside)
        with pytest.raises(BackupError, match="an earlier restore was interrupted"):
            swapping.refuse_leftovers(places)


class TestKeys:
    @pytest.fixture(autouse=True)
    def without_settings(
        self, monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path: Path
    ) -> None:
        for name in keys.KEPT:
            monkeypatch.delenv(name, raising=False)
        settings.DATA_DIR = tmp_path / "data"
        settings.DATA_DIR.mkdir()
        settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), Fernet.generate_key().decode()]

    def packed(self, tmp_path: Path, *, with_keys: bool) -> archive.BackupFile:
        path = tmp_path / "backup.zip"
        made = replace(MANIFEST, fingerprints=keys.fingerprints(), has_keys=with_keys)
        archive.write(path, made, {keys.MEMBER: keys.packed()} if with_keys else {})
        return archive.read(path)

    @pytest.mark.acceptance("H149")
    def test_those_of_the_backup_are_kept_as_if_made_here(
        self, tmp_path: Path, settings: LazySettings
    ) -> None:
        backup, before = self.packed(tmp_path, with_keys=True), settings.FIELD_ENCRYPTION_KEYS
        settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]  # as a new host makes one

        brought = keys.places(backup, tmp_path, keeps_old=False)
        assert keys.what_is_lacking(backup, brought) == ""
        swapping.put_in_place(brought)

        kept = settings.DATA_DIR / "encryption_key"
        assert kept.read_text().split(",") == before
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert (settings.DATA_DIR / "secret_key").read_text() == settings.SECRET_KEY
        assert keys.places(backup, tmp_path, keeps_old=False) == [], "They are there now."

    @pytest.mark.acceptance("H149")
    @pytest.mark.parametrize("with_keys", [True, False])
    def test_a_site_that_sets_others_is_told(
        self, with_keys: bool, tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backup = self.packed(tmp_path, with_keys=with_keys)
        assert keys.what_is_lacking(backup, []) == ""
        settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        monkeypatch.setenv("FIELD_ENCRYPTION_KEYS", settings.FIELD_ENCRYPTION_KEYS[0])
        monkeypatch.setenv("SECRET_KEY", "s" * 50)

        brought = keys.places(backup, tmp_path, keeps_old=False)

        assert brought == []
        assert "lacks an encryption key of the backup's" in keys.what_is_lacking(backup, brought)

    @pytest.mark.acceptance("H149")
    def test_without_being_asked_a_backup_holds_none(self, tmp_path: Path, settings: LazySettings) -> None:
        self.packed(tmp_path, with_keys=False)

        written = (tmp_path / "backup.zip").read_bytes()
        for key in (settings.SECRET_KEY, *settings.FIELD_ENCRYPTION_KEYS):
            assert key.encode() not in written

    @pytest.mark.acceptance("FI117")
    def test_the_key_of_pseudonyms_comes_back_once_there_is_one(
        self, tmp_path: Path, settings: LazySettings
    ) -> None:
        assert b"EXPORT_KEY" not in keys.packed()
        kept = settings.DATA_DIR / "export_key"
        key = kept_export_key(settings.DATA_DIR)
        assert key.encode() not in (self.packed(tmp_path, with_keys=False).path).read_bytes()
        (tmp_path / "backup.zip").unlink()
        backup = self.packed(tmp_path, with_keys=True)
        kept.write_text("another key, as a new host makes one: " + "k" * 32)

        swapping.put_in_place(keys.places(backup, tmp_path, keeps_old=False))

        assert kept.read_text() == key
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.acceptance("H146")
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_folder_keeps_the_newest_and_whatever_is_not_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [tmp_path / f"pylantir-2026010{day}T000000Z.zip" for day in (1, 2, 3)]
    other = tmp_path / "holiday.zip"
    for path in (*old, other):
        path.touch()

    call_command("backup", str(tmp_path), "--keep", "2")

    (new,) = set(tmp_path.iterdir()) - {*old, other}
    assert making.NAMED_BY_TIME.fullmatch(new.name)
    assert set(tmp_path.iterdir()) == {old[2], other, new}
    assert "holds no keys" in capsys.readouterr().out
    call_command("restore", str(new), "--check")
    assert f"undamaged, made at {archive.read(new).manifest.made_at}" in capsys.readouterr().out


@pytest.mark.parametrize(("place", "keep"), [("new.zip", "2"), (".", "0")])
def test_what_is_kept_is_a_number_of_a_folders(place: str, keep: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--keep takes a number from 1, and a folder"):
        call_command("backup", str(tmp_path / place), "--keep", keep)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it is about PostgreSQL")
@pytest.mark.django_db(transaction=True)
class TestPostgresql:
    @pytest.mark.acceptance("H148")
    @pytest.mark.slow
    def test_a_dump_that_breaks_off_changes_nothing(self, tmp_path: Path) -> None:
        dumped = tmp_path / "default.dump"
        postgresql.dump(connection, dumped)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
            before = cursor.fetchone()
        connection.close()
        written = dumped.read_bytes()
        dumped.write_bytes(written[: len(written) * 9 // 10])

        with pytest.raises(BackupError, match="could not be loaded, and nothing was changed: pg_restore"):
            postgresql.load(connection, dumped)

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
            assert cursor.fetchone() == before

    def test_tables_of_others_are_not_dropped(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE a_neighbours (name text)")
        try:
            with pytest.raises(BackupError, match=r"tables that are not Pylantir's \(a_neighbours\)"):
                postgresql.refuse_others_tables(connection)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE a_neighbours")
        postgresql.refuse_others_tables(connection)

    def test_a_database_that_is_in_use_is_not_taken(self) -> None:
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT 1")
            with pytest.raises(BackupError, match=r"in use by \d+ other connections: stop Pylantir"):
                postgresql.refuse_if_in_use(connection)
        finally:
            other.close()

    def test_a_host_without_its_programs_is_told_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(BackupError, match=r"pg_dump is not installed.*postgresql-client"):
            postgresql.refuse_without("pg_dump")


def test_a_setting_that_older_servers_refuse_is_left_out_of_the_statements_alone() -> None:
    from io import BytesIO

    script = (
        b"SET statement_timeout = 0;\nSET transaction_timeout = 0;\nCREATE TABLE a (b text);\n"
        b"COPY a FROM stdin;\nSET transaction_timeout = 0;\n\\.\n"
    )
    assert b"".join(postgresql._portable(BytesIO(script))) == script.replace(
        b"SET transaction_timeout = 0;\nCREATE", b"CREATE"
    )
