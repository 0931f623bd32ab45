"""Templates, conditions and `else` lines name a field in small letters, or by a path as a source has it."""

from __future__ import annotations

from datetime import date

import pytest

from sources.calpendo.dictionary import dictionary_of
from sources.contract import Stance
from sources.mapping import conditions, evaluate, templates
from sources.mapping.names import spelled
from sources.mapping.rules import MappingPlan, Rule, SessionKind, SessionLayout
from sources.mapping.transforms import read
from sources.rows import ExportRow


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("weight", "weight"),
        ("Weight", "weight"),
        ("MRI_Complete", "mri_complete"),
        ("mri_Complete", "mri_complete"),
        ("project.name", "project.name"),
        ("dateRange.start", "dateRange.start"),
        ("Operator.name", "Operator.name"),
        ("durationInMinutes", "durationInMinutes"),
    ],
)
def test_capitals_count_in_a_path_alone(typed: str, name: str) -> None:
    assert spelled(typed) == name
    assert conditions.parse(f"{typed} = 1")[0].field == name
    assert read(f"else {typed}").alternatives == (name,)


@pytest.mark.parametrize("name", ["weight", "project.name", "Operator.name", "durationInMinutes"])
def test_a_template_takes_a_path(name: str) -> None:
    assert templates.read(f"a_{{{name}}}").names == (name,)


@pytest.mark.parametrize("text", ["{Weight}", "{project.}", "{.name}", "{a b}", "{1a.b}"])
def test_a_template_refuses_what_is_no_name(text: str) -> None:
    with pytest.raises(templates.TemplateError, match="stands alone"):
        templates.read(text)


def test_paths_are_read_by_rows_templates_and_conditions() -> None:
    dictionary = dictionary_of("Calpendo.Booking", [])
    plan = MappingPlan(
        rules=(
            Rule("patient_id", "title", transforms="pattern 1 ^([A-Z0-9]+)"),
            Rule("patient_name", transforms="template {project.name}"),
            Rule("modality", default="MR"),
            Rule("scheduled_start_datetime", "dateRange.start"),
        ),
        sessions=SessionLayout(SessionKind.RECORD, conditions="project.name in BRISKP, OTHER"),
    )
    values = {"id": "1", "title": "SUB001 - John", "dateRange.start": "2026-01-27 14:00:00"}

    def session(project: str) -> tuple[Stance, object]:
        row = ExportRow("1", "", "", 0, {**values, "project.name": project})
        (found,) = evaluate.sessions_of([row], plan, dictionary, today=date(2026, 1, 1))
        return found.stance, found.values.get("patient_name")

    assert session("BRISKP") == (Stance.WANTED, "BRISKP")
    assert session("ELSE")[0] is Stance.NOT_WANTED
