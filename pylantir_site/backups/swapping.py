"""Several files take their places together: all of them, or each as it was."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pylantir_site.backups.archive import sync_folder
from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.sqlite import BESIDE

ASIDE = ".replaced"


@dataclass(frozen=True)
class Replacement:
    """`new` goes to `target`; what was there is removed, or stays beside it as `target`.replaced."""

    new: Path
    target: Path
    keeps_old: bool = False

    @property
    def aside(self) -> Path:
        return self.target.with_name(self.target.name + ASIDE)


def refuse_leftovers(places: Sequence[Replacement]) -> None:
    """Raise BackupError where an earlier restore stopped midway: what it set aside may be all there is."""
    for place in places:
        if not place.keeps_old and place.aside.exists():
            raise BackupError(
                f"{place.aside} is there: an earlier restore was interrupted. It is the database as it was "
                f"before: give it the name {place.target.name}, or remove it, then restore."
            )


def put_in_place(places: Sequence[Replacement]) -> None:
    """Rename all, or leave each as it was: raises OSError where one cannot be, or what stopped it."""
    for place in places:
        _give_to_owner_of_folder(place)
    undo: list[Callable[[], object]] = []
    try:
        for place in places:
            if place.target.exists():
                place.target.rename(place.aside)
                undo.append(lambda place=place: place.aside.rename(place.target))  # type: ignore[misc]
            place.new.rename(place.target)
            undo.append(lambda place=place: place.target.rename(place.new))  # type: ignore[misc]
    except BaseException:
        for step in reversed(undo):
            with contextlib.suppress(OSError):
                step()
        raise
    for folder in {place.target.parent for place in places}:
        sync_folder(folder)
    for place in places:
        if not place.keeps_old:
            place.aside.unlink(missing_ok=True)
            for ending in BESIDE:  # of a file so damaged that SQLite could not take its log in
                place.target.with_name(place.target.name + ending).unlink(missing_ok=True)


def _give_to_owner_of_folder(place: Replacement) -> None:
    """Whoever runs Pylantir reads the file, though root restored it."""
    if os.geteuid() == 0:
        folder = place.target.parent.stat()
        os.chown(place.new, folder.st_uid, folder.st_gid)
