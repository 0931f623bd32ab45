"""For a site that sets no keys, keys are made once and kept beside the database."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured


def kept_secret_key(folder: Path) -> str:
    return _kept(folder, "secret_key", "SECRET_KEY", lambda: secrets.token_urlsafe(50))


def kept_encryption_key(folder: Path) -> str:
    return _kept(folder, "encryption_key", "FIELD_ENCRYPTION_KEYS", lambda: Fernet.generate_key().decode())


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
    except OSError as error:
        raise ImproperlyConfigured(
            f"{setting} is not set, and none can be kept in {folder}: {error.strerror}."
        ) from error
