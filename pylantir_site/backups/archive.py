"""A backup is a ZIP file whose comment is the SHA-256 of all before it.

Any tool unpacks it, and any byte that is not as it was written is noticed, those of the ZIP's own tables too.
It guards against damage, not against forgery: whoever may write the file may write its digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.manifest import Manifest

MANIFEST = "manifest.json"
DIGITS = 64  # of a SHA-256 in hexadecimal
CHUNK = 1 << 20


def write(path: Path, manifest: Manifest, members: Mapping[str, Path | bytes]) -> None:
    """Write `path` with mode 0600, synced to the disk, or leave nothing; raises BackupError.

    It grows as `path`.part beside it. A file that is there is never overwritten.
    """
    part = path.with_name(f"{path.name}.part")
    _refuse_existing(path)
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise BackupError(
            f"{part} is there: another backup is being written, or one was interrupted. Remove it then."
        ) from None
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
                packed.comment = b"0" * DIGITS
                packed.writestr(MANIFEST, manifest.to_json())
                for name, content in members.items():
                    _add(packed, name, content)
            _seal(file.fileno())
        read(part)  # as the disk has it
        _put_in_place(part, path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True)
class BackupFile:
    """A backup whose every byte is as it was written."""

    path: Path
    manifest: Manifest

    def extract(self, member: str, to: Path) -> None:
        """Write the member into a new file of mode 0600; raises OSError where there is no room."""
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with (
            zipfile.ZipFile(self.path) as packed,
            packed.open(member) as source,
            os.fdopen(descriptor, "wb") as file,
        ):
            shutil.copyfileobj(source, file, CHUNK)
            file.flush()
            os.fsync(file.fileno())

    def content(self, member: str) -> bytes | None:
        """Return a small member, or None where the backup has none of that name."""
        with zipfile.ZipFile(self.path) as packed:
            return packed.read(member) if member in packed.namelist() else None


def read(path: Path) -> BackupFile:
    """Return what is in the file, once every byte of it has been looked at. Raises BackupError."""
    try:
        with path.open("rb") as file:
            told, found = _digests(file.fileno())
        if told != found:
            raise BackupError(f"{path} is damaged, or is no backup of Pylantir's. Nothing was changed.")
        with zipfile.ZipFile(path) as packed:
            manifest = Manifest.from_json(packed.read(MANIFEST))
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, KeyError) as error:
        raise BackupError(f"{path} is no backup of Pylantir's.") from error
    return BackupFile(path, manifest)


def _add(packed: zipfile.ZipFile, name: str, content: Path | bytes) -> None:
    if isinstance(content, bytes):
        packed.writestr(name, content)
    else:
        # A dump of PostgreSQL's custom format is compressed already.
        way = zipfile.ZIP_STORED if content.suffix == ".dump" else zipfile.ZIP_DEFLATED
        packed.write(content, name, way)


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise BackupError(f"{path} is there already, and is not overwritten: give another name.")


def _seal(descriptor: int) -> None:
    _, digest = _digests(descriptor)
    os.pwrite(descriptor, digest, os.fstat(descriptor).st_size - DIGITS)
    os.fsync(descriptor)


def _digests(descriptor: int) -> tuple[bytes, bytes]:
    """Return the digest that the file ends with, and the one that it should end with."""
    size = os.fstat(descriptor).st_size - DIGITS
    digest, position = hashlib.sha256(), 0
    while position < size and (chunk := os.pread(descriptor, min(CHUNK, size - position), position)):
        digest.update(chunk)
        position += len(chunk)
    return os.pread(descriptor, DIGITS, max(size, 0)), digest.hexdigest().encode()


def _put_in_place(part: Path, path: Path) -> None:
    """Give the file its name at once; a link, unlike a rename, never takes the name from another file."""
    try:
        os.link(part, path)
    except FileExistsError:
        _refuse_existing(path)
        raise
    except OSError:  # some network drives have no links
        _refuse_existing(path)
        part.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that names of the folder outlive a power cut, where its file system can."""
    with _opened(folder) as descriptor, contextlib.suppress(OSError):
        os.fsync(descriptor)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
