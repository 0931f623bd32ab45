"""The project runs here in an environment of its own: its settings read anew, or a fresh process."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a developer's own shell may say must not decide a test.
OURS = ("DATABASE_URL", "DB_PATH", "USERS_DB_PATH", "SECRET_KEY", "PYLANTIR_CONFIG", "DEBUG", "ALLOWED_HOSTS")


def environment(data: Path, **variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    # The tests' settings are the project's own but for the hashing of passwords, which is slow on purpose.
    ours = {"DB_PATH": str(data / "worklist.db"), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return {**inherited, **ours, "PYTHONPATH": str(ROOT), **variables}


def settings(data: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    """What the settings' module makes of an environment, by name; raises ImproperlyConfigured."""
    with monkeypatch.context() as patch:
        for name in OURS:
            patch.delenv(name, raising=False)
        for name, value in {"DB_PATH": str(data / "worklist.db"), **variables}.items():
            patch.setenv(name, value)
        return runpy.run_path(str(ROOT / "pylantir_site" / "settings.py"))


def manage(
    data: Path, *arguments: str, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    return python(data, str(ROOT / "manage.py"), *arguments, stdin=stdin, **variables)


def script(data: Path, source: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the source after django.setup()."""
    setup = (
        "import os, django\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'pylantir_site.settings')\n"
        "django.setup()\n"
    )
    return python(data, "-c", setup + source, **variables)


def python(
    data: Path, *arguments: str, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(data, **variables),
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
