"""A data set is written as a folder, which is whole or not there, or as a .zip."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO


class FolderExists(ValueError):
    """There is something of this name already; a folder is never replaced, for it may hold images."""


def write(files: Iterable[tuple[str, str]], target: Path) -> None:
    """Write the files into a new folder that only its owner may read.

    They are written into a folder beside, which is renamed. Raises FolderExists, and OSError; then nothing is
    left behind.
    """
    refuse_existing(target)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for path, text in files:
            _write_file(beside / path, text)
        refuse_existing(target)
        beside.rename(target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def refuse_existing(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise FolderExists(
            f"{target} exists, and may hold images: name a new folder, and copy from it what you want."
        )


def write_zip(files: Iterable[tuple[str, str]], target: IO[bytes], *, folder: str) -> None:
    """Write the files as a .zip of one folder."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files:
            archive.writestr(f"{folder}/{path}", text)


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8", newline="\n")
