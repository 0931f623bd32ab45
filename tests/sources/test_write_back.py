"""What scanners report goes into a project's fields, over HTTP, and nothing of a person's is overwritten."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.utils import timezone

from sources import tasks
from sources.models import DataSource, OutcomeWrite, SyncRun, WriteIssue, WriteState
from sources.outgoing.facts import ScanFact
from sources.write_back import people, sending, state
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import items, only_item, pull
from tests.sources.queue import queued, work_off
from tests.sources.study import book, day, enrol, participant
from tests.sources.writing import (
    RULES,
    WHOLE,
    WRITE_TOKEN,
    begin,
    end,
    open_issues,
    row,
    scan,
    scanning_study,
    set_write_rules,
    states,
    write,
    writing_source,
)
from worklist.examinations import performing
from worklist.items import lifecycle
from worklist.models import PerformedStatus, PerformedStep, Status, WorklistItem

pytestmark = pytest.mark.django_db
LOGGED = "sources.write_back.sending"


@pytest.fixture
def project() -> Project:
    return scanning_study()


@pytest.fixture
def source(redcap: RedcapServer, project: Project, db: None) -> DataSource:
    """Return a source that writes, with one appointment that was pulled."""
    made = writing_source(redcap)
    participant(project, "P-001")
    pull(made)
    return made


def whole(item: WorklistItem) -> dict[str, str]:
    names = [name for name, *_ in RULES]
    return dict(zip(names, (*WHOLE, item.study_instance_uid), strict=True))


@pytest.mark.acceptance("CL1")
def test_a_whole_report_fills_the_session(source: DataSource, project: Project) -> None:
    item = only_item(source)
    uid = begin(item)
    assert write(source) == 1
    under_way = {name: value for name, value in row(project).items() if name != "scan_uid"}
    assert under_way == {"scan_status": "1", "scan_start": "2026-01-10 09:31", "scan_day": "2026-01-10"}

    end(uid)
    write(source)

    assert row(project) == whole(item)
    assert states(source) == ["DONE"]
    assert open_issues(source) == []
    assert {user for user, *_ in _imports(project)} == {"pylantir_writes"}


def _imports(project: Project) -> list[tuple[str, str]]:
    return [
        (entry.user, entry.record) for entry in project.log.entries if "(API)" in entry.action and entry.row
    ]


@pytest.mark.acceptance("CL2")
def test_three_pulls_after_a_write_change_nothing(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    item = only_item(source)
    scan(item)
    write(source)
    before = (item.history.count(), OutcomeWrite.objects.get().change, row(project), len(_imports(project)))
    for full in (False, True, False):
        source.state.full_requested = full
        source.state.save()
        run = pull(source)
        assert (run.created, run.changed, run.withdrawn, run.restored, run.issues) == (0, 0, 0, 0, 0)
        assert run.outcome == "OK"
    write(source)

    after = (item.history.count(), OutcomeWrite.objects.get().change, row(project), len(_imports(project)))
    assert after == before
    assert SyncRun.objects.count() == 4
    assert not [each for each in redcap.requests if each.content == "trigger"]


@pytest.mark.acceptance("CL3")
def test_a_persons_value_stays_until_they_say_so(source: DataSource, project: Project) -> None:
    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta", scan_series="2")
    item = only_item(source)
    scan(item)
    write(source)

    assert row(project) == {**whole(item), "scan_operator": "Berta"}
    assert open_issues(source) == [("scan_operator", "DIFFERS", "Berta", "Tech, Anna")]
    assert states(source) == ["HELD"]

    project.save("P-001", instrument="mri", instance=1, scan_operator="Carla")
    assert people.write_ours(WriteIssue.objects.get())  # what the person saw is Berta
    write(source)
    assert row(project)["scan_operator"] == "Carla"
    assert open_issues(source) == [("scan_operator", "DIFFERS", "Carla", "Tech, Anna")]

    assert people.write_ours(WriteIssue.objects.get(closed_at=None))
    write(source)
    assert row(project) == whole(item)
    assert open_issues(source) == []
    assert states(source) == ["DONE"]
    assert set(WriteIssue.objects.values_list("theirs", "ours")) == {("", "")}  # nothing is kept of it
    assert project.overwritten == [("P-001", project.overwritten[0][1], "scan_operator", "Carla")]


@pytest.mark.acceptance("CL3")
def test_an_issue_closes_itself_once_the_field_agrees(source: DataSource, project: Project) -> None:
    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta")
    scan(only_item(source))
    write(source)
    project.save("P-001", instrument="mri", instance=1, scan_operator="Tech, Anna")
    write(source)

    assert open_issues(source) == []
    assert states(source) == ["DONE"]


@pytest.mark.acceptance("CL3")
def test_a_person_leaves_it_as_it_is_until_the_next_outcome(source: DataSource, project: Project) -> None:
    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta")
    item = only_item(source)
    scan(item)
    write(source)
    people.leave(OutcomeWrite.objects.get())
    assert (states(source), open_issues(source)) == (["LEFT"], [])
    write(source)
    assert (states(source), open_issues(source)) == (["LEFT"], [])

    scan(item, 1)
    write(source)
    assert states(source) == ["HELD"]
    assert row(project)["scan_series"] == "3"


@pytest.mark.acceptance("CL4")
def test_a_time_out_after_storing_is_found_to_be_there(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    item = only_item(source)
    scan(item)
    redcap.fail(Failure.PROXY_504, content="import")
    write(source)
    assert row(project) == whole(item)  # it has stored, and its answer is lost
    assert states(source) == ["WAITING"]
    assert "504" in WriteState.objects.get().message

    imports = len(_imports(project))
    write(source)
    assert states(source) == ["DONE"]
    assert len(_imports(project)) == imports
    assert sum(request.content == "import" for request in redcap.requests) == 1

    scan(item, 1)  # what was sent without an answer is known to be ours
    write(source)
    assert row(project)["scan_series"] == "3"
    assert open_issues(source) == []


@pytest.mark.acceptance("CL4")
@pytest.mark.parametrize(
    "failure", [Failure.EMPTY_500, Failure.OFFLINE_PAGE, Failure.RESET, Failure.TOO_MANY_429]
)
def test_an_import_is_not_sent_twice_by_itself(
    source: DataSource, project: Project, redcap: RedcapServer, failure: Failure
) -> None:
    scan(only_item(source))
    redcap.fail(failure, content="import", is_before=True)
    write(source)
    assert sum(request.content == "import" for request in redcap.requests) == 1
    assert row(project) == {}
    assert states(source) == ["WAITING"]

    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta")
    write(source)
    assert row(project)["scan_operator"] == "Berta"
    assert row(project)["scan_status"] == "2"
    assert states(source) == ["HELD"]


@pytest.mark.acceptance("CL5")
def test_a_locked_form_holds_its_session_alone(source: DataSource, project: Project) -> None:
    participant(project, "P-002", "Roe")
    pull(source)
    project.lock_form("P-001", "mri", instrument="mri", instance=1)
    for item in items(source).values():
        scan(item)
    write(source)

    assert row(project) == {}
    assert row(project, "P-002")["scan_status"] == "2"
    assert {kind for _, kind, *_ in open_issues(source)} == {"LOCKED"}
    assert states(source) == ["HELD", "DONE"]

    project.unlock_forms()
    write(source)
    assert row(project)["scan_status"] == "2"
    assert (states(source), open_issues(source)) == (["DONE", "DONE"], [])


@pytest.mark.acceptance("CL5")
def test_a_refused_value_is_named_without_the_value(
    source: DataSource, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    scan(only_item(source))
    project.field("scan_operator")["text_validation_type_or_show_slider_number"] = "integer"
    with caplog.at_level(logging.DEBUG):
        write(source)

    assert open_issues(source) == [("scan_operator", "INVALID", "", "Tech, Anna")]
    assert row(project) == {}
    assert "Anna" not in caplog.text
    assert "P-001" not in "".join(
        record.getMessage() for record in caplog.records if "urllib3" not in record.name
    )


@pytest.mark.acceptance("CL6")
def test_without_the_right_to_import_all_waits_and_says_so(source: DataSource, project: Project) -> None:
    item = only_item(source)
    project.users[WRITE_TOKEN].api_import = False
    scan(item)
    write(source)

    assert row(project) == {}
    assert states(source) == ["WAITING"]
    assert "API Import" in WriteState.objects.get().message
    project.users[WRITE_TOKEN].api_import = True
    write(source)
    assert row(project) == whole(item)
    assert WriteState.objects.get().message == ""


@pytest.mark.acceptance("CL6")
def test_without_a_token_of_its_own_nothing_is_written(source: DataSource, project: Project) -> None:
    source.redcap.set_write_token("", by="alice")
    source.save_with_details("alice")
    scan(only_item(source))
    write(source)

    assert row(project) == {}
    assert "no token for writing" in WriteState.objects.get().message


@pytest.mark.acceptance("CL6")
def test_a_token_from_the_environment_writes(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDCAP_WRITE_TOKEN", WRITE_TOKEN)
    source.redcap.set_write_token("", by="alice")
    source.redcap.write_token_variable = "REDCAP_WRITE_TOKEN"
    source.save_with_details("alice")
    item = only_item(source)
    scan(item)
    write(source)

    assert row(project) == whole(item)


@pytest.mark.acceptance("CL7")
def test_another_projects_token_writes_nowhere(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    other = scanning_study()
    other.id = 99
    other.users = {"A" * 32: other.users[WRITE_TOKEN]}
    participant(other, "P-001")
    redcap.projects.append(other)
    source.redcap.set_write_token("A" * 32, by="alice")
    source.save_with_details("alice")
    scan(only_item(source))
    write(source)

    assert (row(project), row(other)) == ({}, {})
    assert "opens project 99" in WriteState.objects.get().message


@pytest.mark.acceptance("CL8")
def test_nothing_is_written_to_a_record_that_is_another_persons_by_now(
    source: DataSource, project: Project
) -> None:
    scan(only_item(source))
    project.delete_record("P-001")
    enrol(project, "P-001", "Smith", first_name="Ann", dob="1970-02-03", sex="1")
    book(project, "P-001")
    write(source)

    assert row(project) == {}
    assert open_issues(source) == [("", "ANOTHER", "", "")]


@pytest.mark.acceptance("CL8")
def test_nothing_is_written_to_a_row_that_was_given_a_later_day(source: DataSource, project: Project) -> None:
    scan(only_item(source))
    project.save("P-001", instrument="mri", instance=1, mri_date=day(30))
    write(source)
    assert open_issues(source) == [("", "ANOTHER", "", "")]

    pull(source)  # the row stands for another appointment now
    write(source)
    assert row(project) == {}
    assert open_issues(source) == [("", "ANOTHER", "", "")]


@pytest.mark.acceptance("CL8")
@pytest.mark.parametrize("what", ["record", "instance"])
def test_a_record_that_is_gone_is_not_made_again(source: DataSource, project: Project, what: str) -> None:
    scan(only_item(source))
    if what == "record":
        project.delete_record("P-001")
    else:
        project.delete_instance("P-001", instrument="mri", instance=1)
    write(source)

    assert open_issues(source) == [("", "GONE", "", "")]
    assert [key for record in project.records() for key, _ in project.rows(record) if key.instance] == []


@pytest.mark.acceptance("CL9")
def test_the_newest_outcome_wins(source: DataSource, project: Project) -> None:
    item = only_item(source)
    scan(item)
    step = PerformedStep.objects.get()
    write(source)
    second = begin(item)
    write(source)
    assert row(project)["scan_status"] == "1"
    end(second, 1, PerformedProcedureStepStatus="DISCONTINUED")
    write(source)
    assert row(project)["scan_series"] == "3"
    assert row(project)["scan_status"] == "2"  # one of its steps was completed

    performing.unlink(step, item, actor="alice")
    write(source)
    assert row(project)["scan_series"] == "1"


@pytest.mark.acceptance("CL9")
def test_what_is_true_no_longer_is_an_issue_for_an_import_empties_nothing(
    source: DataSource, project: Project
) -> None:
    item = only_item(source)
    step = scan(item)
    write(source)
    performing.unlink(step, item, actor="alice")
    write(source)

    assert {kind for _, kind, *_ in open_issues(source)} == {"OUTDATED"}
    assert row(project)["scan_status"] == "2"
    cleared = {name: "" for name, *_ in RULES}
    project.save("P-001", instrument="mri", instance=1, **cleared)
    write(source)
    assert (open_issues(source), states(source)) == ([], ["DONE"])


@pytest.mark.acceptance("CL10")
@pytest.mark.parametrize("how", ["person", "other server", "close", "link"])
def test_whoever_changes_an_outcome_it_is_written(source: DataSource, project: Project, how: str) -> None:
    item = only_item(source)
    if how == "person":
        lifecycle.move(item, to=Status.IN_PROGRESS, actor="alice")
        lifecycle.move(item, to=Status.COMPLETED, actor="alice")
    elif how == "other server":
        lifecycle.follow_another_server(item, to=Status.COMPLETED, actor="original", reason="it said so")
    elif how == "close":
        begin(item)
        performing.close(PerformedStep.objects.get(), to=PerformedStatus.COMPLETED, actor="alice", reason="")
    else:
        participant(project, "P-002", "Roe")
        pull(source)
        step = scan(items(source)["P-002"])
        performing.link(step, item, actor="alice")
    write(source)

    assert row(project)["scan_status"] == "2"


@pytest.mark.acceptance("CL11")
def test_a_change_meanwhile_keeps_the_outcome_due(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = only_item(source)
    scan(item)
    noted = sending._note

    def note(written: OutcomeWrite, values: Any) -> None:
        noted(written, values)
        scan(item, 1)

    with monkeypatch.context() as patched:
        patched.setattr(sending, "_note", note)
        write(source)
    assert (states(source), row(project)["scan_series"]) == (["WAITING"], "2")
    write(source)
    assert (states(source), row(project)["scan_series"]) == (["DONE"], "3")


@pytest.mark.acceptance("CL12")
def test_missing_data_codes_are_a_persons_value(redcap: RedcapServer, project: Project) -> None:
    project.missing_codes = "UNK, Unknown"
    source = writing_source(redcap)
    participant(project, "P-001")
    project.save("P-001", instrument="mri", instance=1, scan_operator="UNK")
    pull(source)
    scan(only_item(source))
    write(source)

    assert row(project)["scan_operator"] == "UNK"
    assert open_issues(source) == [("scan_operator", "DIFFERS", "UNK", "Tech, Anna")]


@pytest.mark.acceptance("CL12")
def test_a_form_that_was_never_finished_is_marked_as_complete(redcap: RedcapServer, project: Project) -> None:
    source = writing_source(redcap)
    set_write_rules(source, [("mri_complete", ScanFact.STATUS, "COMPLETED=2")])
    participant(project, "P-001")
    pull(source)
    scan(only_item(source))
    write(source)

    held = next(values for key, values in project.rows("P-001") if key.instance)
    assert held["mri_complete"] == "2"


@pytest.mark.acceptance("CL13")
def test_a_mapping_that_does_not_fit_any_more_holds_all(source: DataSource, project: Project) -> None:
    scan(only_item(source))
    project.remove_field("scan_operator")
    write(source)

    assert row(project) == {}
    assert "scan_operator" in WriteState.objects.get().message


@pytest.mark.acceptance("CL14")
def test_pycap_reads_what_was_written(source: DataSource, redcap: RedcapServer) -> None:
    from redcap.project import Project as PyCap
    from redcap.request import _session

    item = only_item(source)
    scan(item)
    write(source)
    exported: Any = PyCap(redcap.url, TOKEN).export_records(records=["P-001"])
    _session.close()

    [told] = [each for each in exported if each["redcap_repeat_instance"] == 1]
    assert {name: told[name] for name in whole(item)} == whole(item)


@pytest.mark.acceptance("CL11")
def test_one_worker_writes_at_a_time_and_a_dead_ones_claim_ends(source: DataSource, project: Project) -> None:
    scan(only_item(source))
    assert state.claim(source.pk)
    assert sending.write_due(source.pk) == 0
    assert row(project) == {}

    WriteState.objects.update(claimed_at=timezone.now() - state.LEASE * 2)
    assert sending.write_due(source.pk) == 1
    assert row(project)["scan_status"] == "2"
    assert WriteState.objects.get().claim == ""


@pytest.mark.acceptance("CL8")
def test_an_item_that_is_nobodys_is_never_written(source: DataSource, project: Project) -> None:
    item = only_item(source)
    scan(item)
    WorklistItem.objects.filter(pk=item.pk).update(is_qa=True, data_source="")
    write(source)
    assert row(project) == {}
    assert not OutcomeWrite.objects.exists()


@pytest.mark.acceptance("CL206")
def test_what_is_filled_or_erased_while_others_are_sent_is_seen(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may be slow, and fifty sessions are read at once: a person types faster than that."""
    for record in ("P-002", "P-003"):
        participant(project, record)
    pull(source)
    by_record = dict(source.steps.values_list("record", "item"))
    for _record, pk in sorted(by_record.items()):
        scan(WorklistItem.objects.get(pk=pk))
    noted = sending._note

    def note(written: OutcomeWrite, values: Any) -> None:
        noted(written, values)
        if written.step.record == "P-001":
            project.save("P-002", instrument="mri", instance=1, scan_operator="Berta")
            WorklistItem.objects.filter(pk=by_record["P-003"]).update(erased_at=timezone.now())

    monkeypatch.setattr(sending, "_note", note)
    monkeypatch.setattr(sending, "READ_AGAIN_AFTER", 0.0)
    write(source)

    assert row(project, "P-001")["scan_operator"] == "Tech, Anna"
    assert row(project, "P-002")["scan_operator"] == "Berta"
    assert row(project, "P-003") == {}
    assert open_issues(source) == [("scan_operator", "DIFFERS", "Berta", "Tech, Anna")]
    assert not project.overwritten


@pytest.mark.acceptance("CL208")
def test_pulls_come_between_thousands_of_outcomes(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for record in ("P-002", "P-003"):
        participant(project, record)
    pull(source)
    for item in items(source).values():
        scan(item)
    state.try_now(source.pk)
    monkeypatch.setattr(sending, "SECONDS", 0.0)
    monkeypatch.setattr(sending, "READ_AGAIN_AFTER", 0.0)
    tasks.pull_soon(source.pk)

    assert tasks.write_back(source.pk) == 1

    assert [function for function, _ in queued()] == [
        "sources.tasks.pull_pending",
        "sources.tasks.write_back",
    ]
    assert sorted(states(source)) == ["DONE", "WAITING", "WAITING"]
    assert work_off()[-2:] == [1, 1]
    assert (states(source), queued()) == (["DONE"] * 3, [])
