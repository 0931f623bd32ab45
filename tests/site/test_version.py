"""One version number is shown everywhere (in associations: tests/worklist/test_implementation.py)."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from pylantir_site import __version__
from tests.site.fresh import ROOT, manage

RELEASES = re.findall(
    r"^## (\d\S*) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
)


def test_the_number_is_that_of_the_newest_release_in_the_changelog() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    number, day = RELEASES[0]
    assert number == __version__, "pylantir_site/__init__.py and CHANGELOG.md name different versions."
    assert [date.fromisoformat(day) for _, day in RELEASES] == sorted(
        (date.fromisoformat(day) for _, day in RELEASES), reverse=True
    ), "CHANGELOG.md: the newest release comes first."
    assert date.fromisoformat(day).isoformat() == day


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--version"], ["version"], ["run_mwl", "--version"]])
def test_the_command_line_says_it_even_where_a_setting_is_wrong(tmp_path: Path, arguments: list[str]) -> None:
    result = manage(tmp_path, *arguments, DEBUG="maybe")

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"Pylantir {__version__} on Django 5.")


@pytest.mark.django_db
def test_the_foot_of_the_admin_says_it(client: Client, charlie: User) -> None:
    foot = f"<p>Pylantir {__version__}</p>"

    assert foot in client.get(reverse("admin:login")).content.decode()
    client.force_login(charlie)
    for name in ("admin:index", "admin:worklist_worklistitem_changelist", "admin:worklist_missing"):
        assert foot in client.get(reverse(name)).content.decode(), name


def test_the_schema_of_the_api_says_it(client: Client) -> None:
    assert client.get("/openapi.json").json()["info"]["version"] == __version__


def test_it_is_written_in_one_place_alone() -> None:
    """It holds for the code; documents name versions as history."""
    quoted = re.compile(rf"""["'](PYLANTIR_)?{re.escape(__version__).replace(chr(92) + ".", "[._]")}["']""")
    holders = [
        path.relative_to(ROOT).as_posix()
        for folder in ("accounts", "archives", "pylantir_site", "sources", "worklist")
        for path in (ROOT / folder).rglob("*.py")
        if quoted.search(path.read_text(encoding="utf-8"))
    ]
    assert holders == ["pylantir_site/__init__.py"]
