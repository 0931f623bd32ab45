"""A mapping in its project remembers what follows from a text alone, and nothing that follows from more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from sources.contract import Session
from sources.mapping import evaluate, mapped_project, outcomes
from sources.mapping.mapped_project import MappedProject
from sources.mapping.rules import MappingPlan, Rule
from tests.sources.projects import REPEATING, a_booking, a_person, a_plan

TODAY = date(2026, 3, 1)
SEX = Rule("patient_sex", "sex", transforms="codes 1=M, 2=F")
PLAN = a_plan(SEX)

pytestmark = pytest.mark.acceptance("WR43")


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell the targets of the rules that are worked out, in their order."""
    told: list[str] = []
    work_out = outcomes.SessionOutcomes._made_of

    def noted(self: outcomes.SessionOutcomes, rule: Rule, given: Any) -> Any:
        told.append(rule.target)
        return work_out(self, rule, given)

    monkeypatch.setattr(outcomes.SessionOutcomes, "_made_of", noted)
    return told


def session(project: MappedProject, *, today: date = TODAY, **values: Any) -> Session:
    (only,) = evaluate.sessions_in(project, [a_person(**values), a_booking(**values)], today=today)
    return only


def project_of(plan: MappingPlan = PLAN) -> MappedProject:
    return MappedProject(plan, REPEATING)


def test_a_text_is_worked_out_once_and_another_by_itself(worked_out: list[str]) -> None:
    project = project_of()

    said = [session(project, sex=code).values["patient_sex"] for code in ("1", "2", "1", "2")]

    assert said == ["M", "F", "M", "F"]
    assert worked_out.count("patient_sex") == 2


def test_a_text_that_cannot_be_used_is_a_problem_each_time(worked_out: list[str]) -> None:
    project = project_of()

    found = [[each.text for each in session(project, sex="3").problems] for _ in range(2)]

    assert found[0] == found[1] != []
    assert worked_out.count("patient_sex") == 1


def test_a_birth_date_is_judged_by_each_day_anew() -> None:
    project = project_of(a_plan(Rule("patient_birth_date", "dob")))

    def problems(today: date) -> list[str]:
        return [each.target for each in session(project, today=today, dob="2026-03-02").problems]

    assert problems(date(2026, 3, 1)) == ["patient_birth_date"]
    assert problems(date(2026, 3, 2)) == []


def test_a_template_asks_the_other_fields_each_time() -> None:
    project = project_of(a_plan(Rule("study_description", "sex", transforms="template {value} {notes}")))

    said = [session(project, sex="1", notes=text).values["study_description"] for text in ("a", "b")]

    assert said == ["Male a", "Male b"]


def test_a_changed_rule_counts_at_once() -> None:
    changed = a_plan(replace(SEX, transforms="codes 1=F, 2=M"))

    assert session(project_of(), sex="1").values["patient_sex"] == "M"
    assert session(project_of(changed), sex="1").values["patient_sex"] == "F"


def test_no_more_than_so_many_texts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_project, "MOST_REMEMBERED", 7)
    project = project_of()

    for number in range(50):
        session(project, sex=str(number))
        assert len(project._known) <= 7
