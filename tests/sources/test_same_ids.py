"""Two sessions of one record get no common patient ID where the ID is to tell them apart."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.contract import Problem, Session, SessionKey, Stance
from sources.mapping import evaluate, same_ids
from sources.mapping.rules import MappingPlan, Rule, SessionKind, SessionLayout
from sources.models import DataSource, SyncIssue
from sources.sync import clashes
from tests.redcap.project import Project
from tests.sources.conftest import items, pull, set_rules
from tests.sources.projects import FIELDS, RECORD, REPEATING, a_booking, a_dictionary, a_person, a_plan
from tests.sources.study import RULES, book, enrol, today
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.acceptance("RC136")

TODAY = date(2026, 3, 1)
NUMBER = Rule("{session}", "mri_number")
PER_SESSION = Rule("patient_id", transforms="template sub_{study_id}_ses_{session}")


def decided(plan: MappingPlan, *bookings: dict[str, Any]) -> list[tuple[int, Stance]]:
    rows = [a_person(), *(a_booking(number, **values) for number, values in enumerate(bookings, 1))]
    found = evaluate.sessions_of(rows, plan, REPEATING, today=TODAY)
    return [(session.key.instance, session.stance) for session in found]


WANTED, NOT_WANTED, UNCLEAR = Stance.WANTED, Stance.NOT_WANTED, Stance.UNCLEAR


def test_the_later_session_stays_out_with_an_issue_at_its_number() -> None:
    rows = [a_person(), *(a_booking(n, mri_number="1", mri_date=f"2026-03-0{9 - n}") for n in (1, 2))]

    later, earlier = evaluate.sessions_of(rows, a_plan(PER_SESSION, NUMBER), REPEATING, today=TODAY)

    assert (earlier.stance, earlier.problems) == (WANTED, ())
    assert later.stance is UNCLEAR
    assert later.problems == (
        Problem("patient_id", "mri_number", same_ids.SAME_ID, SessionKey("", "mri", 1), blocks=True),
    )


@pytest.mark.parametrize(
    ("first", "second", "stances"),
    [
        ({"mri_number": "1"}, {"mri_number": "2"}, (WANTED, WANTED)),
        ({"mri_number": "1"}, {"mri_number": "1"}, (WANTED, UNCLEAR)),
        (
            {"mri_number": "1", "mri_time": "10:00"},
            {"mri_number": "1", "mri_time": "09:00"},
            (UNCLEAR, WANTED),
        ),
        ({"mri_number": "1", "mri_date": ""}, {"mri_number": "1"}, (NOT_WANTED, WANTED)),
        ({"mri_number": "1", "status": "2"}, {"mri_number": "1"}, (NOT_WANTED, WANTED)),
        ({"mri_number": "1", "mri_time": "soon"}, {"mri_number": "1"}, (UNCLEAR, UNCLEAR)),
        ({"mri_number": ""}, {"mri_number": ""}, (UNCLEAR, UNCLEAR)),
    ],
)
def test_what_was_cancelled_or_never_planned_keeps_nobody_out(
    first: dict[str, Any], second: dict[str, Any], stances: tuple[Stance, Stance]
) -> None:
    status = Rule(
        "performed_procedure_step_status", "status", transforms="codes 1=SCHEDULED, 2=CANCELLED, 3="
    )

    found = decided(a_plan(PER_SESSION, NUMBER, status), first, second)

    assert tuple(stance for _, stance in found) == stances


def test_where_the_id_names_the_person_alone_visits_share_it() -> None:
    assert decided(a_plan(), {}, {}) == [(1, WANTED), (2, WANTED)]


ALL_ON_ONE = a_dictionary(
    *FIELDS, events={"v1_arm_1": ["enrolment", "mri"], "v2_arm_1": ["enrolment", "mri"]}
)
BY_EVENT = SessionLayout(SessionKind.EVENT, instrument="mri")


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([Rule("patient_id", "study_id", RECORD)], ""),
        ([Rule("patient_id", transforms="template sub_{study_id}_site_{site_id}")], ""),
        ([Rule("patient_id", transforms="template {study_id}_{event}")], "redcap_event_name"),
        ([Rule("patient_id", transforms="template {record}_{instance}")], "redcap_repeat_instance"),
        ([Rule("patient_id", transforms="template {study_id}_{mri_number}")], "mri_number"),
        ([Rule("patient_id", "study_id", RECORD, transforms="template {value}_{mri_number}")], "mri_number"),
        ([Rule("patient_id", transforms="template {who}_{session}"), NUMBER,
          Rule("{who}", "study_id", RECORD)], "mri_number"),
        ([Rule("patient_id", "notes", transforms="else {made}"), NUMBER,
          Rule("{made}", transforms="template {study_id}_{session}")], "mri_number"),
        ([Rule("patient_id", "notes", transforms="else")], ""),
    ],
)  # fmt: skip
def test_what_numbers_a_session_in_its_id_is_found(rules: list[Rule], field: str) -> None:
    plan = a_plan(*rules, constants={"site_id": "792"})

    assert same_ids.numbering_field(plan, REPEATING) == field


@pytest.mark.parametrize(
    ("template", "field"), [("{study_id}", ""), ("{study_id}_{site_id}", ""), ("{study_id}_{mri_number}", "")]
)
def test_what_is_all_on_the_session_s_form_may_name_the_person_alone(template: str, field: str) -> None:
    plan = a_plan(
        Rule("patient_id", transforms=f"template {template}"),
        sessions=BY_EVENT,
        constants={"site_id": "792"},
    )

    assert same_ids.numbering_field(plan, ALL_ON_ONE) == field


def test_a_name_that_says_session_is_believed_wherever_it_stands() -> None:
    plan = a_plan(Rule("patient_id", transforms="template {study_id}_{session}"), NUMBER, sessions=BY_EVENT)

    assert same_ids.numbering_field(plan, ALL_ON_ONE) == "mri_number"


# Any sessions

IDS = st.sampled_from(["", "A_1", "A_2"])
DAYS = st.sampled_from(["", "2026-03-02", "2026-03-09"])
STANCES = st.sampled_from([WANTED, NOT_WANTED, UNCLEAR])


@st.composite
def any_sessions(draw: st.DrawFn) -> list[Session]:
    found = []
    for instance in range(1, draw(st.integers(1, 6)) + 1):
        key, stance = SessionKey("", "mri", instance), draw(STANCES)
        problems = (Problem("x", "", "bad", key, blocks=True),) if stance is UNCLEAR else ()
        values = {"patient_id": draw(IDS), "scheduled_start_date": draw(DAYS)}
        found.append(Session(key, stance, values, problems=problems, numbered_by="n"))
    return found


HELD = st.dictionaries(st.integers(1, 6).map(lambda n: SessionKey("", "mri", n)), IDS)


@given(found=any_sessions(), held=HELD)
def test_of_each_id_one_session_at_most_stays_and_nothing_else_changes(
    found: list[Session], held: dict[SessionKey, str]
) -> None:
    kept = same_ids.kept_apart(found, held)

    assert [session.key for session in kept] == [session.key for session in found]
    wanted = [session.values["patient_id"] for session in kept if session.stance is WANTED]
    named = [patient_id for patient_id in wanted if patient_id]
    assert len(named) == len(set(named))
    for before, after in zip(found, kept, strict=True):
        if before.stance is NOT_WANTED or not before.values["patient_id"]:
            assert after == before
        assert after.values == before.values


@given(found=any_sessions(), held=HELD)
def test_what_one_call_said_the_next_takes_back(found: list[Session], held: dict[SessionKey, str]) -> None:
    kept = same_ids.kept_apart(found, held)

    assert same_ids.kept_apart(kept, held) == kept
    assert same_ids.kept_apart(same_ids.kept_apart(found), held) == kept


@given(found=any_sessions(), held=HELD)
def test_the_one_that_has_an_item_under_the_id_stays(
    found: list[Session], held: dict[SessionKey, str]
) -> None:
    kept = {session.key: session for session in same_ids.kept_apart(found, held)}

    for session in found:
        patient_id = session.values["patient_id"]
        holders = [
            other.key
            for other in found
            if other.values["patient_id"] == patient_id == held.get(other.key)
            and other.stance is not NOT_WANTED
        ]
        if patient_id and holders == [session.key]:
            assert kept[session.key] == session


# In the worklist


@pytest.fixture
def numbered(source: DataSource) -> DataSource:
    """Return a source whose patient IDs have the session's number, which is typed as a comment."""
    others = tuple(rule for rule in RULES if rule.target not in ("patient_id", "PatientComments"))
    own = (Rule("patient_id", transforms="template {record_id}_{session}"), Rule("{session}", "comment"))
    set_rules(source, (*others, *own))
    return source


