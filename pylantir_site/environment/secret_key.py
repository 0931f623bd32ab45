"""For a site that sets no keys, keys are made once and kept beside the database."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

SHORTEST_EXPORT_KEY = 32  # characters


def kept_secret_key(folder: Path) -> str:
    return _kept(folder, "secret_key", "SECRET_KEY", lambda: secrets.token_urlsafe(50))


def kept_encryption_keys(folder: Path) -> list[str]:
    """Return one key that was made here, or several, separated by commas, that a backup brought."""
    kept = _kept(folder, "encryption_key", "FIELD_ENCRYPTION_KEYS", lambda: Fernet.generate_key().decode())
    return kept.split(",")


def kept_export_key(folder: Path) -> str:
    """Return the key of pseudonyms, which is made when it is first asked for.

    Raises ImproperlyConfigured where it can neither be read nor made, or is too short to be one.
    """
    key = _kept(folder, "export_key", "EXPORT_KEY", lambda: secrets.token_urlsafe(50))
    if len(key) < SHORTEST_EXPORT_KEY:
        raise ImproperlyConfigured(
            f"The key of pseudonyms {folder / 'export_key'} has less than {SHORTEST_EXPORT_KEY} characters: "
            "put back the one that was there. With another one everybody gets another pseudonym."
        )
    return key


def derived_key(key: str, purpose: str) -> str:
    """Derive from the key another one for another purpose: 64 hexadecimal digits."""
    return hmac.new(key.encode(), purpose.encode(), "sha256").hexdigest()


def _kept(folder: Path, name: str, setting: str, make: Callable[[], str]) -> str:
    """Return the file's key. Several processes may start at once: the first to create the file decides it."""
    path = folder / name
    try:
        if path.exists():
            return path.read_text(encoding="ascii").strip()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(make(), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or f"{name} is no text of ASCII characters"
        raise ImproperlyConfigured(
            f"{setting} is not set, and none can be kept in {folder}: {reason}."
        ) from error
