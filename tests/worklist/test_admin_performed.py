"""The admin shows performed steps, and an item whose identity is frozen.

Not here: who may link, unlink and close (test_admin_attention.py).
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin_pages import errors_in, fields_of, queries_of, said, typed_name
from tests.worklist.item_pages import change_url
from tests.worklist.performed_steps import (
    EQUIPMENT_FAILURE,
    begun,
    code,
    completed,
    discontinued,
    new_uid,
    progress,
    scheduled_step,
    series,
    without,
)
from tests.worklist.reported import an_item, reported, unscheduled, updated
from worklist.admin import dataset
from worklist.examinations import performing
from worklist.items import intake
from worklist.models import Attention, AttentionKind, PerformedStatus, PerformedStep, Status, WorklistItem

pytestmark = pytest.mark.django_db

LIST = "admin:worklist_performedstep_changelist"
HOSTILE = "<script>alert(1)</script>^Eve"


@pytest.fixture
def coordinator(client: Client, bob: Any) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def administrator(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


def page(step: PerformedStep, action: str = "change") -> str:
    return reverse(f"admin:worklist_performedstep_{action}", args=[step.pk])


def shown(client: Client, url: str) -> str:
    return str(client.get(url).content.decode())


def steps_in(client: Client, query: str) -> set[PerformedStep]:
    return set(client.get(f"{reverse(LIST)}?{query}").context["cl"].result_list)


def action_post(step: PerformedStep, name: str) -> tuple[str, dict[str, Any]]:
    """Return where an action on the step is posted to, and the form that it takes."""
    linked = step.links.first()
    other = WorklistItem.objects.exclude(links__step=step).first()
    forms: dict[str, dict[str, Any]] = {
        "link": {"item": other.pk if other else ""},
        "unlink": {"item": linked.item_id if linked else "", "reason": "Another participant"},
        "close": {"to": "COMPLETED", "reason": "The console crashed"},
    }
    return page(step, name), forms[name]


@pytest.mark.parametrize("action", ["link", "unlink", "close"])
def test_an_action_is_posted_with_a_token_by_someone_signed_in(client: Client, bob: Any, action: str) -> None:
    step = reported(begun(an_item()))
    an_item(patient_id="P2")
    url, form = action_post(step, action)
    assert client.post(url, form)["Location"].startswith("/admin/login/")
    client.force_login(bob)
    assert client.get(url).status_code == 405
    forging = Client(enforce_csrf_checks=True)
    forging.force_login(bob)
    assert forging.post(url, form).status_code == 403
    step.refresh_from_db()
    assert (step.links.count(), step.status) == (1, PerformedStatus.IN_PROGRESS)


def test_nobody_edits_a_step_by_hand(administrator: Client) -> None:
    step = reported(begun(an_item()))
    assert administrator.post(page(step), {"patient_name": "Other"}).status_code == 200  # no search
    step.refresh_from_db()
    assert step.patient_name == "Doe^John"


def test_the_page_tells_what_the_scanner_reported_beside_what_the_worklist_says(coordinator: Client) -> None:
    item = an_item(patient_weight_kg="70", scheduled_station_aetitle="MR1", protocol_name="BRAIN")
    step = reported(begun(item, PatientID="P99", PatientWeight="80", PatientName="DOE^JOHN^^"))

    rows = coordinator.get(page(step)).context["links"][0].rows

    differing = {row.label: (row.ours, row.theirs) for row in rows if row.differs}
    assert differing == {"Patient ID": ("P1", "P99"), "Weight (kg)": ("70.00", "80")}
    assert {row.label: row.theirs for row in rows}["Sex"] == "M (male)"


def test_in_a_group_each_item_is_compared_with_its_own_ids(coordinator: Client) -> None:
    items = [an_item(), an_item()]
    unlike = {"StudyInstanceUID": new_uid(), "AccessionNumber": "OTHER", "RequestedProcedureID": "OTHER"}
    named = [scheduled_step(items[1], **unlike), scheduled_step(items[0])]
    step = reported(begun(*items, ScheduledStepAttributesSequence=named))
    performing.link(step, items[1], actor="bob")

    links = coordinator.get(page(step)).context["links"]

    differing = {each.link.item: {row.label for row in each.rows if row.differs} for each in links}
    assert differing[items[0]] == set()
    assert differing[items[1]] == {"Study Instance UID", "Accession number", "Requested procedure ID"}


def test_the_page_shows_series_reason_messages_and_the_whole_data_set(coordinator: Client) -> None:
    step = reported(without(begun(an_item()), "PerformedProcedureStepID"))
    updated(step, discontinued(series(images=3), reason=EQUIPMENT_FAILURE))

    text = shown(coordinator, page(step))

    for part in (
        "Equipment failure",
        "t1_mprage_1",
        "Tech, Anna",
        "<td>3</td>",
        "MR1 at 10.0.0.7",
        "(0040,0253)",  # the deviation
        "(0040,0340) SQ Performed Series Sequence: 1 item",
        "Series Instance UID: 1.3.12.2.1107.5.2.43.9.1",
        step.sop_instance_uid,
    ):
        assert part in text, part


def test_a_data_set_is_text_with_items_indented_and_long_sequences_cut_short() -> None:
    stored = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]},
        "00091001": {"vr": "UN", "InlineBinary": "AAEC"},
        "00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY"]},
        "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}] * 30},
        "00400280": {"vr": "ST"},
    }

    lines = dataset.as_text(stored).splitlines()

    assert lines[0] == "(0008,0008) CS Image Type: ORIGINAL \\ PRIMARY"
    assert lines[1:4] == [
        "(0008,1140) SQ Referenced Image Sequence: 30 items",
        "   Item 1",
        "      (0008,1155) UI Referenced SOP Instance UID: 1.2",
    ]
    assert lines[-4:] == [
        "   and 5 more",
        "(0009,1001) UN Unknown attribute: 3 bytes",
        "(0010,0010) PN Patient's Name: Yamada^Tarou=山田^太郎",
        "(0040,0280) ST Comments on the Performed Procedure Step: ",
    ]


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_the_pages_render_with_hostile_values(
    client: Client, request: pytest.FixtureRequest, name: str
) -> None:
    item = an_item(patient_name=HOSTILE, protocol_name="<b>P</b>")
    step = unscheduled(item, PatientName=HOSTILE, PatientID="<img src=x>")
    performing.link(step, item, actor="bob", reason=HOSTILE)
    updated(step, completed(series(SeriesDescription=HOSTILE, OperatorsName=HOSTILE)))
    client.force_login(request.getfixturevalue(name))

    for url in (reverse(LIST), page(step), page(step, "history"), change_url(item), reverse("admin:index")):
        answer = client.get(url)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "&lt;script&gt;alert(1)" in text, url
        for raw in ("<script>alert", "<img src=x", "<b>P"):
            assert raw not in text, url


def test_the_list_filters_and_finds(coordinator: Client) -> None:
    linked = reported(begun(an_item(patient_name="Linked^A", patient_id="L1")))
    alone = unscheduled(an_item(patient_name="Alone^B", patient_id="A1"), PerformedStationAETitle="MR2")
    done = updated(reported(begun(an_item(patient_name="Done^C", patient_id="D1"))), completed())
    item = linked.items.get()

    for query, found in {
        "": {linked, alone, done},
        "status__exact=COMPLETED": {done},
        "performed_station_ae_title=MR2": {alone},
        "linked=yes": {linked, done},
        "linked=no": {alone},
        "attention=yes": {alone},
        "start_date__year=2026&start_date__month=1": {linked, alone, done},
        "q=D1": {done},
        "q=Linked": {linked},
        f"q={item.accession_number}": {linked},
        f"q={alone.study_instance_uid}": {alone},
        f"q={done.sop_instance_uid}": {done},
    }.items():
        assert steps_in(coordinator, query) == found, query


@pytest.mark.slow
def test_the_cost_of_a_page_does_not_grow_with_the_rows(coordinator: Client) -> None:
    item = an_item()
    step = unscheduled(item)
    performing.link(step, item, actor="bob")

    def costs() -> list[int]:
        pages = (reverse(LIST), page(step), page(step, "history"), change_url(item), reverse("admin:index"))
        asked = [queries_of(partial(coordinator.get, url)) for url in pages]
        return [*asked, queries_of(lambda: coordinator.post(page(step), {"q": "Doe"}))]

    costs()  # what Django remembers of its models from now on
    few = costs()
    for _ in range(12):
        other = an_item()
        performing.link(step, other, actor="bob")
        performing.link(unscheduled(other), item, actor="bob")
        updated(step, progress(series(1), series(2)))

    assert costs() == few


def test_a_link_and_its_removal_are_in_the_history_with_who_and_why(coordinator: Client) -> None:
    item = an_item()
    step = unscheduled(item)
    coordinator.post(page(step, "link"), {"item": item.pk})
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.IN_PROGRESS

    done = coordinator.post(
        page(step, "unlink"), {"item": item.pk, "reason": "It was her sister"}, follow=True
    )

    assert said(done)[-1] == "No longer linked to John Doe, Saturday 10 January."
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.SCHEDULED
    text = shown(coordinator, page(step, "history"))
    for part in ("Linked to Doe, John", "Unlinked from Doe, John", "bob", "It was her sister", "device:MR1"):
        assert part in text
    assert "dataset" not in text.lower()


def test_the_history_shows_what_a_message_changed_but_not_the_raw_data_set(coordinator: Client) -> None:
    step = updated(reported(begun(an_item())), completed())

    text = shown(coordinator, page(step, "history"))

    assert "End time" in text
    assert "InlineBinary" not in text
    assert "Alphabetic" not in text


@pytest.mark.parametrize("to", [PerformedStatus.COMPLETED, PerformedStatus.DISCONTINUED])
def test_a_step_that_never_ended_is_closed_with_a_reason(coordinator: Client, to: PerformedStatus) -> None:
    item = an_item()
    step = reported(begun(item))

    done = coordinator.post(page(step, "close"), {"to": to, "reason": "The console crashed"}, follow=True)

    assert said(done) == [f"John Doe: closed as “{to.label}”."]
    step.refresh_from_db()
    item.refresh_from_db()
    assert step.status == item.performed_procedure_step_status == to
    newest = step.history.first()
    assert (newest.history_user, newest.history_change_reason) == ("bob", "The console crashed")
    assert "Close as" not in shown(coordinator, page(step))


@pytest.mark.parametrize(
    ("action", "form", "message"),
    [
        ("unlink", {"reason": "  "}, "Why: This field is required. Nothing was done."),
        ("close", {"to": "COMPLETED"}, "Why: This field is required. Nothing was done."),
        ("close", {"to": "IN_PROGRESS", "reason": "R"}, "Close as: Select a valid choice."),
        ("link", {}, "It is linked to this item already."),
    ],
)
def test_what_cannot_be_done_is_a_message(
    coordinator: Client, action: str, form: dict[str, str], message: str
) -> None:
    item = an_item()
    step = reported(begun(item))

    done = coordinator.post(page(step, action), {"item": item.pk, **form}, follow=True)

    assert message in " ".join(said(done))
    step.refresh_from_db()
    assert (step.links.count(), step.status) == (1, PerformedStatus.IN_PROGRESS)


def test_what_another_has_done_meanwhile_is_a_message(coordinator: Client) -> None:
    item = an_item()
    step = updated(reported(begun(item)), completed())
    performing.unlink(step, item, actor="alice", reason="Wrong")

    closing = coordinator.post(page(step, "close"), {"to": "COMPLETED", "reason": "R"}, follow=True)
    unlinking = coordinator.post(page(step, "unlink"), {"item": item.pk, "reason": "R"}, follow=True)

    assert said(closing) == ["It has ended already: completed."]
    assert said(unlinking) == ["It is not linked to this item."]


@pytest.mark.parametrize("action", ["change", "link", "unlink", "close"])
def test_a_step_that_is_not_there_is_not_found(coordinator: Client, action: str) -> None:
    url = reverse(f"admin:worklist_performedstep_{action}", args=[0])
    assert coordinator.post(url, {"item": an_item().pk}).status_code == 404


def test_the_worklist_is_searched_by_post_and_what_is_linked_is_not_found(coordinator: Client) -> None:
    linked = an_item(patient_name="Roe^Jane")
    other = an_item(patient_name="Roe^Richard", patient_sex="F", patient_id="P2")
    step = reported(begun(linked, PatientSex="M"))

    answer = coordinator.post(page(step), {"q": "Roe"})

    found = answer.context["found"]
    assert [choice.item for choice in found] == [other]
    assert set(found[0].differences) == {
        "Name: Roe, Richard in the worklist, Roe, Jane at the scanner.",
        "Patient ID: P2 in the worklist, P1 at the scanner.",
        "Sex: F in the worklist, M at the scanner.",
    }
    assert "Roe" not in answer.wsgi_request.get_full_path()
    assert "Nothing in the worklist matches" in shown_after(coordinator, step, "Nobody")


@pytest.mark.acceptance("CL220")
def test_whoever_took_a_phantoms_entry_for_a_participants_is_put_right_by_a_search(
    coordinator: Client,
) -> None:
    step = reported(begun(an_item(patient_name="Roe^Jane")))
    phantom = an_item(patient_name="Roe^Phantom", patient_id="QA1", is_qa=True)

    found = shown_after(coordinator, step, "Roe")
    assert "A participant was examined, by the patient ID, and the item is a phantom&#x27;s." in found
    coordinator.post(page(step, "link"), {"item": phantom.pk})
    assert [link.item for link in step.links.all()][-1] == phantom


def shown_after(client: Client, step: PerformedStep, sought: str) -> str:
    return str(client.post(page(step), {"q": sought}).content.decode())


def test_a_reader_cannot_search_for_what_they_cannot_link(client: Client, charlie: Any) -> None:
    item = an_item()
    step = unscheduled(item)
    client.force_login(charlie)

    answer = client.post(page(step), {"q": "Doe"})

    assert "found" not in answer.context
    assert "Which item was it?" not in answer.content.decode()


def test_a_frozen_identity_is_shown_and_not_asked_for_where_it_may_not_be_corrected(
    coordinator: Client,
) -> None:
    item = an_item()
    reported(begun(item))

    answer = coordinator.get(change_url(item))

    assert "Only an administrator may correct who was examined" in answer.content.decode()
    fields = set(answer.context["adminform"].form.fields)
    assert not fields & {"patient_name", "patient_id", "patient_weight_kg", "patient_weight_lb"}
    assert "protocol_name" in fields
    sent = {**fields_of(coordinator, change_url(item)), "protocol_name": "BRAIN"}
    done = coordinator.post(change_url(item), sent, follow=True)
    assert done.redirect_chain, errors_in(done)
    item.refresh_from_db()
    assert (item.protocol_name, item.patient_name) == ("BRAIN", "Doe^John")


def test_a_form_opened_before_the_examination_does_not_lose_an_edit_in_silence(coordinator: Client) -> None:
    item = an_item()
    sent = {
        **fields_of(coordinator, change_url(item)),
        **typed_name("patient_name", "Doe^Jane"),
    }
    reported(begun(item))

    answer = coordinator.post(change_url(item), sent)

    assert errors_in(answer) == {"patient_name": [str(intake.FROZEN)]}
    item.refresh_from_db()
    assert item.patient_name == "Doe^John"


def test_a_name_forged_into_the_form_is_refused(coordinator: Client) -> None:
    item = an_item()
    reported(begun(item))
    sent = {**fields_of(coordinator, change_url(item)), "patient_birth_date": "1980-03-01"}

    answer = coordinator.post(change_url(item), {**sent, "initial-patient_birth_date": "1980-02-29"})

    assert list(errors_in(answer)) == ["patient_birth_date"]
    item.refresh_from_db()
    assert item.patient_birth_date == date(1980, 2, 29)


def test_a_reason_alone_writes_nothing_and_one_with_a_change_is_kept(coordinator: Client) -> None:
    item = an_item()
    sent = {**fields_of(coordinator, change_url(item)), "reason": "She asked for it"}
    coordinator.post(change_url(item), sent)
    assert item.history.count() == 1
    coordinator.post(change_url(item), {**sent, "protocol_name": "BRAIN"})
    assert item.history.first().history_change_reason == "She asked for it"
    assert (
        "reason"
        not in coordinator.get(reverse("admin:worklist_worklistitem_add")).context["adminform"].fieldsets
    )


def test_an_item_that_was_performed_is_not_deleted_and_one_that_needs_attention_is(
    coordinator: Client,
) -> None:
    performed, overdue = an_item(), an_item(scheduled_start_date="20250101")
    reported(begun(performed))
    Attention.objects.create(kind=AttentionKind.NOT_PERFORMED, item=overdue, text="Nothing was performed.")
    for item in (performed, overdue):
        coordinator.post(reverse("admin:worklist_worklistitem_delete", args=[item.pk]), {"post": "yes"})
    assert set(WorklistItem.objects.all()) == {performed}


def test_the_protocol_codes_are_shown(coordinator: Client) -> None:
    step = reported(begun(an_item(), PerformedProtocolCodeSequence=[code("KNEE", "Knee, left", "SITE")]))
    assert "KNEE Knee, left" in shown(coordinator, page(step))
