"""A watched table is read whole or left alone, and nothing outside its folder is ever read.

Not here: what a table holds (test_tables*), and what a pull makes of it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sources.errors import ConfigurationError, TransientError
from sources.table_files import folder, names
from sources.table_files.steady import BeingWritten

HEADER = b"id,date\n"


@pytest.fixture
def tables(tmp_path: Path, settings: Any) -> Iterator[Path]:
    made = tmp_path / "tables"
    made.mkdir()
    settings.SOURCE_TABLES_FOLDER = str(made)
    settings.SOURCE_FILES_FOLDER = ""
    yield made


def put(path: Path, content: bytes = HEADER, *, age: float = 60) -> Path:
    """Write a file that was last changed so many seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    changed = time.time() - age
    os.utime(path, (changed, changed))
    return path


@pytest.mark.acceptance("FI50")
def test_a_file_is_read_by_its_name(tables: Path) -> None:
    put(tables / "mri" / "bookings.csv")

    assert folder.read("mri/bookings.csv") == ("bookings.csv", HEADER)


@pytest.mark.acceptance("FI50")
def test_the_newest_file_of_a_pattern_is_read(tables: Path) -> None:
    put(tables / "bookings_1.csv", b"old", age=500)
    put(tables / "bookings_2.csv", b"new", age=100)
    put(tables / "other.csv", b"other", age=50)
    (tables / "bookings_folder.csv").mkdir()

    assert folder.read("bookings_*.csv") == ("bookings_2.csv", b"new")


def test_accents_count_alike_however_they_are_made(tables: Path) -> None:
    put(tables / "Zürich.csv")

    assert folder.read("Zürich.csv").content == HEADER


@pytest.mark.acceptance("FI51")
@pytest.mark.parametrize(
    "name",
    [
        *("~$bookings.csv", ".bookings.csv.swp", ".~lock.bookings.csv#", "bookings.csv.part"),
        *("bookings.csv.filepart", "bookings.csv.TMP", "bookings.csv~", ".hidden.csv", "x.crdownload"),
    ],
)
def test_temporary_names_are_never_taken(tables: Path, name: str) -> None:
    put(tables / "bookings.csv", b"whole", age=500)
    put(tables / name, b"half", age=100)

    assert folder.read("*").content == b"whole"
    with pytest.raises(names.NameRefused):
        names.parts_of(name)


@pytest.mark.acceptance("FI51")
@pytest.mark.parametrize(
    ("content", "age", "told"),
    [(b"", 60, "it is empty"), (HEADER, 1, "it changed a moment ago"), (HEADER, -2, "a moment ago")],
)
def test_a_file_that_may_still_be_written_waits_for_the_next_pull(
    tables: Path, content: bytes, age: float, told: str
) -> None:
    put(tables / "bookings.csv", b"whole", age=500)
    put(tables / "bookings_new.csv", content, age=age)

    with pytest.raises(BeingWritten, match=told) as refused:
        folder.read("bookings*.csv")

    assert refused.value.retry_after is not None  # as soon as the source's next pull
    assert not refused.value.retry_after


@pytest.mark.acceptance("FI51")
def test_a_file_that_changes_while_it_is_read_waits(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tables / "bookings.csv", b"a" * 100)
    read = os.read

    def slow(descriptor: int, size: int) -> bytes:
        found = read(descriptor, 10)
        if path.stat().st_size == 100:
            with path.open("ab") as file:
                file.write(b"b" * 50)
        return found

    monkeypatch.setattr("sources.table_files.steady.os.read", slow)

    with pytest.raises(BeingWritten, match="while it was read"):
        folder.read("bookings.csv")


@pytest.mark.acceptance("FI51")
def test_an_atomic_replace_is_never_met_half_way(tables: Path) -> None:
    """Two whole files take turns while they are read; whatever comes is one of the two, whole."""
    contents = {bytes([65 + number]) * 200_000 for number in range(2)}
    put(tables / "bookings.csv", min(contents))
    ended = threading.Event()

    def replace() -> None:
        while not ended.is_set():
            for content in contents:
                put(tables / "bookings.csv.part", content).replace(tables / "bookings.csv")

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _ in range(200):
            assert folder.read("bookings.csv").content in contents
    finally:
        ended.set()
        writer.join()


@pytest.mark.acceptance("FI52")
def test_a_file_that_is_gone_is_out_of_reach(tables: Path) -> None:
    with pytest.raises(TransientError, match=r"no file bookings\.csv .* stays as it is"):
        folder.read("bookings.csv")
    with pytest.raises(TransientError, match="no file"):
        folder.read("nowhere/*.csv")
    tables.rmdir()
    with pytest.raises(TransientError, match="out of reach"):
        folder.read("bookings.csv")


@pytest.mark.acceptance("FI53")
@pytest.mark.parametrize(
    "asked",
    [
        *("/etc/passwd", "../secret.csv", "mri/../../secret.csv", "", "~/x.csv", "a\\b.csv", "m*/x.csv"),
        *("x\0.csv", ".ssh/id.csv", "./x.csv"),
    ],
)
def test_no_name_leads_out_of_the_folder(tables: Path, asked: str) -> None:
    put(tables.parent / "secret.csv")

    with pytest.raises(ConfigurationError):
        folder.read(asked)


@pytest.mark.acceptance("FI53")
def test_no_link_is_followed(tables: Path) -> None:
    secret = put(tables.parent / "outside" / "secret.csv")
    (tables / "link.csv").symlink_to(secret)
    (tables / "way").symlink_to(secret.parent)

    for asked in ("link.csv", "*.csv", "way/secret.csv", "way/*.csv"):
        with pytest.raises(TransientError):
            folder.read(asked)


@pytest.mark.acceptance("FI53")
def test_the_folder_itself_may_be_a_link_of_the_sites(tables: Path, settings: Any) -> None:
    put(tables / "bookings.csv")
    (tables.parent / "share").symlink_to(tables)
    settings.SOURCE_TABLES_FOLDER = str(tables.parent / "share")

    assert folder.read("bookings.csv").content == HEADER


@pytest.mark.acceptance("FI53")
def test_no_folder_gives_away_tokens_or_own_files(
    tables: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOURCE_FILES_FOLDER = str(tables / "tokens")
    settings.DATA_DIR = tables / "data"
    monkeypatch.setenv("SECRET_KEY_FILE", str(put(tables / "key.csv")))

    for asked in ("tokens/cpip.csv", "data/keys.csv", "key.csv"):
        put(tables / asked)
        with pytest.raises(ConfigurationError, match=r"Pylantir's own|for tokens"):
            folder.read(asked)


@pytest.mark.acceptance("FI53")
def test_what_never_ends_or_is_too_large_is_refused(tables: Path, settings: Any) -> None:
    settings.SOURCE_TABLE_MEGABYTES = 1
    os.mkfifo(tables / "pipe.csv")
    put(tables / "large.csv", b"a" * (1024 * 1024 + 1))

    with pytest.raises(TransientError, match="no file"):
        folder.read("pipe.csv")
    with pytest.raises(ConfigurationError, match="larger than 1 MB"):
        folder.read("large.csv")


@pytest.mark.acceptance("FI53")
def test_without_a_folder_nothing_is_watched(settings: Any) -> None:
    settings.SOURCE_TABLES_FOLDER = ""

    with pytest.raises(ConfigurationError, match="SOURCE_TABLES_FOLDER"):
        folder.read("bookings.csv")
