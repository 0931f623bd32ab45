"""A command that serves no page loads neither routes nor admins, and makes all other checks of the set-up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.checks.registry import registry
from django.core.management import get_commands, load_command_class
from django.core.management.base import ALL_CHECKS

from pylantir_site.command_line import utility
from pylantir_site.management import checked
from tests.site import fresh

LOADED = """
import json, sys
from django.core.management import CommandError
from pylantir_site.command_line.utility import Utility
try:
    Utility(["manage.py", *{words!r}]).fetch_command({words!r}[0]).run_from_argv(["manage.py", *{words!r}])
except SystemExit:
    pass
wanted = ("pylantir_site.urls", "worklist.admin", "sources.admin", "pynetdicom", "redis")
print(json.dumps([name for name in wanted if name in sys.modules]))
"""


def loaded_by(data: Path, *words: str) -> list[str]:
    done = fresh.script(data, LOADED.format(words=list(words)))
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.acceptance("WR45")
def test_a_pull_by_command_loads_no_admin_and_no_dicom_client(migrated: Path) -> None:
    assert loaded_by(migrated, "sync_source", "nobody") == []


@pytest.mark.acceptance("WR45")
def test_check_itself_loads_the_admins_that_it_looks_at(migrated: Path) -> None:
    loaded = loaded_by(migrated, "check", "--tag", "admin")

    assert {"worklist.admin", "sources.admin"} <= {*loaded}


@pytest.mark.acceptance("WR45")
def test_a_command_of_ours_leaves_out_the_checks_of_routes_alone() -> None:
    checked.tag_checks()
    for name, app in get_commands().items():
        command = load_command_class(str(app), name)
        made = command.requires_system_checks
        utility.prepared(command, name)
        if made == ALL_CHECKS and utility.knows_no_routes(command, name):
            left_out = registry.tags_available() - {*command.requires_system_checks}
            assert left_out == checked.NEED_ROUTES, name
        else:
            assert command.requires_system_checks == made, name


@pytest.mark.slow
@pytest.mark.parametrize("module", ["pylantir_site.rest.errors", "pylantir_site.rest.parsing"])
def test_errors_and_what_reads_bodies_may_be_loaded_first(tmp_path: Path, module: str) -> None:
    """REST framework loads the parser of its settings with its first view, which an error's answer needs."""
    done = fresh.script(tmp_path, f"import {module}")

    assert done.returncode == 0, done.stderr
