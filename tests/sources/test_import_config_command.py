"""These tests run `import_config` as an administrator types it."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sources.models import DataSource
from tests.demo import growing_brains
from tests.demo.day import DemoDay
from tests.redcap.server import RedcapServer

pytestmark = pytest.mark.django_db


def run(path: Path) -> str:
    """Return what it prints."""
    out = io.StringIO()
    call_command("import_config", str(path), stdout=out)
    return out.getvalue()


def written(folder: Path, content: Any) -> Path:
    path = folder / "pylantir.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_it_prints_what_became_of_each_source_and_no_token(tmp_path: Path) -> None:
    with RedcapServer(growing_brains.demo_study(DemoDay(datetime.now()))) as server:
        path = written(tmp_path, growing_brains.configuration(server.url))
        printed, again = run(path), run(path)

    assert "growing_brains: imported." in printed
    assert "mri_wt_lbs: patient_weight_lb – the field mri_wt_lbs fills patient_weight_lb" in printed
    assert "growing_brains: unchanged." in again
    assert growing_brains.TOKEN not in printed + again
    assert DataSource.history.get().history_user_id == "import_config"


def test_it_fails_where_nothing_could_be_imported(tmp_path: Path) -> None:
    path = written(tmp_path, {"data_sources": [{"name": "a", "type": "calpendo"}]})

    with pytest.raises(CommandError, match="Nothing was imported"):
        run(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ({"db_path": 5}, "db_path must be a text"),
        ({"data_sources": {}}, "data_sources must be a list"),
        ({}, "no configuration of pylantir"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    content: Any, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=reason):
        run(written(tmp_path, content))


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "marked.json"
    path.write_text('{"data_sources": [{"name": "a", "type": "calpendo"}]}', encoding="utf-8-sig")

    with pytest.raises(CommandError, match="Nothing was imported"):
        run(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "nowhere.json")
