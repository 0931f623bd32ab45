"""A small disk may be filled, and emptied again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import not_installed


class SmallDisk:
    """A tmpfs of a few megabytes; a file fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                while _written(file.fileno(), bytes(size)):
                    pass

    def make_space(self) -> None:
        self._filler.unlink()


def _written(file: int, content: bytes) -> bool:
    try:
        return os.write(file, content) > 0
    except OSError:
        return False


@contextmanager
def mounted(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one at the folder, or skip the test where that is not allowed."""
    folder.mkdir()
    options = f"size={megabytes}m,mode=700"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        not_installed("A mount, which needs root,")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
