"""A SECRET_KEY made once and kept beside the database, for a site that sets none."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def kept_secret_key(folder: Path) -> str:
    """Several processes may start at once: the first to create the file decides the key."""
    path = folder / "secret_key"
    try:
        if path.exists():
            return path.read_text(encoding="ascii").strip()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is not set, and none can be kept in {folder}: {error.strerror}."
        ) from error
