"""An item's page says what its source has, and a field follows it again.

Not here: which fields count as edited (test_examined.py).
"""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from sources.admin.links import session_in_words
from sources.contract import SessionKey
from sources.models import DataSource, SyncedStep, SyncIssue
from tests.admin_pages import fields_of, queries_of, shown
from tests.redcap.project import Project
from tests.sources.conftest import only_item, pull
from tests.sources.examinations import examined
from tests.sources.study import PROJECT_ID, book, enrol, participant
from worklist.items import intake, lifecycle
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db

BUTTON = "Follow the source again"


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def item(source: DataSource, project: Project) -> WorklistItem:
    participant(project, "P-001")
    pull(source)
    return only_item(source)


def page_of(item: WorklistItem) -> str:
    return reverse("admin:worklist_worklistitem_change", args=[item.pk])


def panel(client: Client, item: WorklistItem) -> str:
    """Return its text, with one space for each tag or white space; "" without the panel."""
    found = re.search(
        r'<section [^>]*"from-source-heading".*?</section>', shown(client, page_of(item)), re.DOTALL
    )
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", found[0]).split())) if found else ""


def edit(item: WorklistItem, **values: Any) -> None:
    """Edit the item as a person."""
    intake.change(item, values, actor="bob", reason="As they said on the telephone.")


def follow(client: Client, *fields: str) -> list[str]:
    """Follow the source again, and return what is said of it."""
    url = reverse("admin:sources_syncedstep_follow", args=[SyncedStep.objects.get().pk])
    next_page = page_of(WorklistItem.objects.get())
    response = client.post(url, {"field": fields, "next": next_page}, follow=True)
    assert response.redirect_chain == [(next_page, 302)]
    return [str(message) for message in response.context["messages"]]


@pytest.mark.acceptance("RC89")
def test_an_item_shows_source_record_link_and_the_pull_that_changed_it_last(
    reader: Client, item: WorklistItem, source: DataSource
) -> None:
    run = source.runs.get()

    text = shown(reader, page_of(item))

    assert f'<a href="{reverse("admin:sources_datasource_change", args=[source.pk])}">study</a>' in text
    assert "Record P-001, mri, no. 1." in panel(reader, item)
    link = re.search(r'<a href="([^"]*)" target="_blank" rel="noreferrer">Open in REDCap', text)
    assert link is not None
    for part in (f"pid={PROJECT_ID}", "id=P-001", "instance=1", "page=mri"):
        assert part in html.unescape(link[1])
    assert f'<a href="{reverse("admin:sources_syncrun_change", args=[run.pk])}">pull of' in text
    assert BUTTON not in text


@pytest.mark.acceptance("RC89")
def test_the_history_tells_that_the_source_was_the_actor(reader: Client, item: WorklistItem) -> None:
    history = reverse("admin:worklist_worklistitem_history", args=[item.pk])

    assert "source:study" in shown(reader, history)


def test_an_item_that_no_source_made_shows_nothing(reader: Client, db: None) -> None:
    least = {
        "patient_name": "Doe^John",
        "patient_id": "P1",
        "modality": "MR",
        "scheduled_start_date": "20260110",
    }

    assert panel(reader, intake.create(least, actor="bob")) == ""


@pytest.mark.acceptance("RC68")
def test_an_edit_is_shown_beside_what_the_source_says_and_stays(
    coordinator: Client, item: WorklistItem, source: DataSource, project: Project
) -> None:
    edit(item, patient_weight_kg="71.5")
    book(project, "P-001", weight="80")
    pull(source)

    assert re.search(
        rf"Patient's Weight in kilograms 71.5 kg 80 kg by bob, [^<]+ {BUTTON}", panel(coordinator, item)
    )
    item.refresh_from_db()
    assert str(item.patient_weight_kg) == "71.50"


@pytest.mark.acceptance("RC68")
def test_a_field_follows_the_source_again_when_a_person_asks(coordinator: Client, item: WorklistItem) -> None:
    edit(item, patient_weight_kg="71.5", patient_name="Doe^Janet")

    assert follow(coordinator, "patient_weight_kg") == [
        "From the source again: Patient's Weight in kilograms."
    ]

    item.refresh_from_db()
    assert (str(item.patient_weight_kg), item.patient_name) == ("70.00", "Doe^Janet")
    assert item.history.latest().history_user == "bob"
    assert "Patient's Weight" not in panel(coordinator, item)


@pytest.mark.acceptance("RC68")
def test_all_fields_follow_the_source_again_at_once(coordinator: Client, item: WorklistItem) -> None:
    edit(item, patient_weight_kg="71.5", patient_name="Doe^Janet")
    text = shown(coordinator, page_of(item))
    assert "Follow the source again in all of them" in text
    fields = re.findall(r'<input type="hidden" name="field" value="(\w+)">', text)

    follow(coordinator, *fields)

    item.refresh_from_db()
    assert (str(item.patient_weight_kg), item.patient_name) == ("70.00", "Doe^Jane")
    assert BUTTON not in shown(coordinator, page_of(item))


