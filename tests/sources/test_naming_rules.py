"""A study's rules of patient IDs, names and visits keep out what breaks them, with an issue.

Not here: which session stays where two share an ID (test_same_ids.py), and the bounds of any pattern
(test_patterns.py).
"""

from __future__ import annotations

import dataclasses
import logging
import re
from datetime import date
from typing import Any

import pytest
from django.contrib.admin.utils import flatten
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from sources.admin import source_forms
from sources.admin.kinds.fieldsets import NAMING
from sources.api.fields import NamingSerializer
from sources.contract import Session, Stance
from sources.dictionary import Dictionary
from sources.mapping import check, evaluate, naming, same_ids
from sources.mapping.patterns import TOO_SLOW
from sources.mapping.rules import IdsAre, MappingPlan, NamingRules, Rule, SessionKind, SessionLayout
from sources.models import DataSource, SyncIssue
from sources.sync import clashes, preview
from sources.sync.deciding import SyncAction
from tests.api_client import client_of
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources import making
from tests.sources.conftest import MakeSource, items, only_item, pull
from tests.sources.projects import (
    BOOKED,
    FIELDS,
    PERSON,
    REPEATING,
    REPEATING_MRI,
    a_booking,
    a_dictionary,
    a_person,
    a_plan,
    a_row,
)
from tests.sources.source_pages import save
from tests.sources.study import RULES, book, day, enrol, participant
from tests.statements import counted
from worklist.models import Status, WorklistItem

TODAY = date(2026, 3, 1)
FITS = "CPIP-[0-9]{4}"
SESSION = Rule("{session}", "mri_number")


def only_session(plan: MappingPlan, **booking: Any) -> Session:
    [session] = evaluate.sessions_of([a_person(), a_booking(**booking)], plan, REPEATING, today=TODAY)
    return session


def told(session: Session) -> list[tuple[str, str, str]]:
    return [(problem.target, problem.field, problem.text) for problem in session.problems]


OF_ID, OF_NAME = ("patient_id", "study_id"), ("patient_name", "last_name")


@pytest.mark.acceptance("CL116")
@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (NamingRules(), []),
        (NamingRules(patient_id_pattern=FITS), []),
        (NamingRules(patient_id_pattern="CPIP-[0-9]{3}"), [(*OF_ID, naming.ID_PATTERN)]),  # not a part of it
        (NamingRules(patient_id_pattern="[0-9]{4}"), [(*OF_ID, naming.ID_PATTERN)]),
        (NamingRules(patient_id_pattern="(?i)cpip-.*"), []),
        (NamingRules(patient_id_pattern="A|CPIP-0042"), []),
        (NamingRules(longest_patient_id=9), []),
        (NamingRules(longest_patient_id=8), [(*OF_ID, naming.LONG_ID.format(longest=8))]),
        (NamingRules(patient_name_pattern=r"[A-Z][a-z]+\^[A-Z][a-z]+"), []),
        (NamingRules(patient_name_pattern="[A-Z]+"), [(*OF_NAME, naming.NAME_PATTERN)]),
        (NamingRules(longest_patient_name=8), []),  # Doe^Jane
        (NamingRules(longest_patient_name=7), [(*OF_NAME, naming.LONG_NAME.format(longest=7))]),
        (
            NamingRules(patient_id_pattern="X", longest_patient_id=1),
            [(*OF_ID, naming.LONG_ID.format(longest=1)), (*OF_ID, naming.ID_PATTERN)],
        ),
    ],
)
def test_an_id_or_a_name_that_breaks_a_rule_keeps_the_session_out(
    rules: NamingRules, expected: list[tuple[str, str, str]]
) -> None:
    session = only_session(a_plan(naming=rules))

    assert told(session) == expected
    assert session.stance is (Stance.UNCLEAR if expected else Stance.WANTED)
    assert all(problem.blocks for problem in session.problems)


@pytest.mark.acceptance("CL116")
def test_the_longest_component_group_of_a_name_counts() -> None:
    named = Rule("patient_name", transforms="template Wang^Xiaodong={last_name}")
    plan = a_plan(named, naming=NamingRules(longest_patient_name=13))

    assert only_session(plan).stance is Stance.WANTED
    assert only_session(a_plan(named, naming=NamingRules(longest_patient_name=12))).stance is Stance.UNCLEAR


@pytest.mark.acceptance("CL116")
def test_a_session_that_is_not_wanted_breaks_no_rule() -> None:
    session = only_session(a_plan(naming=NamingRules(patient_id_pattern="X")), mri_date="")

    assert (session.stance, session.problems) == (Stance.NOT_WANTED, ())


EVENTS = a_dictionary(*FIELDS, events={"v1_arm_1": ["enrolment", "mri"], "v2_arm_1": ["mri"]})
BY_EVENT = SessionLayout(SessionKind.EVENT, instrument="mri")


