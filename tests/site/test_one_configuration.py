"""No command works on another database than the server's, when both name one configuration file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from django.core.management import get_commands

from pylantir_site.command_line.listing import OURS
from tests.site import forks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
# What each needs to come to its end; servers, and what would wait for a person, say how they are used.
FIRST = "create_user --username alice --role admin --password a-brand-new-one-18"
LINES = {
    "admin_password": "admin_password --username alice --password a-brand-new-one-17",
    "backup": "backup /no/such/folder/backup.zip",
    "changepassword": "changepassword --help",
    "create_user": "create_user --username bob --role write --password a-brand-new-one-18",
    "createsuperuser": "createsuperuser --help",
    "erase_participant": "erase_participant NOBODY --yes",
    "export": "export items /no/such/folder/items.csv",
    "export_participant": "export_participant NOBODY",
    "import_config": "import_config /no/such/file",
    "import_original": "import_original --help",
    "import_worklist": "import_worklist --dry-run /no/such/folder",
    "restore": "restore /no/such/file",
    "run_mwl": "run_mwl --help",
    "start": "start --no-web --no-worker --no-dicom",
    "start_api": "start_api --help",
    "sync_source": "sync_source nowhere",
    "unlock": "unlock alice",
    "test_client": "test_client --port 1",
    "test_mpps": "test_mpps --mpps_action create --study_uid 1.2 --port 1",
}
OF_DJANGO = {
    "check": "check --database default",
    "dumpdata": "dumpdata accounts.user --database users",
    "migrate": "migrate --check",
    "qcluster": "qcluster --help",
    "shell": "shell --no-imports -c pass",
}


@pytest.fixture
def config(migrated: Path, tmp_path: Path) -> Path:
    """Give a configuration file that names two migrated databases."""
    shutil.copyfile(migrated / "worklist.db", migrated / "users.db")
    file = tmp_path / "config.json"
    paths = {"db_path": str(migrated / "worklist.db"), "users_db_path": str(migrated / "users.db")}
    file.write_text(json.dumps(paths), encoding="utf-8")
    return file


@pytest.mark.acceptance("RC182")
def test_each_command_works_on_the_databases_of_the_file(config: Path, tmp_path: Path) -> None:
    ours = sorted(name for name, app in get_commands().items() if app in OURS)
    typed = {"first": FIRST, **{name: LINES.get(name, name) for name in ours}, **OF_DJANGO}
    lines = [[*line.split(), "--pylantir_config", str(config)] for line in typed.values()]

    came = dict(zip(typed, forks.each(tmp_path / "elsewhere", lines), strict=True))

    named = json.loads(config.read_text(encoding="utf-8"))
    for name, ran in came.items():
        assert ran.databases == {"default": named["db_path"], "users": named["users_db_path"]}, name
        assert ran.code in (0, 1), f"{name}: {ran}"
        assert "Traceback" not in ran.err, f"{name}: {ran.err}"
        assert "no tables" not in ran.err, f"{name}: {ran.err}"
    assert "alice" in came["list_users"].out
    assert "The password of alice was changed." in came["admin_password"].out
    assert came["query_db"].out == "No items.\n"
    assert "alice" in came["dumpdata"].out
    assert not (tmp_path / "elsewhere").exists()
