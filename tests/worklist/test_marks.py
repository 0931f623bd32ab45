"""A person marks what was performed, or who did not come, where no scanner reports it; a report counts more.

Not here: the keys and clicks in a browser (test_marks_browser.py), the archive's evidence (tests/archives).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.admin_pages import said, undo_token
from tests.api_client import client_of
from tests.worklist import reported
from tests.worklist.item_pages import LIST, act
from tests.worklist.performed_steps import (
    WRONG_ENTRY,
    begun,
    completed,
    discontinued,
    new_uid,
    scheduled_step,
)
from worklist.admin.moves import as_shown
from worklist.attention import points
from worklist.devices.silent import Silence
from worklist.examinations import candidates, performing
from worklist.items import intake, lifecycle, moves
from worklist.models import (
    Attention,
    AttentionKind,
    Device,
    Evidence,
    PerformedBy,
    PerformedStatus,
    Status,
    WorklistItem,
)

pytestmark = pytest.mark.django_db

UNDO = reverse("admin:worklist_undo")
TODAY = timezone.localdate


def an_item(**values: Any) -> WorklistItem:
    least = {"scheduled_start_date": TODAY(), "scheduled_station_aetitle": "US1", "modality": "US"}
    return reported.an_item(**{**least, **values})


def silent(ae_title: str = "US1", **values: Any) -> Device:
    device: Device = Device.objects.create(ae_title=ae_title, sends_mpps=False, **values)
    return device


def mark(item: WorklistItem, *, actor: str = "bob") -> moves.MadeChange:
    return moves.mark_performed(item, actor=actor, confirmed=True)


def state_of(item: WorklistItem) -> tuple[str, str]:
    item.refresh_from_db()
    return item.performed_procedure_step_status, item.performed_by_evidence


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def press(client: Client, item: WorklistItem, what: str, **sent: Any) -> Any:
    return client.post(reverse("admin:worklist_booking", args=[item.pk]), {"do": what, **sent}, follow=True)


# Marks and what they may do


@pytest.mark.acceptance("CL91")
@pytest.mark.parametrize("status", Status)
def test_what_is_open_may_be_marked_and_nothing_else(status: Status) -> None:
    item = an_item(performed_procedure_step_status=status)
    if status in (Status.SCHEDULED, Status.IN_PROGRESS, Status.DISCONTINUED):
        mark(item)
        assert state_of(item) == (Status.COMPLETED, PerformedBy.PERSON)
        record = item.history.first()
        assert (record.history_user, record.history_change_reason) == ("bob", "Marked as performed")
    else:
        with pytest.raises(lifecycle.StatusRefused, match=f"“{status.label}” is not marked as performed"):
            mark(item)
        assert state_of(item) == (status, "")


@pytest.mark.acceptance("CL91")
def test_what_a_scanner_reports_as_running_is_not_marked() -> None:
    item = an_item()
    reported.reported(begun(item))
    with pytest.raises(lifecycle.StatusRefused, match="close its performed step first"):
        mark(item)


@pytest.mark.acceptance("CL91")
def test_what_is_still_to_come_is_not_marked() -> None:
    item = an_item(scheduled_start_date=TODAY() + timedelta(days=1))
    with pytest.raises(lifecycle.StatusRefused, match="still to come"):
        mark(item)


@pytest.mark.acceptance("CL92")
@pytest.mark.parametrize("before", [Status.SCHEDULED, Status.IN_PROGRESS, Status.DISCONTINUED])
def test_a_mark_is_taken_back_to_what_was_before(coordinator: Client, before: Status) -> None:
    silent()
    item = an_item(performed_procedure_step_status=before)
    done = press(coordinator, item, "performed")
    assert said(done)[0] == "John Doe was marked as performed."
    assert state_of(item) == (Status.COMPLETED, PerformedBy.PERSON)

    undone = coordinator.post(UNDO, {"token": undo_token(done)}, follow=True)

    assert said(undone) == ["Undone for John Doe."]
    assert state_of(item) == (before, "")
    assert item.history.first().history_change_reason == "Undone"


@pytest.mark.acceptance("CL92")
@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(
            lambda item: intake.change(item, {"protocol_name": "Heart"}, actor="alice"), id="edited"
        ),
        pytest.param(lambda item: reported.reported(begun(item)), id="reported"),
        pytest.param(
            lambda item: reported.updated(reported.reported(begun(item)), completed()), id="reported whole"
        ),
    ],
)
def test_nothing_is_taken_back_where_something_has_happened_since(
    coordinator: Client, happens: Callable[[WorklistItem], Any]
) -> None:
    silent()
    item = an_item()
    done = press(coordinator, item, "performed")
    happens(item)
    before = state_of(item)

    undone = coordinator.post(UNDO, {"token": undo_token(done)}, follow=True)

    assert said(undone) == ["Nothing was undone: John Doe was changed by somebody meanwhile."]
    assert state_of(item) == before


@pytest.mark.acceptance("CL92")
@pytest.mark.parametrize("evidence", ["", PerformedBy.MPPS])
def test_completed_leads_nowhere_for_what_was_not_marked(evidence: str) -> None:
    item = an_item(performed_procedure_step_status=Status.COMPLETED)
    WorklistItem.objects.filter(pk=item.pk).update(performed_by_evidence=evidence)
    item.refresh_from_db()
    with pytest.raises(lifecycle.StatusRefused, match="Only what a person or an archive marked"):
        lifecycle.take_back_mark(item, to=Status.SCHEDULED, actor="bob", reason="")
    for to in Status:
        with pytest.raises(lifecycle.StatusRefused):
            lifecycle.move(item, to=to, actor="bob")


def test_an_overdue_item_whose_mark_is_taken_back_is_a_point_again() -> None:
    item = an_item(scheduled_start_date=TODAY() - timedelta(days=1))
    points.sweep()
    change = mark(item)
    assert not Attention.objects.open().exists()
    moves.undo([(item.pk, change.before, change.after)], actor="bob")
    points.sweep()
    (point,) = Attention.objects.open()
    assert point.kind == AttentionKind.NOT_PERFORMED


# Where a scanner would have reported it


SILENCE = [
    pytest.param({"US1": False}, "US1", True, id="its scanner is silent"),
    pytest.param({"US1": True}, "US1", False, id="its scanner reports"),
    pytest.param({"US1": False}, "US9", False, id="its scanner is unknown"),
    pytest.param({"US1": False, "*": False}, "US9", True, id="any scanner is silent"),
    pytest.param({"US1": False, "*": True}, "US1", True, id="its own row counts, not that of any"),
    pytest.param({"US1": False, "US2": False}, "US1\\US2", True, id="both are silent"),
    pytest.param({"US1": False, "US2": True}, "US1\\US2", False, id="one of two reports"),
    pytest.param({"US1": False}, "US1\\US9", False, id="one of two is unknown"),
    pytest.param({"US1": False, "US2": False}, "", True, id="without a station, all are silent"),
    pytest.param({"US1": False, "US2": True}, "", False, id="without a station, one reports"),
    pytest.param({"US1": False, "MR1 MR": True}, "", True, id="without a station, one of another modality"),
    pytest.param({"US1": False, "US2 off": True}, "", True, id="without a station, one is not enabled"),
    pytest.param({"MR1 MR": False}, "", False, id="without a station, none may perform it"),
    pytest.param({}, "US1", False, id="there are no scanners"),
]


@pytest.mark.acceptance("CL93")
@pytest.mark.parametrize(("devices", "station", "expected"), SILENCE)
def test_an_item_is_silent_where_all_that_may_perform_it_are(
    devices: dict[str, bool], station: str, *, expected: bool
) -> None:
    rows = [
        Device(
            ae_title=title.split()[0],
            sends_mpps=sends,
            enabled=not title.endswith("off"),
            modality="MR" if title.endswith("MR") else "",
        )
        for title, sends in devices.items()
    ]
    assert Silence(rows).is_of(station, "US") is expected


@pytest.mark.acceptance("CL93")
def test_a_scanner_goes_by_its_own_stations() -> None:
    device = Device(ae_title="ULTRA", station_ae_titles="US1\\US2", sends_mpps=False)
    assert Silence([device]).is_of("US2", "US")
    assert not Silence([device]).is_of("ULTRA", "US")


@pytest.mark.acceptance("CL94")
def test_a_mark_where_the_scanner_reports_is_asked_for_in_words_first(coordinator: Client) -> None:
    Device.objects.create(ae_title="US1")
    item = an_item()

    asked = press(coordinator, item, "performed", next="/admin/")

    page = asked.content.decode()
    assert "US1 reports by itself what it performs (MPPS), and has not reported this." in page
    assert "Was John Doe examined, today?" in page
    assert state_of(item) == (Status.SCHEDULED, "")
    done = press(coordinator, item, "performed", confirmed="1", next="/admin/")
    assert said(done)[0] == "John Doe was marked as performed."
    assert state_of(item) == (Status.COMPLETED, PerformedBy.PERSON)


@pytest.mark.acceptance("CL94")
def test_a_scanner_that_is_not_known_is_asked_about_too(coordinator: Client) -> None:
    page = press(coordinator, an_item(), "performed").content.decode()
    assert "It is not known which scanner performs this" in page


# From the list, and from an item's page


@pytest.mark.acceptance("CL95")
def test_several_are_marked_from_the_list_at_once_and_taken_back(coordinator: Client) -> None:
    silent()
    names = ("Doe^John", "Poe^Mary", "Roe^Jane")
    items = [an_item(patient_id=name, patient_name=name) for name in names]
    done = act(coordinator, "mark_performed", items)
    assert said(done) == ["John Doe, Mary Poe and Jane Roe were marked as performed."]
    assert {state_of(item) for item in items} == {(Status.COMPLETED, PerformedBy.PERSON)}
    coordinator.post(UNDO, {"token": undo_token(done)}, follow=True)
    assert {state_of(item) for item in items} == {(Status.SCHEDULED, "")}

    done = act(coordinator, "did_not_come", items)
    assert said(done) == ["John Doe, Mary Poe and Jane Roe did not come: the appointments were cancelled."]
    coordinator.post(UNDO, {"token": undo_token(done)})
    assert {state_of(item) for item in items} == {(Status.SCHEDULED, "")}


@pytest.mark.acceptance("CL94", "CL95")
def test_several_of_which_one_would_be_reported_are_asked_about(coordinator: Client) -> None:
    silent()
    items = [an_item(), an_item(patient_id="P2", scheduled_station_aetitle="US2")]
    asked = act(coordinator, "mark_performed", items)
    assert "Were these examined?" in asked.content.decode()
    assert {state_of(item) for item in items} == {(Status.SCHEDULED, "")}
    done = act(coordinator, "mark_performed", items, confirmed="1", reason="Seen on the PACS")
    assert said(done) == ["John Doe and John Doe were marked as performed."]
    assert items[1].history.first().history_change_reason == "Seen on the PACS"


@pytest.mark.acceptance("CL95")
def test_a_row_of_the_list_is_marked_by_one_press_unless_it_is_another_by_then(coordinator: Client) -> None:
    silent()
    item = an_item()
    page = coordinator.get(reverse(LIST)).content.decode()
    value = f"performed:{as_shown(item)}"
    assert f'value="{value}"' in page
    assert f'value="did-not-come:{as_shown(item)}"' in page

    intake.change(item, {"patient_id": "P9"}, actor="alice")
    refused = press(coordinator, item, value)
    assert said(refused) == [f"John Doe was left as it is: {intake.MOVED}"]
    assert state_of(item) == (Status.SCHEDULED, "")

    item.refresh_from_db()
    press(coordinator, item, f"performed:{as_shown(item)}")
    assert state_of(item) == (Status.COMPLETED, PerformedBy.PERSON)


def test_whoever_may_only_look_is_offered_no_marks(client: Client, bob: User) -> None:
    bob.role = "read"
    bob.save()
    client.force_login(bob)
    silent()
    item = an_item()
    page = client.get(reverse(LIST)).content.decode()
    assert "did-not-come" not in page
    assert client.get(reverse("admin:worklist_performed", args=[item.pk])).status_code == 403


@pytest.mark.acceptance("CL95")
@pytest.mark.parametrize(
    ("status", "offered"),
    [
        (Status.SCHEDULED, {"mark_performed", "did_not_come"}),
        (Status.IN_PROGRESS, {"mark_performed"}),
        (Status.DISCONTINUED, {"mark_performed", "did_not_come"}),
        (Status.COMPLETED, set()),
        (Status.CANCELLED, set()),
    ],
)
def test_an_items_page_offers_the_marks_that_its_status_allows(
    coordinator: Client, status: Status, offered: set[str]
) -> None:
    item = an_item(performed_procedure_step_status=status)
    page = coordinator.get(reverse("admin:worklist_worklistitem_change", args=[item.pk])).content.decode()
    marks = {name for name in ("mark_performed", "did_not_come") if f'value="{name}"' in page}
    assert marks == offered


# By REST


@pytest.mark.acceptance("CL96")
def test_a_client_marks_and_takes_back(bob: User) -> None:
    silent()
    item = an_item()
    client = client_of(bob)
    marked = client.post(f"/worklist/{item.pk}/performed", {"reason": "Seen"})
    assert marked.status_code == 200
    told = marked.json()
    assert (told["performed_procedure_step_status"], told["performed_by_evidence"]) == ("COMPLETED", "PERSON")
    record = item.history.first()
    assert (record.history_user, record.history_change_reason) == ("bob", "Seen")
    assert client.post(f"/worklist/{item.pk}/performed").status_code == 409
    back = client.delete(f"/worklist/{item.pk}/performed")
    assert (back.status_code, back.json()["performed_procedure_step_status"]) == (200, "SCHEDULED")
    again = client.delete(f"/worklist/{item.pk}/performed")
    assert again.status_code == 409

    gone = client.post(f"/worklist/{item.pk}/did-not-come")
    assert gone.json()["performed_procedure_step_status"] == "CANCELLED"
    assert item.history.first().history_change_reason == "Did not come"


@pytest.mark.acceptance("CL94", "CL96")
def test_a_client_confirms_a_mark_where_the_scanner_reports(bob: User) -> None:
    Device.objects.create(ae_title="US1")
    item = an_item()
    client = client_of(bob)
    asked = client.post(f"/worklist/{item.pk}/performed")
    assert asked.status_code == 409
    assert "US1 reports by itself" in asked.json()["detail"]
    assert client.post(f"/worklist/{item.pk}/performed", {"confirmed": True}).status_code == 200


@pytest.mark.acceptance("CL96")
def test_a_client_that_saw_another_item_is_refused(bob: User) -> None:
    silent()
    item = an_item()
    client = client_of(bob)
    tag = client.get(f"/worklist/{item.pk}")["ETag"]
    intake.change(item, {"patient_weight_kg": "70"}, actor="alice")
    for path in ("performed", "did-not-come"):
        assert client.post(f"/worklist/{item.pk}/{path}", headers={"If-Match": tag}).status_code == 412
    tag = client.get(f"/worklist/{item.pk}")["ETag"]
    assert client.post(f"/worklist/{item.pk}/performed", headers={"If-Match": tag}).status_code == 200
    assert client.post("/worklist/999999/performed").status_code == 404


@pytest.mark.acceptance("CL92", "CL96")
def test_anothers_mark_is_taken_back_by_who_may_correct_alone(bob: User, alice: User) -> None:
    silent()
    item = an_item()
    mark(item, actor="carol")
    assert client_of(bob).delete(f"/worklist/{item.pk}/performed").status_code == 409
    assert client_of(alice).delete(f"/worklist/{item.pk}/performed").status_code == 200
    assert state_of(item) == (Status.SCHEDULED, "")


@pytest.mark.acceptance("CL97")
def test_by_what_evidence_an_item_was_completed_is_told(bob: User) -> None:
    by_report, by_person, not_known = an_item(), an_item(patient_id="P2"), an_item(patient_id="P3")
    reported.updated(reported.reported(begun(by_report)), completed())
    mark(by_person)
    client = client_of(bob)
    told = (client.get(f"/worklist/{item.pk}").json() for item in (by_report, by_person, not_known))
    assert {row["id"]: row["performed_by_evidence"] for row in told} == {
        by_report.pk: "MPPS",
        by_person.pk: "PERSON",
        not_known.pk: "",
    }


# A report that comes all the same


@pytest.mark.acceptance("CL98")
@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (None, (Status.IN_PROGRESS, "")),
        (completed(), (Status.COMPLETED, PerformedBy.MPPS)),
        (discontinued(), (Status.DISCONTINUED, "")),
        (discontinued(reason=WRONG_ENTRY), (Status.SCHEDULED, "")),
    ],
    ids=["begun", "completed", "discontinued", "wrong entry"],
)
def test_a_report_after_a_mark_counts_more_and_history_tells_both(
    ends: Any, expected: tuple[str, str]
) -> None:
    item = an_item()
    mark(item)
    step = reported.reported(begun(item))
    if ends is not None:
        reported.updated(step, ends)
    assert state_of(item) == expected
    told = list(item.history.order_by("history_id").values_list("history_user_id", "performed_by_evidence"))
    assert ("bob", PerformedBy.PERSON) in told
    assert told[-1] == ("device:MR1", expected[1])


@pytest.mark.acceptance("CL98")
def test_a_report_before_a_mark_leaves_it_only_what_it_left_open() -> None:
    item = an_item()
    reported.updated(reported.reported(begun(item)), discontinued())
    mark(item)
    assert state_of(item) == (Status.COMPLETED, PerformedBy.PERSON)

    done = an_item(patient_id="P2")
    reported.updated(reported.reported(begun(done)), completed())
    with pytest.raises(lifecycle.StatusRefused):
        mark(done)
    assert state_of(done) == (Status.COMPLETED, PerformedBy.MPPS)


@pytest.mark.acceptance("CL98")
def test_who_did_not_come_and_is_examined_all_the_same_is_told_of() -> None:
    item = an_item()
    moves.give_status(item, Status.CANCELLED, actor="bob", reason=moves.NOT_COME)
    reported.reported(begun(item))
    assert state_of(item)[0] == Status.IN_PROGRESS
    assert Attention.objects.open().filter(kind=AttentionKind.CANCELLED, item=item).exists()


@pytest.mark.acceptance("CL99")
@pytest.mark.parametrize(
    "named",
    [
        pytest.param({"ScheduledProcedureStepID": ""}, id="study and procedure"),
        pytest.param({"ScheduledProcedureStepID": "", "RequestedProcedureID": ""}, id="study"),
    ],
)
def test_a_marked_item_is_still_linked_by_its_study(named: dict[str, str]) -> None:
    item = an_item()
    mark(item)
    sequence = [scheduled_step(item, AccessionNumber="", **named)]
    step = reported.reported(begun(item, ScheduledStepAttributesSequence=sequence))
    assert list(step.links.values_list("item", flat=True)) == [item.pk]
    assert not Attention.objects.open().filter(kind=AttentionKind.UNSCHEDULED).exists()


@pytest.mark.acceptance("CL99")
def test_a_marked_item_and_an_open_one_of_one_study_are_for_a_person_to_tell_apart() -> None:
    item = an_item()
    other = an_item(study_instance_uid=item.study_instance_uid)
    mark(item)
    nothing = dict.fromkeys(("ScheduledProcedureStepID", "RequestedProcedureID", "AccessionNumber"), "")
    step = reported.reported(begun(item, ScheduledStepAttributesSequence=[scheduled_step(item, **nothing)]))
    assert not step.links.exists()
    assert {each.item.pk for each in candidates.best(step)} >= {item.pk, other.pk}


@pytest.mark.acceptance("CL98", "CL99")
@pytest.mark.parametrize("ends", [completed(), discontinued()], ids=["completed", "discontinued"])
def test_a_wrong_link_that_is_taken_back_leaves_the_mark(ends: Any) -> None:
    item = an_item()
    mark(item)
    step = reported.updated(reported.unscheduled(an_item(patient_id="P2")), ends)
    performing.link(step, item, actor="alice")
    assert state_of(item)[1] != PerformedBy.PERSON
    performing.unlink(step, item, actor="alice")
    assert state_of(item) == (Status.COMPLETED, PerformedBy.PERSON)


@pytest.mark.acceptance("CL98")
def test_a_mark_between_two_reports_outlives_the_first_link() -> None:
    item = an_item()
    first = reported.updated(reported.reported(begun(item)), discontinued())
    mark(item)
    second = reported.reported(begun(item))
    performing.unlink(first, item, actor="alice")
    assert state_of(item) == (Status.IN_PROGRESS, "")
    performing.unlink(second, item, actor="alice")
    assert state_of(item) == (Status.COMPLETED, PerformedBy.PERSON)


def test_a_step_that_a_person_closes_completes_by_report() -> None:
    item = an_item()
    step = reported.reported(begun(item))
    performing.close(step, to=PerformedStatus.COMPLETED, actor="alice", reason="It was switched off.")
    assert state_of(item) == (Status.COMPLETED, PerformedBy.MPPS)
    assert step.links.get().evidence == Evidence.STEP
    assert step.sop_instance_uid != new_uid()
