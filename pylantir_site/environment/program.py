"""Pylantir's commands are named to people as this installation has them: a clone or a wheel."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

CODE = Path(__file__).resolve().parents[2]
MANAGE = CODE / "manage.py"  # of a clone alone


def is_clone() -> bool:
    return MANAGE.exists()


def default_data_folder() -> Path:
    """Return where data live unless a setting says otherwise; `~` may stand in it.

    A wheel's is at home of who runs it and not in the current folder: from another one, commands would see
    another worklist, and a server would serve an empty one.
    """
    return CODE / "data" if is_clone() else Path("~/.local/share/pylantir")


def name() -> str:
    return "python manage.py" if is_clone() else "pylantir"


def to_type(command: str, *arguments: str) -> str:
    """Return what a person types for a command."""
    config = os.environ.get("PYLANTIR_CONFIG")
    named = ["--pylantir_config", config] if config else []
    return f"{name()} {shlex.join([command, *arguments, *named])}"
