"""A pull brings a Calpendo's bookings into the worklist, and follows them by their IDs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest
from django.utils import timezone

from sources.kinds import backend_for
from sources.mapping.rules import Rule
from sources.models import CalpendoSite, DataSource, RunOutcome, State, SyncedStep, SyncIssue
from sources.sync import preview
from sources.sync.deciding import SyncAction
from tests.calpendo.bookings import EEG, Named
from tests.calpendo.server import PASSWORD, USER, CalpendoServer, Failure, Shape, Switches
from tests.sources import making
from tests.sources.calpendo_sources import RULES, at, booked, calpendo_source
from tests.sources.conftest import items, only_item, pull, set_rules
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.backends.calpendo.backend.FIRST_PAUSE", 0.001)


@pytest.fixture
def server() -> Iterator[CalpendoServer]:
    with CalpendoServer() as server:
        yield server


@pytest.fixture
def source(db: None, server: CalpendoServer) -> DataSource:
    return calpendo_source(server)


def issues(source: DataSource) -> list[tuple[str, str, str]]:
    found = SyncIssue.objects.filter(source=source, closed_at=None)
    return sorted(found.values_list("record", "target", "text"))


# What comes


@pytest.mark.acceptance("FI91")
@pytest.mark.parametrize(
    "shape", [Shape(), Shape(times="naive", paths_as="nested"), Shape(times="formatted")], ids=str
)
def test_a_booking_becomes_an_item(source: DataSource, server: CalpendoServer, shape: Shape) -> None:
    server.shape = shape
    server.bookings = [booked(1), booked(2, days=2, resource=EEG)]

    run = pull(source)

    assert (run.outcome, run.created) == (RunOutcome.OK, 2)
    item, eeg = items(source)["SUB001"], items(source)["SUB002"]
    assert (item.patient_name, item.modality, item.scheduled_station_aetitle) == ("John Doe", "MR", "PRISMA")
    assert (item.scheduled_start_date, item.scheduled_start_time) == (at(1).date(), time(14))
    assert item.study_description == "BRISKP"
    assert (eeg.modality, eeg.scheduled_station_aetitle) == ("EEG", "EEG1")
    assert {step.record for step in SyncedStep.objects.all()} == {"1", "2"}
    assert {(step.event, step.instrument, step.instance) for step in SyncedStep.objects.all()} == {
        ("", "", 0)
    }
    assert issues(source) == []


@pytest.mark.acceptance("FI87")
def test_a_pull_asks_once_for_the_whole_horizon(source: DataSource, server: CalpendoServer) -> None:
    server.bookings = [booked(number) for number in range(1, 6)] + [booked(9, days=300), booked(10, days=500)]
    pull(source)
    server.requests.clear()

    run = pull(source)

    assert run.unchanged == 6, "The one of 500 days is beyond the horizon."
    assert [request.path.split("/")[0] for request in server.requests] == ["q"]


@pytest.mark.acceptance("FI91")
def test_what_is_known_of_an_item_stays_and_two_bookings_of_one_subject_are_two(
    source: DataSource, server: CalpendoServer
) -> None:
    server.bookings = [booked(1), booked(2, days=3)]
    server.bookings[1].title = server.bookings[0].title

    pull(source)

    found = WorklistItem.objects.filter(patient_id="SUB001")
    assert found.count() == 2
    assert len({item.study_instance_uid for item in found}) == 2


# What changes


@pytest.mark.acceptance("FI91")
def test_a_moved_booking_moves_its_item(source: DataSource, server: CalpendoServer) -> None:
    server.bookings = [booked(1)]
    pull(source)
    before = only_item(source)
    server.booking(1).start, server.booking(1).finish = at(2, 9, 30), at(2, 10, 30)
    server.booking(1).resource = EEG

    run = pull(source)

    item = only_item(source)
    assert (run.changed, item.pk, item.study_instance_uid) == (1, before.pk, before.study_instance_uid)
    assert (item.scheduled_start_date, item.scheduled_start_time) == (at(2).date(), time(9, 30))
    assert (item.modality, item.scheduled_station_aetitle) == ("EEG", "EEG1")


@pytest.mark.acceptance("FI91")
def test_a_booking_that_moves_beyond_the_horizon_takes_its_item_along(
    source: DataSource, server: CalpendoServer
) -> None:
    server.bookings = [booked(1), booked(2)]
    pull(source)
    server.booking(1).start, server.booking(1).finish = at(500), at(500, 15)

    run = pull(source)

    assert not run.is_full
    assert items(source)["SUB001"].scheduled_start_date == at(500).date()
    assert items(source)["SUB001"].performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("FI91")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cancelled": True}, "it is cancelled in Calpendo"),
        ({"status": "Denied"}, "its state is “Denied”"),
        ({"status": "Cancelled", "cancelled": True}, "it is cancelled in Calpendo"),
        ({"resource": Named(9, "7T Terra")}, "at a resource that this source does not read"),
    ],
)
def test_a_booking_that_is_called_off_is_withdrawn_and_may_come_back(
    source: DataSource, server: CalpendoServer, changes: dict[str, object], reason: str
) -> None:
    server.bookings = [booked(1), booked(2)]
    pull(source)
    was = {name: getattr(server.booking(1), name) for name in changes}
    vars(server.booking(1)).update(changes)

    assert pull(source).withdrawn == 1
    item = items(source)["SUB001"]
    assert item.performed_procedure_step_status == Status.CANCELLED
    assert reason in SyncedStep.objects.get(record="1").reason

    vars(server.booking(1)).update(was)
    pull(source)
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("FI91")
def test_a_deleted_booking_is_withdrawn_by_the_next_pull(source: DataSource, server: CalpendoServer) -> None:
    server.bookings = [booked(number) for number in range(1, 6)]
    pull(source)
    del server.bookings[0]

    run = pull(source)

    assert (run.is_full, run.withdrawn) == (False, 1)
    assert items(source)["SUB001"].performed_procedure_step_status == Status.CANCELLED


@pytest.mark.acceptance("FI91")
@pytest.mark.parametrize("how", ["gone", "denied"])
def test_many_at_once_wait_for_a_person(source: DataSource, server: CalpendoServer, how: str) -> None:
    server.bookings = [booked(number) for number in range(1, 11)]
    pull(source)
    if how == "gone":
        server.bookings = server.bookings[8:]
    for each in server.bookings:
        each.status = "Denied" if how == "denied" else each.status

    run = pull(source)

    assert run.outcome == RunOutcome.HELD
    statuses = {item.performed_procedure_step_status for item in items(source).values()}
    assert statuses == {Status.SCHEDULED}


@pytest.mark.acceptance("FI91")
def test_another_name_in_a_title_is_followed_by_the_rules_of_every_source(
    source: DataSource, server: CalpendoServer
) -> None:
    server.bookings = [booked(number, name=f"Jane Roe{number}") for number in range(1, 6)]
    pull(source)
    server.booking(1).title = "SUB001 - Jane Smith"

    pull(source)

    assert items(source)["SUB001"].patient_name == "Jane Smith"


def test_an_empty_answer_cancels_nothing(source: DataSource, server: CalpendoServer) -> None:
    server.bookings = [booked(1)]
    pull(source)
    server.bookings = []

    run = pull(source, full=True)

    assert run.outcome == RunOutcome.HELD
    assert only_item(source).performed_procedure_step_status == Status.SCHEDULED


def test_a_quiet_time_is_no_alarm(source: DataSource, server: CalpendoServer) -> None:
    """What was performed long ago says nothing of whether there should be bookings now."""
    server.bookings = [booked(1)]
    pull(source)
    long_ago = timezone.localdate() - timedelta(days=90)
    WorklistItem.objects.update(
        scheduled_start_date=long_ago, performed_procedure_step_status=Status.COMPLETED
    )
    server.booking(1).start, server.booking(1).finish = at(-90), at(-90, 15)

    assert pull(source, full=True).outcome == RunOutcome.OK


# What a person must mend


@pytest.mark.acceptance("FI92")
def test_a_title_that_fits_no_pattern_is_an_issue_and_nothing_is_made_up(
    source: DataSource, server: CalpendoServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.bookings = [booked(1), booked(2)]
    server.bookings[1].title = "Anna Secret"

    pull(source)

    assert set(items(source)) == {"SUB001"}
    assert {(record, target) for record, target, _ in issues(source)} == {
        ("2", "patient_id"),
        ("2", "patient_name"),
    }
    assert "Secret" not in caplog.text + repr(issues(source))


@pytest.mark.acceptance("FI82")
def test_an_unknown_state_is_not_offered_and_an_issue(source: DataSource, server: CalpendoServer) -> None:
    server.bookings = [booked(number) for number in range(1, 6)]
    server.bookings.append(booked(6, status="Confirmed"))
    pull(source)
    assert "SUB006" not in items(source)
    [(record, target, text)] = issues(source)
    assert (record, target) == ("6", "performed_procedure_step_status")
    assert text.startswith("The state “Confirmed” is not in the source's table")

    server.booking(1).status = "Confirmed"
    pull(source)
    assert items(source)["SUB001"].performed_procedure_step_status == Status.CANCELLED

    making.change(source, states="Approved = wanted\nConfirmed = wanted")
    pull(source)
    assert items(source)["SUB001"].performed_procedure_step_status == Status.SCHEDULED
    assert items(source)["SUB006"].performed_procedure_step_status == Status.SCHEDULED
    assert issues(source) == []


@pytest.mark.acceptance("FI86")
@pytest.mark.parametrize(
    "rules",
    [
        RULES,
        tuple(
            Rule("modality", default="MR") if rule.target == "modality" else rule
            for rule in RULES
            if rule.target != "scheduled_station_aetitle"
        ),
    ],
)
def test_a_resource_without_a_line_is_an_issue_whatever_the_mapping(
    source: DataSource, server: CalpendoServer, rules: tuple[Rule, ...]
) -> None:
    set_rules(source, rules)
    making.change(source, resources="3T Diagnostic\n7T Terra")
    server.bookings = [booked(1), booked(2, resource=Named(9, "7T Terra"))]

    pull(source)

    assert set(items(source)) == {"SUB001"}
    assert all(text.startswith("The resource “7T Terra” has no line") for _, _, text in issues(source))
    assert {record for record, _, _ in issues(source)} == {"2"}


@pytest.mark.acceptance("FI86")
def test_a_resource_s_own_name_is_refused_as_modality(source: DataSource, server: CalpendoServer) -> None:
    set_rules(
        source,
        tuple(Rule("modality", "resource.name") if rule.target == "modality" else rule for rule in RULES),
    )
    server.bookings = [booked(1)]

    run = pull(source)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert "choose resource.modality" in run.message


@pytest.mark.acceptance("FI84")
def test_a_time_that_never_comes_keeps_the_booking_out_and_is_told(
    source: DataSource, server: CalpendoServer
) -> None:
    server.shape = Shape(times="naive")
    server.bookings = [booked(1)]
    night = next_night_without_an_hour()
    server.bookings[0].start, server.bookings[0].finish = night, night + timedelta(hours=1)

    pull(source)

    assert items(source) == {}
    [(record, target, text)] = issues(source)
    assert (record, target) == ("1", "scheduled_start_datetime")
    assert "clocks go forward" in text


def test_conditions_of_the_mapping_choose_studies(source: DataSource, server: CalpendoServer) -> None:
    making.change(source, session_conditions="project.name in BRISKP, OTHER")
    server.bookings = [
        booked(1),
        booked(2, project=Named(1, "ELSE"), status="Confirmed"),
        booked(3, project=None),
    ]

    pull(source)

    assert set(items(source)) == {"SUB001"}
    assert issues(source) == [], "Nobody need mend a booking of another study."


def next_night_without_an_hour() -> datetime:
    """Return half past two in the night in which clocks of Edmonton go forward: a second Sunday of March."""
    today = timezone.localdate()
    sundays = (date(year, 3, 8 + (6 - date(year, 3, 8).weekday())) for year in (today.year, today.year + 1))
    return datetime.combine(next(day for day in sundays if day > today), time(2, 30))


# How it is asked


@pytest.mark.acceptance("FI93")
@pytest.mark.parametrize("wrong", ["refused", "fails", "nothing"])
@pytest.mark.parametrize("literal", ["T", "-"])
def test_the_form_of_a_time_is_found_out_and_kept(
    source: DataSource, server: CalpendoServer, wrong: str, literal: str
) -> None:
    server.switches = Switches(literals=frozenset({literal}), wrong_literal=wrong)  # type: ignore[arg-type]
    server.bookings = [booked(1)]

    assert pull(source).created == 1

    assert CalpendoSite.objects.get().date_literal == literal
    server.requests.clear()
    pull(source)
    assert len(server.requests) == 1


@pytest.mark.acceptance("FI93")
def test_without_bookings_no_form_is_kept(source: DataSource, server: CalpendoServer) -> None:
    assert pull(source).outcome == RunOutcome.OK
    assert CalpendoSite.objects.get().date_literal == ""


@pytest.mark.acceptance("FI93")
def test_a_form_that_a_server_only_ignored_is_given_up(source: DataSource, server: CalpendoServer) -> None:
    """While all bookings lie in the horizon anyway, nobody can tell that times are not understood."""
    server.switches = Switches(literals=frozenset("-"), wrong_literal="everything")
    server.bookings = [booked(1)]
    pull(source)
    assert CalpendoSite.objects.get().date_literal == "T"
    server.bookings += [booked(2), booked(3, days=500)]
    source.calpendo.refresh_from_db()

    run = pull(source)

    assert (run.outcome, run.created) == (RunOutcome.OK, 1)
    assert CalpendoSite.objects.get().date_literal == "-"


@pytest.mark.acceptance("FI97")
def test_a_path_that_every_booking_lacks_is_refused_by_name(
    source: DataSource, server: CalpendoServer
) -> None:
    server.bookings = [booked(1), booked(2)]
    pull(source)
    server.drops = frozenset({"project.name"})

    run = pull(source)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert "project.name, read by row study_description, is missing from Calpendo's answer" in run.message
    assert items(source)["SUB001"].study_description == "BRISKP"


@pytest.mark.acceptance("FI97")
def test_a_flag_that_every_booking_lacks_is_a_warning(source: DataSource, server: CalpendoServer) -> None:
    server.bookings = [booked(1)]
    server.drops = frozenset({"cancelled"})

    pull(source)

    assert any("whether it is cancelled" in each for each in source.state.warnings)


@pytest.mark.acceptance("FI89")
@pytest.mark.parametrize(
    "failure", [Failure.TRUNCATED_JSON, Failure.SSO_PAGE, Failure.EMPTY_500], ids=lambda each: each.name
)
def test_a_half_answer_changes_nothing(source: DataSource, server: CalpendoServer, failure: Failure) -> None:
    server.bookings = [booked(1), booked(2)]
    pull(source)
    server.bookings = [booked(1, days=3)]
    server.fail(failure, times=50)

    run = pull(source)

    assert run.outcome == RunOutcome.TRANSIENT
    assert items(source)["SUB001"].scheduled_start_date == at(1).date()
    source.state.refresh_from_db()
    assert source.state.state == State.TRANSIENT


@pytest.mark.acceptance("FI94")
def test_the_password_is_encrypted_or_of_the_environment(
    source: DataSource, server: CalpendoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.bookings = [booked(1)]
    site = CalpendoSite.objects.get()
    assert PASSWORD not in site.password_cipher
    assert all(PASSWORD not in str(vars(row)) for row in site.history.all())

    source.calpendo.set_password("", by="alice")
    source.save_with_details("alice")
    assert pull(source).message == "The source has no password."

    making.change(
        source, user_name="", user_variable="CALPENDO_USERNAME", password_variable="CALPENDO_PASSWORD"
    )
    assert "CALPENDO_USERNAME is not set" in pull(source).message
    monkeypatch.setenv("CALPENDO_USERNAME", USER)
    monkeypatch.setenv("CALPENDO_PASSWORD", PASSWORD)
    assert pull(source).created == 1

    making.change(source, password_variable="SECRET_KEY")
    assert pull(source).outcome == RunOutcome.AUTHORISATION


@pytest.mark.acceptance("FI89")
def test_a_wrong_password_lets_the_source_rest(source: DataSource, server: CalpendoServer) -> None:
    source.calpendo.set_password("wrong", by="alice")
    source.save_with_details("alice")

    for _ in range(3):
        assert pull(source).outcome == RunOutcome.AUTHORISATION
    assert source.state.next_pull_at is None


# What pages ask


@pytest.mark.acceptance("FI93")
def test_the_connection_is_tested_and_told(source: DataSource, server: CalpendoServer) -> None:
    making.change(source, resources="3T Diagnostic\nEEG Lap", states="Approved = wanted")
    server.bookings = [booked(1), booked(2, status="Denied"), booked(3, cancelled=True)]

    with backend_for(source) as backend:
        report = backend.check()

    facts = dict(report.facts)
    assert facts["Time"] == "America/Edmonton; Calpendo takes it as 20260127-0930"
    assert facts["Bookings"] == "3: 2 Approved, 1 Denied"
    assert facts["Of these"] == "2 not to offer, 1 to offer"
    assert "never against a Calpendo" in facts["Experimental"]
    assert "Calpendo shows no resource EEG Lap. Did you mean EEG Lab?" in report.warnings
    assert any("1 of 3 bookings: The state “Denied” is not in" in each for each in report.warnings)
    assert "John" not in repr(report)


def test_a_zone_that_is_not_the_site_s_is_pointed_out(source: DataSource, server: CalpendoServer) -> None:
    making.change(source, time_zone="Europe/Berlin")
    server.bookings = [booked(1)]

    with backend_for(source) as backend:
        report = backend.check()

    assert any("Europe/Berlin may not be the time zone" in each for each in report.warnings)


@pytest.mark.acceptance("FI95")
def test_the_kind_says_that_it_is_experimental(source: DataSource) -> None:
    assert source.get_kind_display() == "Calpendo (experimental)"


def test_a_dry_run_says_the_same_as_a_pull(source: DataSource, server: CalpendoServer) -> None:
    server.bookings = [booked(1), booked(2, status="Denied"), booked(3, status="Odd")]

    found = preview.dry_run(source)

    assert [each.record for each in found.changes if each.kind is SyncAction.CREATE] == ["1"]
    assert items(source) == {}
