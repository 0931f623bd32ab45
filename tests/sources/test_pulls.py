"""A pull brings a study into the worklist, and follows REDCap."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from sources.mapping.rules import Rule
from sources.models import DataSource, PendingRecord, RunOutcome, SourceState, State, SyncIssue, SyncRun
from sources.sync import claims, pulls
from tests.redcap.project import Project
from tests.redcap.server import ALL_SWITCHES, RedcapServer, Switches
from tests.sources.conftest import MakeSource, items, only_item, pull
from tests.sources.study import RECORD, RULES, book, enrol, participant, participants, study, today
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db


def counts(run: SyncRun) -> tuple[int, int, int]:
    return run.created, run.changed, run.unchanged


def test_a_booked_participant_becomes_an_item(source: DataSource, project: Project) -> None:
    participant(project, "P-001")

    run = pull(source)

    item = only_item(source)
    assert run.outcome == RunOutcome.OK
    assert counts(run) == (1, 0, 0)
    assert (item.patient_name, item.patient_id, item.patient_sex) == ("Doe^Jane", "P-001", "F")
    assert item.patient_birth_date == date(1990, 1, 31)
    assert item.patient_weight_kg == Decimal(70)
    assert (item.scheduled_start_date, item.scheduled_start_time) == (
        today() + timedelta(days=1),
        time(9, 30),
    )
    assert (item.modality, item.data_source) == ("MR", "study")
    assert item.performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("RC40", "RC41")
def test_what_an_item_is_known_by_is_its_own_and_stays(source: DataSource, project: Project) -> None:
    participants(project, 2)
    pull(source)
    before = {
        item.patient_id: (item.study_instance_uid, item.accession_number, item.requested_procedure_id)
        for item in items(source).values()
    }

    book(project, "P-001", days=3, mri_time="11:00")
    pull(source)

    after = {
        item.patient_id: (item.study_instance_uid, item.accession_number, item.requested_procedure_id)
        for item in items(source).values()
    }
    assert after == before
    assert len(set(before.values())) == 2
    assert all(uid.startswith("2.25.") and len(number) <= 16 for uid, number, _ in before.values())


@pytest.mark.acceptance("RC42")
def test_the_first_pull_shows_all_that_is_booked_already(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    redcap.clock.advance(timedelta(days=-40))
    participants(project, 3)
    redcap.clock.advance(timedelta(days=40))

    assert pull(source).created == 3


@pytest.mark.parametrize("away", [timedelta(hours=3), timedelta(days=4)], ids=["RC43", "RC44"])
def test_nothing_is_missed_while_nobody_pulled(
    source: DataSource, project: Project, redcap: RedcapServer, away: timedelta
) -> None:
    participant(project, "P-001")
    redcap.clock.advance(-away)
    pull(source)
    mark_ago(source, away)
    participant(project, "P-002", "Roe")
    redcap.clock.advance(away)

    run = pull(source)

    assert set(items(source)) == {"P-001", "P-002"}
    assert not run.is_full


def mark_ago(source: DataSource, ago: timedelta) -> None:
    """Let the last pull have been that long ago."""
    at = timezone.now() - ago
    SourceState.objects.filter(source=source).update(mark=at, last_success_at=at)


@pytest.mark.acceptance("RC45")
@pytest.mark.parametrize("zone", ["America/Edmonton", "UTC", "Asia/Tokyo"])
def test_a_change_is_seen_in_the_next_pull_whatever_the_servers_zone(
    make_source: MakeSource, zone: str
) -> None:
    project = study(tz=zone)
    participant(project, "P-001")
    with RedcapServer(project) as redcap:
        source = make_source(redcap, server_timezone=zone)
        pull(source)
        book(project, "P-001", mri_time="14:00")
        run = pull(source)

    assert not run.is_full
    assert only_item(source).scheduled_start_time == time(14, 0)


@pytest.mark.acceptance("RC46")
@pytest.mark.parametrize("skew", [timedelta(minutes=10), timedelta(minutes=-10), timedelta(hours=3)])
def test_a_server_whose_clock_is_wrong_misses_nothing_and_is_warned_of(
    source: DataSource, project: Project, redcap: RedcapServer, skew: timedelta
) -> None:
    redcap.clock.advance(skew)
    participant(project, "P-001")
    pull(source)
    book(project, "P-001", mri_time="14:00")

    pull(source)

    assert only_item(source).scheduled_start_time == time(14, 0)
    assert abs((source.state.skew_seconds or 0) - skew.total_seconds()) < 5
    assert any("clock" in warning for warning in source.state.warnings)


@pytest.mark.acceptance("RC47")
def test_a_change_made_while_a_pull_runs_is_not_lost(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    participant(project, "P-001")
    pull(source)
    book(project, "P-001", mri_time="10:00")
    # The IDs have been read when it is saved.
    redcap.before("record", lambda: None)
    redcap.before("record", lambda: participant(project, "P-002", "Roe"))

    pull(source)
    pull(source)

    assert set(items(source)) == {"P-001", "P-002"}


@pytest.mark.acceptance("D136", "RC50")
def test_a_corrected_name_reaches_the_item(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    uid = only_item(source).study_instance_uid

    project.save("P-001", last_name="Smith")
    run = pull(source)

    assert counts(run) == (0, 1, 0)
    assert only_item(source).patient_name == "Smith^Jane"
    assert only_item(source).study_instance_uid == uid


@pytest.mark.acceptance("RC51")
@pytest.mark.parametrize("switches", ALL_SWITCHES, ids=str)
def test_the_whole_record_is_read_whatever_the_date_range_returns(
    project: Project, make_source: MakeSource, switches: Switches
) -> None:
    participant(project, "P-001")
    with RedcapServer(project, switches=switches) as redcap:
        source = make_source(redcap)
        pull(source)
        book(project, "P-001", weight="81.5")
        pull(source)

    item = only_item(source)
    assert (item.patient_weight_kg, item.patient_name) == (Decimal("81.5"), "Doe^Jane")


@pytest.mark.acceptance("D139", "RC52")
def test_what_is_read_again_unchanged_writes_nothing(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    item = only_item(source)
    history, updated = item.history.count(), item.updated_at

    run = pull(source)

    assert counts(run) == (0, 0, 1)
    assert (only_item(source).history.count(), only_item(source).updated_at) == (history, updated)


@pytest.mark.acceptance("RC53")
def test_the_mark_stays_where_a_batch_failed(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    from tests.redcap.server import Failure

    participant(project, "P-001")
    pull(source)
    mark = source.state.mark
    book(project, "P-001", mri_time="15:00")
    redcap.fail(Failure.EMPTY_500, times=20, content="record", after=1)

    assert pull(source).outcome == RunOutcome.TRANSIENT
    assert source.state.mark == mark

    redcap.recover()
    assert pull(source).outcome == RunOutcome.OK
    assert only_item(source).scheduled_start_time == time(15, 0)
    assert mark is not None and source.state.mark is not None and source.state.mark > mark


@pytest.mark.acceptance("RC57")
def test_only_one_pull_of_a_source_runs_at_a_time(source: DataSource) -> None:
    first = claims.claim(source.pk)

    assert first
    assert claims.claim(source.pk) == ""
    assert pulls.pull(source.pk, claim="another", actor="bob") is None
    claims.release(source.pk, first)
    assert claims.claim(source.pk)


def test_a_claim_that_is_not_renewed_is_taken_over_and_its_pull_writes_no_more(source: DataSource) -> None:
    dead = claims.claim(source.pk, now=timezone.now() - claims.LEASE * 2)

    assert claims.claim(source.pk)
    with pytest.raises(claims.ClaimLost):
        claims.renew(source.pk, dead)


@pytest.mark.acceptance("H183")
def test_a_clock_that_was_set_back_leaves_no_source_waiting_until_it_has_caught_up(
    source: DataSource,
) -> None:
    ahead = timezone.now() + timedelta(hours=3)
    pull(source)
    SyncRun.objects.update(started_at=ahead)
    SourceState.objects.update(next_pull_at=ahead, claim="of a worker that was killed", claimed_at=ahead)

    assert [each.pk for each in claims.due()] == [source.pk]
    assert claims.claim(source.pk)
    assert claims.is_pulling(SourceState.objects.get())
    SourceState.objects.update(claim="", claimed_at=None)
    pull(source)
    assert claims.due() == []  # once is enough: its times are right again


def test_a_source_that_is_due_later_is_not_due_now(source: DataSource) -> None:
    pull(source)
    SourceState.objects.update(next_pull_at=timezone.now() + timedelta(hours=3))
    assert claims.due() == []
    SourceState.objects.update(next_pull_at=None)
    SyncRun.objects.update(started_at=timezone.now() + timedelta(hours=3))
    assert claims.due() == []  # paused is paused, whatever the clock


@pytest.mark.acceptance("D136", "RC58")
def test_a_moved_date_moves_the_item(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    before = only_item(source)

    book(project, "P-001", days=9)
    pull(source)

    after = only_item(source)
    assert (after.pk, after.study_instance_uid) == (before.pk, before.study_instance_uid)
    assert after.scheduled_start_date == today() + timedelta(days=9)


@pytest.mark.acceptance("RC59")
def test_a_corrected_id_changes_the_item_and_makes_none(
    make_source: MakeSource, project: Project, redcap: RedcapServer
) -> None:
    rules = (Rule("patient_id", "first_name", level=RECORD), *RULES[1:])
    source = make_source(redcap, rules)
    participant(project, "P-001")
    pull(source)
    before = only_item(source)

    project.save("P-001", first_name="Joan")
    pull(source)

    after = only_item(source)
    assert (after.pk, after.patient_id, after.patient_name) == (before.pk, "Joan", "Doe^Joan")


@pytest.mark.acceptance("D138", "RC19")
def test_two_instances_with_the_same_values_are_two_items(source: DataSource, project: Project) -> None:
    enrol(project, "P-001")
    book(project, "P-001", 1)
    book(project, "P-001", 2)

    assert pull(source).created == 2
    assert WorklistItem.objects.values("study_instance_uid").distinct().count() == 2


@pytest.mark.acceptance("RC13")
def test_record_ids_are_kept_as_they_are(source: DataSource, project: Project) -> None:
    records = ["A-001-B", "007", "rec 1", "ü1", "b1", "B1"]
    for number, record in enumerate(records):
        participant(project, record, f"Doe{number}")

    pull(source)

    assert set(items(source)) == set(records)


@pytest.mark.acceptance("RC12")
def test_two_records_never_share_an_id(
    make_source: MakeSource, project: Project, redcap: RedcapServer
) -> None:
    cut = Rule("patient_id", "record_id", level=RECORD, transforms="part last of -")
    source = make_source(redcap, (cut, *RULES[1:]))
    participant(project, "A-001", "Doe")
    participant(project, "B-001", "Roe")

    run = pull(source)

    assert run.created == 1
    assert [issue.blocks for issue in SyncIssue.objects.open()] == [True]
    assert "Another item has this patient ID" in SyncIssue.objects.get().text


def test_an_id_that_one_record_gives_up_is_another_s_in_the_same_pull(
    make_source: MakeSource, project: Project, redcap: RedcapServer
) -> None:
    source = make_source(redcap, (Rule("patient_id", "first_name", level=RECORD), *RULES[1:]))
    for record, name, number in (("A", "Doe", "1"), ("B", "Roe", "3")):
        participant(project, record, name)
        project.save(record, first_name=number)
    pull(source)

    project.save("A", first_name="3")
    project.save("B", first_name="4")
    pull(source)

    assert {item.patient_id: item.patient_name for item in items(source).values()} == {
        "3": "Doe^3",
        "4": "Roe^4",
    }
    assert not SyncIssue.objects.open().exists()


def test_an_id_is_free_again_when_its_record_is_gone(
    make_source: MakeSource, project: Project, redcap: RedcapServer
) -> None:
    source = make_source(redcap, (Rule("patient_id", "sex", level=RECORD), *RULES[1:3], *RULES[4:]))
    participant(project, "A", "Doe")
    participant(project, "B", "Roe")
    assert pull(source).created == 1

    book(project, "A", mri_date="")
    pull(source)
    pull(source)

    offered = WorklistItem.objects.get(performed_procedure_step_status=Status.SCHEDULED)
    assert offered.patient_name == "Roe^Jane"


@pytest.mark.acceptance("RC26")
def test_of_two_sources_with_one_id_the_second_is_kept_out_and_the_clash_is_told(
    source: DataSource, project: Project, make_source: MakeSource
) -> None:
    participant(project, "P-001", "Doe")
    pull(source)
    other = study()
    participant(other, "P-001", "Roe")
    with RedcapServer(other) as redcap:
        second = make_source(redcap, name="other")
        run = pull(second)

    assert run.created == 0
    assert only_item(source).patient_name == "Doe^Jane"
    assert "Another item has this patient ID" in SyncIssue.objects.get(source=second).text


@pytest.mark.acceptance("RC4")
def test_two_sources_run_on_their_own(source: DataSource, project: Project, make_source: MakeSource) -> None:
    other = study()
    participant(project, "P-001")
    participant(other, "Q-001", "Roe")
    with RedcapServer(other) as redcap:
        second = make_source(redcap, name="other")
        pull(source)
        pull(second)

    assert (set(items(source)), set(items(second))) == ({"P-001"}, {"Q-001"})


@pytest.mark.acceptance("RC79")
def test_a_bad_row_keeps_no_other_out(source: DataSource, project: Project) -> None:
    participants(project, 3)
    project.save("P-002", last_name="x" * 70)

    run = pull(source)

    assert (run.outcome, run.created) == (RunOutcome.OK, 2)
    [issue] = SyncIssue.objects.open()
    assert (issue.record, issue.target, issue.blocks) == ("P-002", "patient_name", True)
    assert "x" * 70 not in issue.text


@pytest.mark.acceptance("RC91")
def test_an_issue_closes_itself_when_it_is_mended(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    project.save("P-001", sex="3")
    pull(source)
    [issue] = SyncIssue.objects.open()
    assert (issue.target, issue.field, issue.blocks) == ("patient_sex", "sex", False)
    assert only_item(source).patient_sex == ""

    project.save("P-001", sex="1")
    pull(source)

    assert not SyncIssue.objects.open().exists()
    assert only_item(source).patient_sex == "M"


def test_a_record_that_fails_here_stops_no_other_and_is_read_again(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sources.sync import applying

    participants(project, 2)
    session_uuid = applying.session_uuid

    def fail(source: DataSource, record: str, *rest: Any) -> UUID:
        if record == "P-001":
            raise RuntimeError("Doe")
        return session_uuid(source, record, *rest)

    monkeypatch.setattr(applying, "session_uuid", fail)
    run = pull(source)
    assert (run.outcome, run.created) == (RunOutcome.OK, 1)
    assert "1 record" in run.message
    assert [pending.record for pending in PendingRecord.objects.all()] == ["P-001"]

    monkeypatch.undo()
    pull(source)
    assert set(items(source)) == {"P-001", "P-002"}
    assert not PendingRecord.objects.exists()


def test_a_comment_that_is_cleared_leaves_the_item(source: DataSource, project: Project) -> None:
    enrol(project, "P-001")
    book(project, "P-001", comment="Claustrophobic")
    pull(source)
    assert only_item(source).extra_attributes == {"PatientComments": "Claustrophobic"}

    book(project, "P-001", comment="")
    pull(source)

    assert only_item(source).extra_attributes == {}


def test_the_daily_full_pull_comes_by_itself(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    assert not pull(source).is_full
    SourceState.objects.filter(source=source).update(last_full_at=timezone.now() - timedelta(hours=25))

    assert pull(source).is_full


def test_a_run_says_what_it_did_and_what_it_cost(source: DataSource, project: Project) -> None:
    participants(project, 3)

    run = pull(source)

    assert (run.records_done, run.records_total, run.created) == (3, 3, 3)
    assert run.requests >= 3
    assert run.memory_before_mb > 10 and run.memory_after_mb > 10  # type: ignore[operator]
    assert run.duration is not None
    assert source.state.state == State.OK
    assert source.state.last_success_at is not None
    assert source.state.next_pull_at is not None and source.state.next_pull_at > timezone.now()


@pytest.mark.acceptance("RC93")
def test_a_disabled_source_is_never_due_and_keeps_its_items(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    source.enabled = False
    source.save_with_details("alice")
    SourceState.objects.update(next_pull_at=timezone.now())

    assert claims.due() == []
    assert only_item(source).performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("RC48")
@pytest.mark.parametrize(
    ("at", "expected"),
    [("16:59", False), ("17:00", True), ("23:59", True), ("05:30", True), ("06:01", False)],
)
def test_a_window_over_midnight(at: str, expected: bool) -> None:
    source = DataSource(window_start=time(17, 0), window_end=time(6, 0))
    hour, minute = map(int, at.split(":"))
    moment = timezone.localtime().replace(hour=hour, minute=minute, second=0, microsecond=0)

    assert claims.in_window(source, moment) is expected