def open_issues() -> list[tuple[int, str, str]]:
    return list(
        SyncIssue.objects.open().filter(text=same_ids.SAME_ID).values_list("instance", "target", "field")
    )


def test_the_later_visit_is_no_item_until_its_number_is_mended(
    numbered: DataSource, project: Project
) -> None:
    enrol(project, "P-001")
    book(project, "P-001", 1, days=1, comment="1")
    book(project, "P-001", 2, days=9, comment="1")

    pull(numbered)

    assert items(numbered)["P-001_1"].scheduled_start_date == today() + timedelta(days=1)
    assert open_issues() == [(2, "patient_id", "comment")]

    project.save("P-001", instrument="mri", instance=2, comment="2")
    pull(numbered)

    assert {*items(numbered)} == {"P-001_1", "P-001_2"}
    assert open_issues() == []


def test_a_session_that_has_its_item_does_not_lose_it_to_a_new_one_that_is_earlier(
    numbered: DataSource, project: Project
) -> None:
    enrol(project, "P-001")
    book(project, "P-001", 1, days=9, comment="1")
    pull(numbered)
    book(project, "P-001", 2, days=1, comment="1")

    pull(numbered)

    (item,) = items(numbered).values()
    assert item.scheduled_start_date == today() + timedelta(days=9)
    assert open_issues() == [(2, "patient_id", "comment")]

    book(project, "P-001", 1, days=10, comment="1")
    pull(numbered)

    item.refresh_from_db()
    assert item.scheduled_start_date == today() + timedelta(days=10)


