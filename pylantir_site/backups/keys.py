"""A backup may hold the keys that its rows need; otherwise it only knows them when it meets them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from pylantir_site.backups.archive import BackupFile
from pylantir_site.backups.swapping import Replacement
from pylantir_site.environment import env
from pylantir_site.environment.secret_key import kept_export_key

MEMBER = "keys.json"
# Settings, and the files that keep them where a site sets none.
KEPT = {
    "SECRET_KEY": "secret_key",
    "FIELD_ENCRYPTION_KEYS": "encryption_key",
    "EXPORT_KEY": "export_key",
}
LACKING = (
    "This installation lacks an encryption key of the backup's: what sources keep secret (tokens) cannot be "
    "read until that key stands in FIELD_ENCRYPTION_KEYS, behind yours, or the tokens are entered again."
)


def fingerprints() -> tuple[str, ...]:
    """Return what tells the encryption keys apart, and nothing else of them: they are 256 random bits."""
    return tuple(_fingerprint(key) for key in settings.FIELD_ENCRYPTION_KEYS)


def packed() -> bytes:
    keys = {
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
    }
    if export_key := _export_key():
        keys["EXPORT_KEY"] = export_key
    return json.dumps(keys).encode()


def places(archive: BackupFile, folder: Path, *, keeps_old: bool) -> list[Replacement]:
    """Write the backup's keys into the folder, but those that this site sets itself; return where they go."""
    held = json.loads(archive.content(MEMBER) or b"{}")
    given = {
        "SECRET_KEY": env.text("SECRET_KEY"),
        "FIELD_ENCRYPTION_KEYS": env.text("FIELD_ENCRYPTION_KEYS"),
        "EXPORT_KEY": env.text("EXPORT_KEY"),
    }
    found = []
    for setting, name in KEPT.items():
        target = settings.DATA_DIR / name
        if setting not in held or given[setting] or _holds(target, held[setting]):
            continue
        new = folder / name
        new.touch(mode=0o600)
        new.write_text(held[setting], encoding="ascii")
        found.append(Replacement(new, target, keeps_old=keeps_old))
    return found


def what_is_lacking(archive: BackupFile, brought: Sequence[Replacement]) -> str:
    """Return a sentence where what the backup holds encrypted could not be read here; else ""."""
    if any(place.target.name == KEPT["FIELD_ENCRYPTION_KEYS"] for place in brought):
        return ""
    return LACKING if set(archive.manifest.fingerprints) - set(fingerprints()) else ""


def _export_key() -> str:
    """Return the key of pseudonyms, or "" where nobody has asked for any yet."""
    is_kept = (settings.DATA_DIR / KEPT["EXPORT_KEY"]).exists()
    return settings.EXPORT_KEY or (kept_export_key(settings.DATA_DIR) if is_kept else "")


def _holds(path: Path, key: str) -> bool:
    return path.exists() and path.read_text(encoding="ascii").strip() == key


def _fingerprint(key: str) -> str:
    return hashlib.sha256(f"pylantir:{key}".encode()).hexdigest()[:16]
