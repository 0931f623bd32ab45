"""These fixtures give data folders whose databases are of this version already."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import once
from tests.site.fresh import script

MIGRATE = """
from django.core.management import call_command
for alias in ("default", "users"):
    call_command("migrate", database=alias, verbosity=0)
"""


@pytest.fixture
def users_apart(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with the worklist in worklist.db and the accounts in users.db, both without rows."""

    def fill(folder: Path) -> None:
        migrated = script(folder, MIGRATE, USERS_DB_PATH=str(folder / "users.db"))
        assert migrated.returncode == 0, migrated.stderr

    made = once.folder(tmp_path_factory, "users-apart", fill)
    return Path(shutil.copytree(made, tmp_path / "apart"))
