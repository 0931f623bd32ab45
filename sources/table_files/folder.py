"""A watched table lies below the folder that SOURCE_TABLES_FOLDER names; no link is followed below it.

Each folder on the way is opened from the one before, so that nothing changes where the way leads meanwhile.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from sources import host
from sources.errors import ConfigurationError, TransientError
from sources.table_files import names, steady

READS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER = READS | os.O_DIRECTORY
NO_FOLDER = (
    "Tables are watched in no folder: name it in SOURCE_TABLES_FOLDER where the worker runs, "
    "or upload the file."
)


class FoundFile(NamedTuple):
    name: str
    content: bytes


class _Candidate(NamedTuple):
    changed: int  # nanoseconds
    name: str


def read(asked: str) -> FoundFile:
    """Return the file that is asked for by its name, or the newest that fits the pattern.

    Raises TransientError where there is none, BeingWritten, or ConfigurationError.
    """
    folders, wanted = _parts(asked)
    try:
        with _opened(folders) as folder:
            name = _newest(folder, wanted, asked)
            _check(folders, name)
            told = "/".join((*folders, name))
            with _closing(os.open(name, READS, dir_fd=folder)) as descriptor:
                return FoundFile(
                    name, steady.read(descriptor, told, most_megabytes=settings.SOURCE_TABLE_MEGABYTES)
                )
    except FileNotFoundError:
        raise _gone(asked) from None
    except OSError as error:
        raise steady.out_of_reach(asked, error) from None


def _parts(asked: str) -> tuple[tuple[str, ...], str]:
    if not settings.SOURCE_TABLES_FOLDER:
        raise ConfigurationError(NO_FOLDER)
    try:
        return names.parts_of(asked)
    except names.NameRefused as error:
        raise ConfigurationError(str(error)) from None


@contextmanager
def _opened(folders: tuple[str, ...]) -> Iterator[int]:
    """Open the folder of tables, wherever the site's own link leads, and from it each one below."""
    root = os.open(settings.SOURCE_TABLES_FOLDER, FOLDER & ~os.O_NOFOLLOW)
    with ExitStack() as stack:
        found = stack.enter_context(_closing(root))
        for name in folders:
            found = stack.enter_context(_closing(os.open(name, FOLDER, dir_fd=found)))
        yield found


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _newest(folder: int, wanted: str, asked: str) -> str:
    with closing(os.scandir(folder)) as entries:
        found = [_candidate(entry) for entry in entries if names.is_meant(entry.name, wanted)]
    files = [each for each in found if each is not None]
    if not files:
        raise _gone(asked)
    return max(files).name


def _candidate(entry: os.DirEntry[str]) -> _Candidate | None:
    """Return the file, or None of a link, a folder, or what is gone by now."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return _Candidate(found.st_mtime_ns, entry.name) if stat.S_ISREG(found.st_mode) else None


def _check(folders: tuple[str, ...], name: str) -> None:
    """Keep the site's own secrets from being read as tables. Raises ConfigurationError."""
    try:
        host.check_table(Path(settings.SOURCE_TABLES_FOLDER).resolve().joinpath(*folders, name))
    except host.NotAllowed as error:
        raise ConfigurationError(str(error)) from None


def _gone(asked: str) -> TransientError:
    return TransientError(
        f"There is no file {asked} in the folder of tables, or the folder is out of reach. "
        "What was booked from it stays as it is."
    )