@pytest.mark.acceptance("CL117")
def test_a_visit_is_what_its_row_says_or_its_event() -> None:
    by_row = a_plan(SESSION, naming=NamingRules(visits=("1", "2")))
    by_event = a_plan(sessions=BY_EVENT, naming=NamingRules(visits=("v1_arm_1",)))
    rows = [a_row(event="v1_arm_1", **PERSON, **BOOKED), a_row(event="v2_arm_1", **BOOKED)]
    first, second = evaluate.sessions_of(rows, by_event, EVENTS, today=TODAY)

    assert only_session(by_row, mri_number="2").stance is Stance.WANTED
    assert told(only_session(by_row, mri_number="3")) == [("{session}", "mri_number", naming.OTHER_VISIT)]
    assert told(only_session(by_row)) == [("{session}", "mri_number", naming.NO_VISIT)]
    assert first.stance is Stance.WANTED
    assert told(second) == [("", "redcap_event_name", naming.OTHER_VISIT)]


@pytest.mark.acceptance("CL117")
@pytest.mark.parametrize(
    ("rules", "mistake"),
    [
        (NamingRules(visits=("v1_arm_1",)), ""),
        (NamingRules(visits=("v1_arm_2",)), "Did you mean v1_arm_1?"),
        (NamingRules(patient_id_pattern="("), "no regular expression"),
        (NamingRules(patient_name_pattern="("), "no regular expression"),
    ],
)
def test_rules_that_cannot_be_right_are_told_before_a_pull(rules: NamingRules, mistake: str) -> None:
    found = check.mistakes(a_plan(sessions=BY_EVENT, naming=rules), EVENTS)

    assert [mistake in each.text for each in found] == ([True] if mistake else [])


@pytest.mark.acceptance("CL117")
@pytest.mark.parametrize(
    ("sessions", "dictionary"),
    [(REPEATING_MRI, REPEATING), (SessionLayout(SessionKind.RECORD), EVENTS)],
)
def test_visits_need_something_that_tells_them(sessions: SessionLayout, dictionary: Dictionary) -> None:
    rules = NamingRules(visits=("v1_arm_1",))
    [found] = check.mistakes(a_plan(sessions=sessions, naming=rules), dictionary)

    assert found.text == naming.NOTHING_TELLS_VISITS
    assert check.mistakes(a_plan(SESSION, sessions=REPEATING_MRI, naming=rules), REPEATING) == ()


@pytest.mark.acceptance("CL116")
@given(
    ids=st.text("AB1-", max_size=6),
    pattern=st.sampled_from(["", "A+", "[AB]*1", "A|B", "(?i)a.*", "-?1", ".{3}", "^A", "A$"]),
    longest=st.none() | st.integers(1, 6),
)
def test_ids_are_judged_as_by_pythons_own_expressions(ids: str, pattern: str, longest: int | None) -> None:
    plan = a_plan(naming=NamingRules(patient_id_pattern=pattern, longest_patient_id=longest))
    [session] = evaluate.sessions_of([a_person(study_id=ids), a_booking()], plan, REPEATING, today=TODAY)
    fits = not pattern or re.fullmatch(pattern, ids) is not None
    is_short = longest is None or len(ids) <= longest

    assert (session.stance is Stance.WANTED) == bool(ids and fits and is_short)


@pytest.mark.acceptance("CL120")
def test_a_hostile_pattern_is_bounded_and_the_session_stays_out() -> None:
    plan = a_plan(naming=NamingRules(patient_id_pattern="(?:a|aa)+"))
    rows = [a_person(study_id="a" * 60 + "!"), a_booking()]
    [session] = evaluate.sessions_of(rows, plan, REPEATING, today=TODAY)

    assert session.stance is Stance.UNCLEAR
    assert [problem.text for problem in session.problems] == [f"{naming.ID_PATTERN} ({TOO_SLOW})"]


SHARED = Rule("patient_id", "study_id")


@pytest.mark.acceptance("CL119")
@pytest.mark.parametrize(
    ("ids_are", "stances"),
    [
        (IdsAre.PARTICIPANT, [Stance.WANTED, Stance.WANTED]),
        (IdsAre.SESSION, [Stance.WANTED, Stance.UNCLEAR]),
    ],
)
def test_two_visits_under_one_id_are_apart_where_an_id_is_the_sessions(
    ids_are: IdsAre, stances: list[Stance]
) -> None:
    rows = [a_person(), a_booking(1), a_booking(2, mri_date="2026-03-09")]
    plan = a_plan(naming=NamingRules(ids_are=ids_are))
    found = evaluate.sessions_of(rows, plan, REPEATING, today=TODAY)

    assert [session.stance for session in found] == stances
    if ids_are is IdsAre.SESSION:
        assert {session.numbered_by for session in found} == {"study_id"}