def test_a_session_that_was_cancelled_gives_its_number_back(numbered: DataSource, project: Project) -> None:
    enrol(project, "P-001")
    book(project, "P-001", 1, days=1, comment="1")
    book(project, "P-001", 2, days=9, comment="1")
    pull(numbered)

    project.save("P-001", instrument="mri", instance=1, status="2")
    pull(numbered)

    statuses = {
        item.scheduled_start_date: item.performed_procedure_step_status
        for item in WorklistItem.objects.filter(data_source=numbered.name)
    }
    assert statuses == {
        today() + timedelta(days=1): Status.CANCELLED,
        today() + timedelta(days=9): Status.SCHEDULED,
    }
    assert open_issues() == []


@pytest.mark.acceptance("RC137")
def test_two_records_do_not_get_one_numbered_id_though_name_and_birth_date_are_the_same(
    source: DataSource, project: Project
) -> None:
    others = tuple(rule for rule in RULES if rule.target not in ("patient_id", "PatientComments"))
    own = (Rule("patient_id", transforms="template {last_name}_{session}"), Rule("{session}", "comment"))
    set_rules(source, (*others, *own))
    for record, days in (("A-001", 1), ("B-001", 5)):
        enrol(project, record, "Doe")
        book(project, record, days=days, comment="1")

    pull(source)

    assert [item.scheduled_start_date for item in items(source).values()] == [today() + timedelta(days=1)]
    (issue,) = SyncIssue.objects.open().filter(text=clashes.NUMBERED_TWICE)
    assert (issue.record, issue.field, issue.blocks) == ("B-001", "comment", True)
