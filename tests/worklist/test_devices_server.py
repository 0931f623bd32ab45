"""The running server offers each device its own, in its own way, and records what it did."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pydicom import Dataset

from tests import scu
from tests.conftest import dcmtk, wait_until
from tests.scu import keys
from tests.worklist.conftest import RunningServer, StartServer, make_item
from tests.worklist.performed_steps import begun, without
from worklist.answering import requests
from worklist.models import Device, DeviceActivity, PerformedStep

Query = Callable[..., list[tuple[int, Any]]]
Recorded = Callable[..., list[DeviceActivity]]
Kind = DeviceActivity.Kind
CALLING, CALLED = (1, 1, 3), (1, 1, 7)


def device(ae_title: str = "MR1", **rules: Any) -> Device:
    made = Device(ae_title=ae_title, **rules)
    made.full_clean()
    made.save_as("test")
    return made


@pytest.fixture(scope="module")
def _recording_server(start_recording_server: StartServer) -> RunningServer:
    return start_recording_server()


@pytest.fixture
def server(transactional_db: None, _recording_server: RunningServer) -> RunningServer:
    """Serve in place of the one that other modules share, which records nothing."""
    return _recording_server


@pytest.fixture
def recorded(transactional_db: None) -> Recorded:
    """Return `recorded(kind)`, which gives the rows of this test once so many are written, after the answer.

    The server that tests share may still be writing what it did in the one before.
    """
    started = timezone.now()

    def rows(kind: DeviceActivity.Kind, *, count: int = 1) -> list[DeviceActivity]:
        found = DeviceActivity.objects.filter(kind=kind, at__gte=started).order_by("at", "pk")
        wait_until(lambda: found.count() >= count)
        return list(found)

    return rows


def ids(responses: list[tuple[int, Any]]) -> list[str]:
    return [answer.PatientID for _, answer in responses if answer is not None]


def station(*, asked: str | None) -> Dataset:
    identifier = keys(PatientID="")
    if asked is not None:
        step = Dataset()
        step.ScheduledStationAETitle = asked
        identifier.ScheduledProcedureStepSequence = [step]
    return identifier


@pytest.fixture
def stations(transactional_db: None) -> None:
    """Make items for MR1, for CT1, for both, and for no station."""
    for number, titles in enumerate(["MR1", "CT1", "CT1\\MR1", ""], start=1):
        make_item(number, scheduled_station_aetitle=titles).save_as("test")


OWN, OWN_OR_ANY = ["P1", "P3"], ["P1", "P3", "P4"]


@pytest.mark.acceptance("D85")
@pytest.mark.parametrize(
    ("rule", "asked", "found"),
    [
        *(("OWN", asked, OWN) for asked in (None, "", "*", "MR1", "MR?", "MR1\\CT1")),
        ("OWN", "CT1", []),
        *(("OWN_OR_ANY", asked, OWN_OR_ANY) for asked in (None, "", "*", "MR1", "M*")),
        ("OWN_OR_ANY", "CT1", []),
        ("AS_ASKED", "", ["P1", "P2", "P3", "P4"]),
        ("AS_ASKED", "MR1", OWN),
        ("AS_ASKED", "CT1", ["P2", "P3"]),
    ],
)
def test_a_forced_station_filter_shows_no_other_scanners_items(
    query: Query, stations: None, rule: str, asked: str | None, found: list[str]
) -> None:
    device(station_filter=rule)
    assert ids(query(station(asked=asked))) == found


def test_an_item_for_any_station_is_answered_with_that_of_the_device(query: Query, stations: None) -> None:
    device(station_ae_titles="ROOM2\\MR1", station_filter="OWN_OR_ANY", station_name="Room 2")
    identifier = station(asked="")
    identifier.ScheduledProcedureStepSequence[0].ScheduledStationName = ""
    answers = [answer for _, answer in query(identifier) if answer is not None]
    steps = {each.PatientID: each.ScheduledProcedureStepSequence[0] for each in answers}
    assert (steps["P4"].ScheduledStationAETitle, steps["P4"].ScheduledStationName) == ("ROOM2", "Room 2")
    assert steps["P1"].ScheduledStationAETitle == "MR1"


@pytest.mark.acceptance("D62", "D64")
def test_each_device_gets_a_name_in_its_own_character_set(
    server: RunningServer, query: Query, items: Callable[..., list[Any]]
) -> None:
    items(1, patient_name="MÜLLER^JÖRG")
    items_of_another_script = make_item(2, patient_name="王^小明")
    items_of_another_script.save_as("test")
    device("LATIN", specific_character_set="ISO_IR 100")
    device("PLAIN", specific_character_set="ISO_IR 6", misfit="plain")
    device("CHINA", specific_character_set="GB18030")
    device("UTF", specific_character_set="ISO_IR 192")
    names = {
        title: [
            (answer.get("SpecificCharacterSet"), str(answer.PatientName))
            for _, answer in query(keys(PatientName="", PatientID=""), calling=title)
            if answer is not None
        ]
        for title in ("LATIN", "PLAIN", "CHINA", "UTF")
    }
    assert names == {
        "LATIN": [("ISO_IR 100", "MÜLLER^JÖRG"), ("ISO_IR 192", "王^小明")],
        "PLAIN": [(None, "MULLER^JORG"), ("ISO_IR 192", "王^小明")],
        "CHINA": [("GB18030", "MÜLLER^JÖRG"), ("GB18030", "王^小明")],
        "UTF": [("ISO_IR 192", "MÜLLER^JÖRG"), ("ISO_IR 192", "王^小明")],
    }
    server.wait_for_log(rf"Item {items_of_another_script.pk} does not fit .* sent in ISO_IR 192")
    assert "MÜLLER" not in server.log


@pytest.mark.acceptance("D75")
def test_a_device_has_its_own_maximum(query: Query, items: Callable[..., list[Any]]) -> None:
    items(5)
    device("FEW", maximum_answers=3)
    device("NONE", maximum_answers=3, over_maximum="refuse")
    device("ALL")
    statuses = {
        title: [status for status, _ in query(keys(PatientID=""), calling=title)]
        for title in ("FEW", "NONE", "ALL")
    }
    assert statuses == {"FEW": [0xFF00] * 3 + [0], "NONE": [0xA700], "ALL": [0xFF00] * 5 + [0]}


def test_a_change_of_a_device_counts_within_an_open_association(
    query: Query, items: Callable[..., list[Any]], server: RunningServer
) -> None:
    items(2)
    mr1 = device()
    with server.raw() as user:
        user.associate()
        assert answers_of(user, keys(PatientID="")) == 2
        mr1.days_back = 0
        mr1.save_as("test")
        assert answers_of(user, keys(PatientID="")) == 0


def test_a_device_sees_only_the_days_it_is_offered(query: Query, transactional_db: None) -> None:
    today = timezone.localdate()
    for number, days in enumerate([-2, -1, 0, 1, 2], start=1):
        make_item(number, scheduled_start_date=today + timedelta(days=days)).save_as("test")
    device(days_back=1, days_ahead=0)
    assert ids(query(keys(PatientID=""))) == ["P2", "P3"]


def test_a_device_is_offered_only_its_statuses_whatever_it_asks(query: Query, transactional_db: None) -> None:
    for number, status in enumerate(["SCHEDULED", "IN_PROGRESS", "COMPLETED"], start=1):
        make_item(number, performed_procedure_step_status=status).save_as("test")
    device(offered_statuses=["SCHEDULED", "COMPLETED"])
    step = Dataset()
    step.ScheduledProcedureStepStatus = ["COMPLETED", "STARTED"]
    identifier = keys(PatientID="")
    assert ids(query(identifier)) == ["P1", "P3"]
    identifier.ScheduledProcedureStepSequence = [step]
    assert ids(query(identifier)) == ["P3"]


def test_an_item_with_a_longer_name_than_the_device_takes_is_left_out_and_recorded(
    query: Query, server: RunningServer, transactional_db: None, recorded: Recorded
) -> None:
    make_item(1, patient_name="A" * 40).save_as("test")
    make_item(2).save_as("test")
    device(longest_patient_name=32)
    assert ids(query(keys(PatientID=""))) == ["P2"]
    (found,) = recorded(Kind.QUERY)
    assert (found.matches, found.left_out) == (1, 1)
    assert "PatientName has 40 characters, and the device takes 32" in server.log


def test_a_row_that_was_written_past_the_form_answers_nothing_and_hurts_no_other_device(
    query: Query, server: RunningServer, items: Callable[..., list[Any]]
) -> None:
    items(2)
    device("BROKEN")
    Device.objects.update(time_zone="Nowhere/Land")
    device("MR1")
    assert [status for status, _ in query(keys(PatientID=""), calling="BROKEN")] == [0xC000]
    assert ids(query(keys(PatientID=""))) == ["P1", "P2"]


@pytest.mark.parametrize("strictness", ["strict", "lenient", ""])
def test_a_devices_strictness_judges_its_reports(
    perform: Callable[..., list[scu.Answer]], items: Callable[..., list[Any]], strictness: str
) -> None:
    device(mpps_strictness=strictness)
    (item,) = items(1)
    dataset = without(begun(item), "PerformedProcedureStepID")
    (answer,) = perform(scu.Message("N-CREATE", "1.2.3.4", dataset))
    assert answer.status == (0x0120 if strictness == "strict" else 0)
    assert PerformedStep.objects.count() == (0 if strictness == "strict" else 1)


@pytest.mark.acceptance("D83", "D84", "D86")
def test_dcmtk_is_refused_with_the_reason(
    server: RunningServer, transactional_db: None, recorded: Recorded
) -> None:
    device("MR1", called_ae_title="WORKLIST")
    device("BOUND", addresses="10.1.2.0/24")
    refusals = {
        ("MR1", "WORKLIST"): "",
        ("MR1", "OTHER"): "Called AE Title Not Recognized",
        ("MR9", "WORKLIST"): "Calling AE Title Not Recognized",
        ("BOUND", "WORKLIST"): "Calling AE Title Not Recognized",
    }
    for (calling, called), reason in refusals.items():
        for program in (["echoscu"], ["findscu", "-W", "-k", "PatientID"]):
            titles = ["-aet", calling, "-aec", called]
            done = subprocess.run(
                [dcmtk(program[0]), *program[1:], *titles, "127.0.0.1", str(server.port)],
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert (done.returncode == 0) is (not reason)
            assert reason in done.stdout + done.stderr
    refused = recorded(Kind.REFUSED, count=6)
    assert {(each.ae_title, each.called_ae_title) for each in refused} == {
        ("MR1", "OTHER"),
        ("MR9", "WORKLIST"),
        ("BOUND", "WORKLIST"),
    }
    assert {each.comment[-7:] for each in refused} == {"(1,1,7)", "(1,1,3)"}


@pytest.mark.acceptance("D149")
def test_a_query_is_recorded_as_it_came_with_its_answers_and_time(
    query: Query, items: Callable[..., list[Any]], recorded: Recorded
) -> None:
    items(3)
    identifier = keys(PatientName="DOE*", PatientID="")
    query(identifier, calling="MR7", called="ANYTHING")
    (found,) = recorded(Kind.QUERY)
    assert (found.ae_title, found.called_ae_title, found.address) == ("MR7", "ANYTHING", "127.0.0.1")
    assert (found.status, found.matches, found.left_out) == (0, 3, 0)
    assert found.milliseconds is not None
    assert 0 < found.milliseconds < 10_000
    assert requests.read(requests.recorded(found)) == identifier
    assert abs((timezone.now() - found.at).total_seconds()) < 60


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"])
def test_a_query_is_recorded_so_that_it_can_be_asked_again_in_any_transfer_syntax(
    query: Query, transactional_db: None, syntax: str, recorded: Recorded
) -> None:
    query(keys(PatientID="P1"), transfer_syntaxes=[syntax])
    (found,) = recorded(Kind.QUERY)
    assert requests.keys_with_values(requests.recorded(found)) == [("PatientID", "P1")]


def test_a_query_that_fails_is_recorded_with_its_status(
    query: Query, transactional_db: None, recorded: Recorded
) -> None:
    step = Dataset()
    step.add_new(0x00400002, "LO", "yesterday")
    identifier = keys(PatientID="")
    identifier.ScheduledProcedureStepSequence = [step]
    query(identifier)
    (found,) = recorded(Kind.QUERY)
    assert found.status == 0xA900
    assert found.comment


@pytest.mark.acceptance("D150")
def test_associations_echoes_and_reports_are_recorded(
    echo: Callable[..., Any],
    perform: Callable[..., list[scu.Answer]],
    items: Callable[..., list[Any]],
    recorded: Recorded,
) -> None:
    (item,) = items(1)
    device()
    echo()
    perform(*[scu.Message("N-CREATE", "1.2.3.4", begun(item))] * 2)
    (echoed,) = recorded(Kind.ECHO)
    assert echoed.status == 0
    reports = recorded(Kind.N_CREATE, count=2)
    assert [(each.sop_instance_uid, each.status) for each in reports] == [("1.2.3.4", 0), ("1.2.3.4", 0x0111)]
    associations = recorded(Kind.ASSOCIATION, count=2)
    assert [each.comment for each in associations] == ["released", "released"]


def answers_of(user: scu.RawUser, identifier: Dataset) -> int:
    user.find(identifier)
    number = 0
    while user.response().status == 0xFF00:
        number += 1
    return number
