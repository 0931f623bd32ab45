"""docs/exports.md tells the columns that exports have, and what it shows of reading them can be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.exports_page import PAGE, with_tables
from tests.worklist.appointments import an_item
from tests.worklist.performed_rows import make_step
from worklist.models import PerformedStatus, WorklistItem

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
INSTALLED = {"duckdb", "pyarrow"}  # of the readers that the page names, in the tests' environment
RUN = [example for example in EXAMPLES if re.findall(r"^(?:import|from) (\w+)", example)[0] in INSTALLED]


@pytest.mark.acceptance("FI149")
def test_the_tables_are_those_of_the_code() -> None:
    assert with_tables(TEXT) == TEXT, "Write it anew: python -m tests.exports_page"


@pytest.mark.acceptance("FI149")
@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_what_is_shown_of_each_reader_is_python_of_few_lines(example: str) -> None:
    compile(example, "exports.md", "exec")
    assert len(example.splitlines()) <= 7


@pytest.fixture
def exported(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorklistItem]:
    """An item of odd values and its report stand in the files that the page reads."""
    item = an_item(patient_id="0042", accession_number="-5", patient_sex="F")
    make_step(
        item, status=PerformedStatus.COMPLETED, start_date=item.scheduled_start_date, start_time="08:05:30"
    )
    monkeypatch.chdir(tmp_path)
    for kind, name in (("items", "items.parquet"), ("steps", "steps.parquet"), ("items", "items.csv")):
        call_command("export", kind, name)
    yield item


def run(example: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(example, found)
    return found


@pytest.mark.acceptance("FI149")
def test_what_can_be_run_here_reads_what_was_written(exported: WorklistItem) -> None:
    by_modality, items, begun, meanings, as_text = (run(example) for example in RUN)

    assert by_modality["by_modality"] == [("MR", 1)]
    assert items["items"]["patient_id"].to_pylist() == ["0042"]
    assert [(key, began.isoformat()) for key, began in begun["begun"]] == [
        (str(exported.pk), f"{exported.scheduled_start_date}T08:05:30")
    ]
    assert meanings["meanings"]["patient_sex"] == "Patient's sex: F, M or O."
    (row,) = as_text["items"]
    assert {"0042", "-5", "F", "71.25"} <= set(row)