def test_a_keyword_follows_the_source_again_under_its_own_name(
    coordinator: Client, item: WorklistItem, source: DataSource, project: Project
) -> None:
    book(project, "P-001", comment="Claustrophobic")
    pull(source)
    edit(item, extra_attributes={"PatientComments": "Calm"})
    assert "PatientComments Calm Claustrophobic by bob" in panel(coordinator, item)

    follow(coordinator, "PatientComments")

    item.refresh_from_db()
    assert item.extra_attributes == {"PatientComments": "Claustrophobic"}


@pytest.mark.acceptance("RC67")
def test_what_differs_because_of_an_examination_is_shown_without_a_button(
    coordinator: Client, item: WorklistItem, source: DataSource, project: Project
) -> None:
    examined(source, Status.IN_PROGRESS)
    enrol(project, "P-001", "Roe")
    pull(source)

    text = panel(coordinator, item)

    assert "stays because of the examination Field Here At the source" in text
    assert "Doe, Jane Roe, Jane" in text
    assert BUTTON not in text


@pytest.mark.acceptance("RC67")
def test_nobody_is_changed_under_an_examination_by_following_the_source(
    coordinator: Client, item: WorklistItem, source: DataSource
) -> None:
    edit(item, patient_name="Doe^Janet")
    examined(source, Status.IN_PROGRESS)

    [refusal] = follow(coordinator, "patient_name")

    assert "From the source again" not in refusal
    item.refresh_from_db()
    assert item.patient_name == "Doe^Janet"


def test_a_withdrawn_item_says_why(
    reader: Client, item: WorklistItem, source: DataSource, project: Project
) -> None:
    book(project, "P-001", status="2")
    pull(source)
    reason = SyncedStep.objects.get().reason

    assert reason
    assert f"Cancelled: {reason}" in panel(reader, item)


def test_open_issues_of_the_session_and_of_the_record_are_listed_and_no_others(
    reader: Client, item: WorklistItem, source: DataSource
) -> None:
    def an_issue(text: str, **values: Any) -> None:
        SyncIssue.objects.create(
            source=source, **{"record": "P-001", "field": "weight", "text": text, **values}
        )

    an_issue("Of this session.", instrument="mri", instance=1, blocks=True)
    an_issue("Of the record.", field="sex")
    an_issue("Of another session.", instrument="mri", instance=2)
    an_issue("Of another record.", record="P-002", instrument="mri", instance=1)
    an_issue("Mended.", closed_at=timezone.now())

    text = panel(reader, item)

    assert "The item stays as it was weight: Of this session. Open in REDCap sex: Of the record." in text
    assert "another" not in text
    assert "Mended." not in text


def test_who_only_reads_sees_the_edit_and_cannot_undo_it(reader: Client, item: WorklistItem) -> None:
    edit(item, patient_weight_kg="71.5")
    assert "71.5 kg 70 kg" in panel(reader, item)
    assert BUTTON not in panel(reader, item)
    url = reverse("admin:sources_syncedstep_follow", args=[SyncedStep.objects.get().pk])

    assert reader.post(url, {"field": "patient_weight_kg"}).status_code == 403
    item.refresh_from_db()
    assert str(item.patient_weight_kg) == "71.50"


def test_following_is_asked_for_by_a_button_alone(coordinator: Client, item: WorklistItem) -> None:
    url = reverse("admin:sources_syncedstep_follow", args=[SyncedStep.objects.get().pk])

    assert coordinator.get(url).status_code == 405
    assert coordinator.post(reverse("admin:sources_syncedstep_follow", args=[0])).status_code == 404


def test_the_panel_costs_the_same_however_many_issues_there_are(
    reader: Client, item: WorklistItem, source: DataSource
) -> None:
    def look() -> None:
        reader.get(page_of(item))

    few = queries_of(look)
    for number in range(10):
        SyncIssue.objects.create(source=source, record="P-001", field="sex", text=f"Problem {number}.")

    assert queries_of(look) == few


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (SessionKey(), ""),
        (SessionKey("scan_arm_1"), "scan_arm_1"),
        (SessionKey("", "mri", 2), "mri, no. 2"),
        (SessionKey("scan_arm_1", "mri", 2), "scan_arm_1, mri, no. 2"),
    ],
)
def test_a_session_is_named_by_what_tells_it_from_others(key: SessionKey, named: str) -> None:
    assert session_in_words(key) == named


ANOTHER = "It is another appointment: make its item"


