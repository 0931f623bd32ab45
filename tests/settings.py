"""Tests run on the project's settings with data in a temporary folder, and never touch ./data."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def temporary_folder() -> Path:
    folder, owner = Path(tempfile.mkdtemp(prefix="pylantir-test-")), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not in a process that a test forks
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


if "DB_PATH" not in os.environ:  # a server that a test starts takes over the test's
    os.environ["DB_PATH"] = str(temporary_folder() / "worklist.db")
os.environ.setdefault("SECRET_KEY", "a key of the tests: " + "k" * 50)

from pylantir_site.settings import *  # noqa: E402, F403

# The first is fast; the real one is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "accounts.hashers.OriginalBCryptHasher"]