def issues(source: DataSource) -> list[tuple[str, str, str, str, bool]]:
    found = SyncIssue.objects.open().filter(source=source).order_by("record", "instance")
    return [*found.values_list("record", "target", "field", "text", "blocks")]


@pytest.mark.django_db
class TestPulls:
    @pytest.mark.acceptance("CL116")
    def test_a_record_that_breaks_a_rule_is_an_issue_and_no_item(
        self, source: DataSource, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        participant(project, "P-1")
        participant(project, "secret-2", "Other")
        making.change(source, patient_id_pattern="P-[0-9]")
        caplog.set_level(logging.INFO)
        pull(source)

        assert set(items(source)) == {"P-1"}
        assert issues(source) == [("secret-2", "patient_id", "record_id", naming.ID_PATTERN, True)]
        assert "secret-2" not in caplog.text

    @pytest.mark.acceptance("CL118")
    def test_an_item_from_before_the_rule_stays_as_it_is_until_the_rule_is_met(
        self, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        making.change(source, longest_patient_name=6)
        book(project, "P-1", mri_time="10:30")
        for _ in range(2):
            pull(source, full=True)
            item = only_item(source)
            assert item.performed_procedure_step_status == Status.SCHEDULED
            assert item.scheduled_start_time.isoformat() == "09:30:00"
            assert [text for *_, text, _ in issues(source)] == [naming.LONG_NAME.format(longest=6)]

        enrol(project, "P-1", "D", first_name="J")
        pull(source, full=True)

        assert issues(source) == []
        item = only_item(source)
        assert (item.patient_name, item.scheduled_start_time.isoformat()) == ("D^J", "10:30:00")

    @pytest.mark.acceptance("CL118")
    def test_two_items_that_share_an_id_from_before_the_rule_both_stay(
        self, source: DataSource, project: Project
    ) -> None:
        enrol(project, "P-1")
        book(project, "P-1", 1)
        book(project, "P-1", 2, days=3)
        pull(source)
        making.change(source, ids_are=IdsAre.SESSION.value)
        for _ in range(2):
            pull(source, full=True)

        found = WorklistItem.objects.values_list("patient_id", "performed_procedure_step_status")
        assert [*found] == [("P-1", Status.SCHEDULED)] * 2
        assert [(text, blocks) for *_, text, blocks in issues(source)] == [(same_ids.SAME_ID, True)]

    @pytest.mark.acceptance("CL118")
    def test_an_item_from_before_the_rule_follows_its_record_to_a_new_name(
        self, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        uid = only_item(source).study_instance_uid
        making.change(source, patient_id_pattern="P-1")
        project.rename_record("P-1", "Q-1")
        [planned] = preview.dry_run(source).changes
        pull(source, full=True)

        assert (planned.kind, planned.reason) == (SyncAction.UNCLEAR, preview.RENAMED)

        item = only_item(source)
        assert (item.patient_id, item.performed_procedure_step_status) == ("P-1", Status.SCHEDULED)
        assert [(record, text) for record, _, _, text, _ in issues(source)] == [("Q-1", naming.ID_PATTERN)]

        making.change(source, patient_id_pattern="")
        pull(source, full=True)

        item = only_item(source)
        assert (item.patient_id, item.study_instance_uid) == ("Q-1", uid)

    @pytest.mark.acceptance("CL118")
    def test_what_the_source_calls_off_is_cancelled_whatever_rule_it_broke(
        self, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        making.change(source, patient_id_pattern="X")
        book(project, "P-1", mri_date="")
        pull(source, full=True)

        assert only_item(source).performed_procedure_step_status == Status.CANCELLED
        assert issues(source) == []

    @pytest.mark.acceptance("CL119")
    def test_the_later_visit_under_one_id_stays_out_and_comes_once_it_has_its_own(
        self, make_source: MakeSource, redcap: RedcapServer, project: Project
    ) -> None:
        own = Rule("patient_id", "comment")
        rules = tuple(own if rule.target == "patient_id" else rule for rule in RULES)
        source = make_source(redcap, rules=rules, ids_are=IdsAre.SESSION.value)
        enrol(project, "P-1")
        book(project, "P-1", 1, days=5, comment="S1")
        book(project, "P-1", 2, days=2, comment="S1")
        pull(source)

        assert [item.scheduled_start_date.isoformat() for item in items(source).values()] == [day(2)]
        assert [(field, blocks) for _, _, field, _, blocks in issues(source)] == [("comment", True)]

        book(project, "P-1", 1, days=5, comment="S2")
        pull(source)

        assert (set(items(source)), issues(source)) == ({"S1", "S2"}, [])

    @pytest.mark.acceptance("CL119")
    def test_another_records_session_under_the_id_stays_out_although_the_person_may_be_the_same(
        self, make_source: MakeSource, redcap: RedcapServer, project: Project
    ) -> None:
        rules = tuple(
            Rule("patient_id", "comment") if rule.target == "patient_id" else rule for rule in RULES
        )
        source = make_source(redcap, rules=rules, ids_are=IdsAre.SESSION.value)
        for record, days in (("P-1", 2), ("P-2", 5)):
            enrol(project, record)
            book(project, record, days=days, comment="S1")
        pull(source)

        assert len(items(source)) == 1
        assert [(record, text) for record, _, _, text, _ in issues(source)] == [
            ("P-2", clashes.NUMBERED_TWICE)
        ]

    @pytest.mark.acceptance("CL119")
    def test_a_preview_and_a_comparison_tell_it_before_any_pull(
        self, source: DataSource, project: Project
    ) -> None:
        enrol(project, "P-1")
        book(project, "P-1", 1)
        book(project, "P-1", 2, days=3)
        making.change(source, ids_are=IdsAre.SESSION.value)
        [read] = preview.preview(source, records=1).records
        planned = preview.dry_run(source).changes

        assert [session.stance for session in read.sessions] == [Stance.WANTED, Stance.UNCLEAR]
        assert sorted(change.kind.value for change in planned) == ["create", "unclear"]

    @pytest.mark.acceptance("CL129")
    def test_rules_that_all_meet_cost_no_statement(self, source: DataSource, project: Project) -> None:
        for number in range(4):
            participant(project, f"P-{number}", f"Doe{number}")
        numbers = []
        ruled: dict[str, Any]
        for ruled in (
            dict[str, Any](),
            {"patient_id_pattern": "P-[0-9]", "longest_patient_id": 8, "ids_are": "session"},
        ):
            making.change(source, **ruled)
            pull(source, full=True)
            with counted() as ran:
                pull(source, full=True)
            numbers.append(len(ran))

        assert (numbers[0], issues(source)) == (numbers[1], [])


@pytest.mark.django_db
class TestForm:
    @pytest.fixture
    def admin(self, client: Client, alice: User) -> Client:
        client.force_login(alice)
        return client

    @pytest.mark.acceptance("CL120")
    @pytest.mark.parametrize(
        ("pattern", "said"),
        [("(?:a|aa)+", "repeats what is"), ("(", "no regular expression")],
    )
    def test_a_pattern_that_cannot_be_is_refused_beside_its_field(
        self, admin: Client, source: DataSource, pattern: str, said: str
    ) -> None:
        response = save(admin, source, patient_id_pattern=pattern)

        assert said in " ".join(response.context["adminform"].form.errors["patient_id_pattern"])
        assert source.patient_id_pattern == ""

    @pytest.mark.acceptance("CL116")
    def test_rules_are_kept_with_their_history_and_everything_is_read_again(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        given: dict[str, Any] = {"patient_id_pattern": FITS, "longest_patient_id": "9", "ids_are": "session"}
        save(admin, source, **given)
        source.state.refresh_from_db()

        assert source.naming == NamingRules(FITS, 9, ids_are=IdsAre.SESSION)
        assert source.history.first().history_user == "alice"
        assert source.state.full_requested

    @pytest.mark.acceptance("CL117")
    def test_a_visit_that_nothing_tells_is_refused_beside_its_field(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        response = save(admin, source, allowed_visits="V1")

        assert naming.NOTHING_TELLS_VISITS in str(response.context["adminform"].form.errors["allowed_visits"])

    @pytest.mark.acceptance("CL120")
    def test_whoever_saves_a_source_without_the_form_is_refused_too(self, source: DataSource) -> None:
        source.patient_name_pattern = "("
        with pytest.raises(ValidationError, match="no regular expression"):
            source.full_clean()


@pytest.mark.acceptance("CL130")
def test_each_rule_is_on_the_form_in_the_api_and_in_what_a_pull_reads() -> None:
    fields: Any = NAMING[1]["fields"]
    names = {field.name for field in dataclasses.fields(NamingRules)} - {"visits"} | {"allowed_visits"}

    assert set(flatten(fields)) == names
    assert set(NamingSerializer().fields) == names
    assert names <= source_forms.MEANING


@pytest.mark.acceptance("CL130")
@pytest.mark.django_db
def test_the_api_tells_a_sources_rules(alice: User, source: DataSource) -> None:
    making.change(source, patient_id_pattern=FITS, longest_patient_name=20, allowed_visits="V1\nV2")
    told = client_of(alice).get("/sources/study").json()["naming"]

    assert told == {
        "patient_id_pattern": FITS,
        "longest_patient_id": None,
        "patient_name_pattern": "",
        "longest_patient_name": 20,
        "allowed_visits": "V1\nV2",
        "ids_are": "participant",
    }
