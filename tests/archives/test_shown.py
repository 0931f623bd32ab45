"""What archives have shown stands on an item's page, in lists, in a file, at the API and in metrics."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archives import retention
from archives.models import Archive, ArchiveCheck, ArchivedStudy, ArchiveState, Finding
from archives.shown import counting
from archives.shown.counting import ArchiveArrival
from archives.verifying import claims
from pylantir_site.metrics import stored
from pylantir_site.privacy import erasing, exporting, participants
from sources import tasks
from tests.admin_pages import queries_of
from tests.api_client import client_of
from tests.archives.fake import FakeArchive, series_of, study_of
from tests.archives.test_verifying import arrived, ask, performed, scheduled, stray, told
from tests.sources.queue import queued, work_off
from worklist.models import Attention, AttentionKind, Device, PerformedStep, WorklistItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive() -> Archive:
    made: Archive = Archive.objects.create(name="PACS", host="127.0.0.1", port=104, called_ae_title="PACS")
    return made


@pytest.fixture
def pacs() -> FakeArchive:
    return FakeArchive()


@pytest.fixture
def coordinator(client: Client, bob: Any) -> Client:
    client.force_login(bob)
    return client


def found(archive: Archive, pacs: FakeArchive, number: int = 1, **changes: Any) -> WorklistItem:
    item = scheduled(patient_id=f"P{number}", patient_name=f"Doe^{number}")
    arrived(pacs, item, performed(item), **changes)
    ask(archive, pacs)
    return item


def page_of(client: Client, item: WorklistItem) -> str:
    return str(client.get(reverse("admin:worklist_worklistitem_change", args=[item.pk])).content.decode())


@pytest.mark.acceptance("CL75")
def test_an_items_page_says_what_is_in_the_archive_and_when_it_came(
    coordinator: Client, archive: Archive, pacs: FakeArchive
) -> None:
    item = found(archive, pacs, weight="95")
    text = page_of(coordinator, item)
    for part in ("In the archive", "PACS", "Found, and differs", ">95<", "Images found in the archive PACS"):
        assert part in text
    other = scheduled(patient_id="P2", patient_name="Roe^Jane")
    assert "from-archives" not in page_of(coordinator, other)


def test_what_is_gone_and_an_archive_that_fails_are_told(
    coordinator: Client, archive: Archive, pacs: FakeArchive
) -> None:
    item = found(archive, pacs)
    ArchivedStudy.objects.update(gone_at=timezone.now())
    ArchiveCheck.objects.update(problem="The archive <does> not answer.")
    text = page_of(coordinator, item)
    assert "No longer in the archive PACS" in text
    assert "The archive &lt;does&gt; not answer." in text


@pytest.mark.acceptance("CL75")
def test_the_list_marks_what_arrived_and_finds_what_did_not_in_as_many_queries(
    coordinator: Client, archive: Archive, pacs: FakeArchive
) -> None:
    url = reverse("admin:worklist_worklistitem_changelist")
    right = found(archive, pacs)
    wrong = found(archive, pacs, 2, patient_sex="F")
    text = coordinator.get(f"{url}?archive=DIFFERS").content.decode()
    assert f"{wrong.pk}/change" in text
    assert f"{right.pk}/change" not in text
    few = queries_of(partial(coordinator.get, url))
    for number in range(3, 8):
        found(archive, pacs, number)
    assert queries_of(partial(coordinator.get, url)) == few
    assert coordinator.get(url).content.decode().count(">Archived</span>") == 6


@pytest.mark.acceptance("CL75")
def test_today_shows_what_differs_at_its_booking(
    coordinator: Client, archive: Archive, pacs: FakeArchive
) -> None:
    item = found(archive, pacs, patient_sex="F")
    text = coordinator.get(reverse("admin:index")).content.decode()
    assert f'id="mark-{item.pk}-' in text
    assert "Images of another identity" in text


def test_a_study_that_nobody_scheduled_stands_in_today_in_the_list_and_at_the_api(
    coordinator: Client, archive: Archive, pacs: FakeArchive, bob: Any
) -> None:
    Device.objects.create(ae_title="MR1", station_name="MRC35127", modality="MR")
    study = stray(pacs)
    ask(archive, pacs)
    point = Attention.objects.get()
    for url in ("admin:index", "admin:worklist_attention_changelist"):
        assert "and nobody scheduled it: Poe, Mary, X7." in coordinator.get(reverse(url)).content.decode()
    page = coordinator.get(reverse("admin:worklist_attention_change", args=[point.pk]))
    assert page.status_code == 200
    (told_as,) = client_of(bob).get("/attention").json()
    assert (told_as["kind"], told_as["item"], told_as["performed_step"]) == ("STRAY_STUDY", None, None)
    assert told_as["study_instance_uid"] == study.study_instance_uid
    text = coordinator.get(reverse("admin:search"), {"q": study.study_instance_uid}).content.decode()
    assert f"/attention/{point.pk}/change/" in text


@pytest.mark.acceptance("CL211")
def test_phantoms_are_no_arrivals(archive: Archive, pacs: FakeArchive) -> None:
    found(archive, pacs)
    assert len(counting.arrivals(archive.pk, first=date(2000, 1, 1))) == 1
    WorklistItem.objects.update(is_qa=True)
    assert counting.arrivals(archive.pk, first=date(2000, 1, 1)) == {}


@pytest.mark.acceptance("CL76")
def test_arrivals_are_counted_by_study_and_month(
    coordinator: Client, archive: Archive, pacs: FakeArchive
) -> None:
    found(archive, pacs)
    found(archive, pacs, 2, patient_sex="F")
    item = scheduled(patient_id="P3", patient_name="Roe^3")
    performed(item)
    ask(archive, pacs)
    WorklistItem.objects.filter(pk=item.pk).update(data_source="Sleep")
    month = timezone.localdate().replace(day=1)
    counted = counting.arrivals(archive.pk, first=month)
    assert counted == {
        (month, ""): {ArchiveArrival.ARRIVED: 1, ArchiveArrival.DIFFERING: 1},
        (month, "Sleep"): {ArchiveArrival.MISSING: 1},
    }
    assert counting.arrivals(archive.pk, first=date(2999, 1, 1)) == {}

    text = coordinator.get(reverse("admin:archive_arrivals")).content.decode()
    assert ">Sleep</td>" in text
    lines = b"".join(coordinator.get(reverse("admin:archive_arrivals_csv"))).decode("utf-8-sig").splitlines()
    assert lines[0].split(",")[:3] == ["Month", "Study", "Arrived"]
    assert lines[1:] == [f"{month:%Y-%m},Made by hand,1,1,0,0,2", f"{month:%Y-%m},Sleep,0,0,1,0,1"]


def test_without_an_archive_the_page_of_arrivals_says_so(coordinator: Client) -> None:
    answer = coordinator.get(reverse("admin:archive_arrivals"), {"archive": "7"})
    assert "There is no archive yet." in answer.content.decode()


@pytest.mark.acceptance("CL77")
def test_the_api_lists_studies_and_what_was_asked_for(
    archive: Archive, pacs: FakeArchive, charlie: Any
) -> None:
    item = found(archive, pacs, weight="95.5")
    api = client_of(charlie)
    (study,) = api.get(f"/archived-studies?item={item.pk}").json()
    assert (study["archive"], study["item"], study["patient_weight_kg"]) == ("PACS", item.pk, "95.5000")
    assert study["study_date"] == f"{item.scheduled_start_date:%Y%m%d}"
    assert api.get("/archived-studies?scheduled=false").json() == []
    (check,) = api.get("/archive-checks?finding=DIFFERS").json()
    assert (check["item"], check["asked_count"]) == (item.pk, 1)
    assert api.get("/archive-checks?finding=FOUND").json() == []


@pytest.mark.acceptance("CL78")
def test_metrics_tell_the_oldest_question_that_is_due_and_failures(
    archive: Archive, pacs: FakeArchive
) -> None:
    found(archive, pacs)
    ArchiveCheck.objects.update(next_at=timezone.now() - timedelta(minutes=10))
    ArchiveState.objects.update(failures=3)
    samples = {sample.name: sample.value for family in stored.families() for sample in family.samples}
    assert 600 <= samples["pylantir_archive_oldest_due_seconds"] < 700
    assert samples["pylantir_archive_failures"] == 3


@pytest.mark.acceptance("CL79")
def test_a_participant_is_told_and_erased_with_what_archives_answered(
    archive: Archive, pacs: FakeArchive
) -> None:
    Device.objects.create(ae_title="MR1", station_name="MRC35127", modality="MR")
    item = found(archive, pacs, patient_name="Zzyzx^Quentin")
    stray(
        pacs, patient_id=item.patient_id, patient_name="Doe^1", study_date=timezone.localdate(), modalities=()
    )
    pacs.add(study_of(item, study_instance_uid="9.9", patient_id="P77"), series_of(["9"]))
    ask(archive, pacs)
    (participant,) = participants.find(item.patient_id)
    known = exporting.known_of(participant)
    assert {row["patient_id"] for row in known["studies_in_archives"]} == {item.patient_id, "P77"}
    assert len(known["checks_of_archives"]) == 1

    erasing.erase(item.patient_id, participants.digest(participant), erasing.Order("alice"))

    left = [
        *ArchivedStudy.objects.values_list("patient_id", "patient_name"),
        *Attention.objects.values_list("text"),
    ]
    assert not [row for row in left if "Zzyzx" in str(row) or item.patient_id in row]
    assert not ArchiveCheck.objects.exists()
    ask(archive, FakeArchive())
    assert not ArchiveCheck.objects.exists(), "Nobody's item is asked for any more."


@pytest.mark.acceptance("CL79")
def test_what_is_old_is_forgotten(archive: Archive, pacs: FakeArchive, settings: Any) -> None:
    Device.objects.create(ae_title="MR1", station_name="MRC35127", modality="MR")
    found(archive, pacs)
    stray(pacs, station="ELSEWHERE")
    stray(pacs)
    ask(archive, pacs)
    retention.prune()
    assert ArchivedStudy.objects.count() == 3
    ArchivedStudy.objects.update(asked_at=timezone.now() - timedelta(days=100))
    retention.prune()
    assert set(ArchivedStudy.objects.values_list("patient_id", flat=True)) == {"P1", "X7"}
    settings.ARCHIVE_ANSWERS_KEPT_DAYS = 30
    ArchiveCheck.objects.update(until=timezone.now() - timedelta(days=31))
    retention.prune()
    assert not ArchivedStudy.objects.exists()
    assert not ArchiveCheck.objects.exists()


@pytest.mark.acceptance("CL80")
def test_the_worker_asks_each_archive_that_is_due_and_one_that_fails_hinders_no_other(
    archive: Archive, pacs: FakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Archive.objects.create(name="A broken one", host="127.0.0.1", port=104, called_ae_title="X")
    item = scheduled()
    arrived(pacs, item, performed(item))

    def opened(asked: Archive) -> FakeArchive:
        if asked == broken:
            raise ValueError(item.patient_id)
        return pacs

    monkeypatch.setattr("archives.opening.opened", opened)
    tasks.ask_archives()
    assert [function for function, _ in queued()] == ["sources.tasks.ask_archive"]
    work_off()
    check = ArchiveCheck.objects.get(archive=archive)
    assert check.finding == Finding.FOUND
    assert set(ArchiveState.objects.values_list("claim", flat=True)) == {""}
    tasks.ask_archives()
    assert {archive.pk for archive in claims.due()} <= {broken.pk}


@pytest.mark.acceptance("CL207")
@pytest.mark.parametrize(("workers", "at_once"), [(1, 1), (2, 1), (4, 3)])
def test_pulls_come_between_archives_and_one_worker_is_left_to_them(
    archive: Archive,
    pacs: FakeArchive,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    workers: int,
    at_once: int,
) -> None:
    """A worker does one task after the other: eight archives that hang must not stand before a pull."""
    for number in range(7):
        Archive.objects.create(name=f"A{number}", host="127.0.0.1", port=104, called_ae_title="X")
    settings.WORKERS = workers
    monkeypatch.setattr("archives.opening.opened", lambda _archive: pacs)
    for _look in range(2):
        tasks.ask_archives()
    assert [function for function, _ in queued()] == ["sources.tasks.ask_archive"] * at_once

    tasks.pull_soon(7)
    done = [function for function, _ in queued()]
    work_off(most=at_once)
    waiting = [function for function, _ in queued()]
    assert done[at_once:] == ["sources.tasks.pull_pending"]
    assert waiting == ["sources.tasks.pull_pending", *["sources.tasks.ask_archive"] * at_once]

    monkeypatch.setattr(tasks, "pull_pending", lambda _pk: "")
    work_off(most=20)
    assert queued() == []
    assert ArchiveState.objects.exclude(answered_at=None).count() == 8, "Each is asked, and none twice."


@pytest.mark.acceptance("CL80")
def test_nothing_of_a_participant_is_logged_or_kept_by_the_queue(
    archive: Archive, pacs: FakeArchive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), patient_sex="F")
    monkeypatch.setattr("archives.opening.opened", lambda _archive: pacs)
    with caplog.at_level("INFO"):
        tasks.ask_archives()
        kept = str(queued())
        work_off()
    assert list(told()) == [AttentionKind.IMAGES_IDENTITY]
    for secret in (item.patient_id, "Doe", item.study_instance_uid):
        assert secret not in kept
        assert secret not in caplog.text
    assert PerformedStep.objects.exists()
