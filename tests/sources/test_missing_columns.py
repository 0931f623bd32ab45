"""A mapping that reads a column needs it: without it nothing changes, and people are told what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sources.backends.redcap import open_backend
from sources.dictionary import Dictionary
from sources.mapping import readers
from sources.mapping.rules import Rule, SessionKind, SessionLayout
from sources.models import DataSource, RunOutcome, State
from sources.rows import GROUP
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import MakeSource, items, pull
from tests.sources.projects import FIELDS, REPEATING, a_dictionary, a_plan
from tests.sources.study import RECORD, RULES, participants, study
from worklist.models import WorklistItem

WITH_GROUP = (
    Rule("patient_id", level=RECORD, transforms="template [{redcap_data_access_group}_]{record_id}"),
    *RULES[1:],
)
Trouble = Callable[[Project, RedcapServer], None]


def without_the_right(project: Project, server: RedcapServer) -> None:
    project.users[TOKEN].dags = False


def put_into_a_group(project: Project, server: RedcapServer) -> None:
    project.users[TOKEN].dag = "boston"


def without_groups(project: Project, server: RedcapServer) -> None:
    project.dags.clear()


TROUBLES = [
    pytest.param(without_the_right, "give the token's user the right Data Access Groups", id="no right"),
    pytest.param(put_into_a_group, "Take the user out of its group", id="in a group"),
    pytest.param(without_groups, "or the project has none", id="no groups"),
]


@pytest.fixture
def project() -> Project:
    project = study(dags={"boston": "Boston"})
    for record in participants(project, 3):
        project.set_dag(record, "boston")
    return project


def facts_of(source: DataSource) -> list[tuple[str, object, str]]:
    found = WorklistItem.objects.order_by("pk")
    return [(item.patient_id, item.updated_at, item.performed_procedure_step_status) for item in found]


@pytest.mark.django_db
@pytest.mark.acceptance("RC101", "RC23")
@pytest.mark.parametrize(("trouble", "remedy"), TROUBLES)
def test_an_id_never_loses_the_group_that_redcap_no_longer_tells(
    project: Project,
    redcap: RedcapServer,
    make_source: MakeSource,
    trouble: Trouble,
    remedy: str,
) -> None:
    source = make_source(redcap, WITH_GROUP, batch_size=2)
    pull(source)
    before = facts_of(source)
    trouble(project, redcap)
    project.save("P-001", last_name="Changed")

    for full in (False, True):
        run = pull(source, full=full)

        assert set(items(source)) == {"boston_P-001", "boston_P-002", "boston_P-003"}
        assert facts_of(source) == before
        assert run.outcome == RunOutcome.CONFIGURATION
        assert source.state.state == State.CONFIGURATION
        assert run.message.startswith("redcap_data_access_group, read by row patient_id, is missing")
        assert remedy in run.message


@pytest.mark.django_db
@pytest.mark.acceptance("RC101")
@pytest.mark.parametrize(("trouble", "remedy"), TROUBLES)
def test_a_condition_needs_its_column_too(
    project: Project, redcap: RedcapServer, make_source: MakeSource, trouble: Trouble, remedy: str
) -> None:
    source = make_source(redcap, session_conditions="redcap_data_access_group = boston")
    pull(source)
    before = facts_of(source)
    trouble(project, redcap)

    run = pull(source, full=True)

    assert len(before) == 3
    assert facts_of(source) == before
    assert run.outcome == RunOutcome.CONFIGURATION
    assert "the condition “redcap_data_access_group = boston”" in run.message


@pytest.mark.django_db
@pytest.mark.acceptance("RC101")
@pytest.mark.parametrize("column", [*sorted(readers.REPEATS), "weight", "mri_date"])
def test_no_column_that_is_needed_is_taken_for_empty(
    project: Project, redcap: RedcapServer, make_source: MakeSource, column: str
) -> None:
    source = make_source(redcap)
    pull(source)
    before = facts_of(source)
    redcap.left_out = {column}

    run = pull(source, full=True)

    assert facts_of(source) == before
    assert run.outcome == RunOutcome.CONFIGURATION
    assert column in run.message

    redcap.left_out = set()
    assert pull(source, full=True).outcome == RunOutcome.OK
    assert facts_of(source) == before


@pytest.mark.django_db
@pytest.mark.acceptance("RC23")
def test_a_mapping_that_reads_no_group_needs_no_right_to_it(
    project: Project, redcap: RedcapServer, make_source: MakeSource
) -> None:
    project.users[TOKEN].dags = False

    run = pull(make_source(redcap))

    assert (run.outcome, run.created) == (RunOutcome.OK, 3)


@pytest.mark.django_db
@pytest.mark.acceptance("RC102")
@pytest.mark.parametrize(("trouble", "remedy"), TROUBLES)
def test_the_test_of_the_connection_names_column_row_and_remedy(
    project: Project, redcap: RedcapServer, make_source: MakeSource, trouble: Trouble, remedy: str
) -> None:
    source = make_source(redcap, WITH_GROUP, session_conditions=f"{GROUP} = boston")
    trouble(project, redcap)

    with open_backend(source) as backend:
        report = backend.check()

    [warning] = report.warnings
    by = "row patient_id and the condition “redcap_data_access_group = boston”"
    assert warning.startswith(f"redcap_data_access_group, read by {by}, is missing")
    assert remedy in warning
    assert ("Records", "3") in report.facts


@pytest.mark.django_db
@pytest.mark.acceptance("RC102", "RC65")
def test_a_form_without_export_rights_is_named_with_its_rows(
    project: Project, redcap: RedcapServer, make_source: MakeSource
) -> None:
    source = make_source(redcap)
    project.users[TOKEN].data_export = {"mri": 0}

    with open_backend(source) as backend:
        report = backend.check()

    [warning] = report.warnings
    assert "mri_date, read by row scheduled_start_date," in warning
    assert "Full Data Set for the instrument mri" in warning
    assert "So are 2 more: status, weight." in warning


VISITS = a_dictionary(*FIELDS, events={"visit_1_arm_1": ["enrolment", "mri"]})
REPEATS = {"redcap_repeat_instrument", "redcap_repeat_instance"}
BY_EVENT = SessionLayout(SessionKind.EVENT, instrument="mri")
BY_RECORD = SessionLayout(SessionKind.RECORD)


@pytest.mark.acceptance("RC101")
@pytest.mark.parametrize(
    ("rule", "layout", "dictionary", "needed"),
    [
        (None, None, REPEATING, REPEATS),
        (None, BY_RECORD, REPEATING, set()),
        (None, BY_RECORD, a_dictionary(*FIELDS), set()),
        (None, BY_EVENT, VISITS, {"redcap_event_name"}),
        (Rule("station_name", GROUP), BY_RECORD, a_dictionary(*FIELDS), {GROUP}),
        (Rule("station_name", transforms=f"template {{{GROUP}}}"), BY_RECORD, REPEATING, {GROUP}),
        (Rule("station_name", "redcap_event_name"), BY_RECORD, a_dictionary(*FIELDS), set()),
        (Rule("station_name", "redcap_repeat_instance"), BY_RECORD, a_dictionary(*FIELDS), set()),
        (
            Rule("station_name", "redcap_repeat_instance"),
            BY_RECORD,
            REPEATING,
            {"redcap_repeat_instance"},
        ),
    ],
)
def test_the_columns_that_a_plan_needs_follow_from_it_and_the_project(
    rule: Rule | None, layout: SessionLayout | None, dictionary: Dictionary, needed: set[str]
) -> None:
    rules = (rule,) if rule else ()
    plan = a_plan(*rules, sessions=layout) if layout else a_plan(*rules)

    assert readers.columns_needed(plan, dictionary) == needed