@pytest.mark.acceptance("RC232")
def test_a_coordinator_makes_the_item_of_another_appointment(
    coordinator: Client, item: WorklistItem, source: DataSource, project: Project
) -> None:
    examined(source, Status.COMPLETED)
    enrol(project, "P-001", "Roe", dob="1980-05-05")
    pull(source)
    assert ANOTHER in panel(coordinator, item)
    assert "as it was :" not in panel(coordinator, item)  # an issue of no field has no colon
    url = reverse("admin:sources_syncedstep_another", args=[SyncedStep.objects.get().pk])

    response = coordinator.post(url, {"next": page_of(item)}, follow=True)

    # Images exist under this patient ID with another person: somebody must say whose it is.
    assert "with another name and birth date" in str(*response.context["messages"])
    assert WorklistItem.objects.get() == item

    enrol(project, "P-001", "Doe")
    book(project, "P-001", mri_time="16:00")
    pull(source)
    response = coordinator.post(url, {"next": page_of(item)}, follow=True)

    assert [str(each) for each in response.context["messages"]] == [
        "Another item was made of what the source says now."
    ]
    made = WorklistItem.objects.exclude(pk=item.pk).get()
    assert made.history.latest().history_user_id == "bob"
    assert ANOTHER not in panel(coordinator, item)
    again = pull(source, full=True)
    assert (again.created, again.changed, again.kept) == (0, 0, 0)


@pytest.mark.acceptance("RC232")
def test_nobody_makes_another_item_while_the_examination_runs_or_without_the_right(
    coordinator: Client, reader: Client, item: WorklistItem, source: DataSource, project: Project
) -> None:
    examined(source, Status.IN_PROGRESS)
    enrol(project, "P-001", "Roe")
    pull(source)
    url = reverse("admin:sources_syncedstep_another", args=[SyncedStep.objects.get().pk])

    assert ANOTHER not in panel(reader, item)
    assert reader.post(url).status_code == 403


class TestEditedHere:
    LIST = reverse("admin:worklist_worklistitem_changelist")
    MARK = '<span class="status edited-here">Edited here</span>'

    @pytest.mark.acceptance("AD78")
    def test_the_list_marks_and_finds_what_was_edited_until_it_follows_again(
        self, coordinator: Client, item: WorklistItem
    ) -> None:
        intake.duplicate(item, {}, actor="bob")  # one that no source made
        assert self.MARK not in shown(coordinator, self.LIST)
        edit(item, patient_weight_kg="71.5")
        assert shown(coordinator, self.LIST).count(self.MARK) == 1
        found = coordinator.get(self.LIST, {"edited": "yes"}).context["cl"].result_list
        assert found == [item]

        url = reverse("admin:sources_syncedstep_follow", args=[SyncedStep.objects.get().pk])
        coordinator.post(url, {"field": "patient_weight_kg"})

        assert self.MARK not in shown(coordinator, self.LIST)
        assert coordinator.get(self.LIST, {"edited": "yes"}).context["cl"].result_list == []

    @pytest.mark.acceptance("AD78")
    def test_what_a_pull_or_a_status_changes_is_no_edit(
        self, item: WorklistItem, source: DataSource, project: Project
    ) -> None:
        book(project, "P-001", weight="80")
        pull(source)
        item.refresh_from_db()
        lifecycle.move(item, to=Status.CANCELLED, actor="bob")
        assert not SyncedStep.objects.get().is_edited
        edit(item, station_name="ROOM3")
        assert not SyncedStep.objects.get().is_edited  # the source says nothing of it
        edit(item, patient_weight_kg="71.5")
        book(project, "P-001", weight="82")
        pull(source)
        assert SyncedStep.objects.get().is_edited

    @pytest.mark.acceptance("AD79")
    def test_a_save_says_what_the_source_still_has(self, coordinator: Client, item: WorklistItem) -> None:
        sent = {**fields_of(coordinator, page_of(item)), "patient_weight_kg": "72", "protocol_name": "KNEE"}
        response = coordinator.post(page_of(item), sent, follow=True)
        told = str(list(response.context["messages"])[1])
        assert told.startswith("study still has weight 70 kg: correct it there, too. <a href=")
        again = {**fields_of(coordinator, page_of(item)), "protocol_name": "HEAD"}
        response = coordinator.post(page_of(item), again, follow=True)
        assert len(response.context["messages"]) == 1

    @pytest.mark.acceptance("AD70")
    def test_the_timeline_names_the_pull_that_made_it(
        self, reader: Client, item: WorklistItem, source: DataSource
    ) -> None:
        run = source.runs.get()
        page = reverse("admin:sources_syncrun_change", args=[run.pk])
        assert f'<a href="{page}">Made by the source study (pull {run.pk})</a>' in shown(
            reader, page_of(item)
        )

    def test_the_filter_asks_an_index(self, item: WorklistItem) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("A planner that looks at few rows reads them all.")
        edited = SyncedStep.objects.filter(is_edited=True).exclude(item=None).order_by().values("item")
        plan = WorklistItem.objects.filter(pk__in=edited).order_by().explain()
        assert "synced_step_edited" in plan
