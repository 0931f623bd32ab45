"""A file of an export is whole, or is not there; its owner alone may read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class FileNotWritten(Exception):
    """The file cannot be written, or is there already: the text names it and says what to do."""


@contextmanager
def written(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """Give what becomes the file at `path` once the block has ended well. Raises FileNotWritten.

    It grows beside it, with mode 0600. A file that is there is replaced only where that is said.
    """
    _refuse(path, replace=replace)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FileNotWritten(_told(path, error)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(part, path, replace=replace)
    except OSError as error:
        raise FileNotWritten(_told(path, error)) from error
    finally:
        part.unlink(missing_ok=True)


def _refuse(path: Path, *, replace: bool) -> None:
    if path.is_dir():
        raise FileNotWritten(f"{path} is a folder: name a file in it.")
    if not (path.exists() or path.is_symlink()):
        return
    if not replace:
        raise FileNotWritten(f"{path} is there already: --force replaces it.")
    if path.is_symlink() or not path.is_file():
        raise FileNotWritten(f"{path} is no file of its own, and is not replaced: give another name.")


def _put_in_place(part: Path, path: Path, *, replace: bool) -> None:
    """Give the file its name at once; a link, unlike a rename, never takes the name from another file."""
    if replace:
        part.replace(path)
        return
    try:
        os.link(part, path)
    except FileExistsError:
        _refuse(path, replace=False)
        raise
    except OSError:  # some network drives have no links
        _refuse(path, replace=False)
        part.rename(path)


def _told(path: Path, error: OSError) -> str:
    return f"{path} cannot be written: {error.strerror}."
