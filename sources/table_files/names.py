"""A watched table is named by a path below the folder of tables, whose last part may be a pattern."""

from __future__ import annotations

import unicodedata
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

# Programs write beside a file under such names, and rename it once it is whole.
TEMPORARY = (
    *(".*", "~*", "*~", "#*#"),
    *("*.part", "*.partial", "*.filepart", "*.crdownload", "*.download", "*.tmp", "*.temp"),
    *("*.sw[a-p]", "*.lock", "*.lck"),
)
WILD = frozenset("*?[")


class NameRefused(ValueError):
    """No file may be asked for by this; the text says what may."""


def parts_of(text: str) -> tuple[tuple[str, ...], str]:
    """Return the folders below the folder of tables, and the name or pattern. Raises NameRefused."""
    path = PurePosixPath(text)
    if not text or "\0" in text or "\\" in text:
        raise NameRefused("Name the file, such as bookings.xlsx, with / between folders.")
    if path.is_absolute() or any(part in {"..", ".", "~"} for part in text.split("/")):
        raise NameRefused("Name the file as it stands below the folder of tables, such as mri/bookings.xlsx.")
    *folders, name = path.parts
    if any(WILD & set(folder) for folder in folders):
        raise NameRefused("A folder stands by its name: only the last part may have * or ?.")
    if is_temporary(name) or any(folder.startswith(".") for folder in folders):
        raise NameRefused("Programs give such names to files that are not whole yet: name another file.")
    return tuple(folders), name


def is_temporary(name: str) -> bool:
    """Tell whether programs give such names to what is being written, or is no file of its own."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in TEMPORARY)


def is_meant(name: str, wanted: str) -> bool:
    """Tell whether a file's name is the one, or fits the pattern; accents count alike."""
    return not is_temporary(name) and fnmatchcase(_composed(name), _composed(wanted))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
