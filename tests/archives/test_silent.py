"""Of scanners that send no MPPS an archive shows what was performed; before, nothing is "not performed".

Not here: how archives are asked (test_clients.py, test_dicomweb.py), marks by people (tests/worklist).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from archives.models import Archive, ArchiveCheck, ArchivedStudy, Finding
from archives.silent import completing, due, evidence
from archives.silent.evidence import Doubt
from archives.verifying import claims, rounds
from tests.archives.fake import FakeArchive, series_of, study_of
from tests.worklist import reported
from tests.worklist.performed_steps import WRONG_ENTRY, begun, completed, discontinued
from worklist.admin.moves import CORRECT
from worklist.attention import awaiting, points
from worklist.day.lanes import day_of
from worklist.examinations import performing
from worklist.items import lifecycle, moves
from worklist.models import Attention, AttentionKind, Device, PerformedBy, Status, WorklistItem
from worklist.timeline.whole import timeline_of

TODAY = timezone.localdate
NOON = datetime(2026, 1, 10, 12, tzinfo=timezone.get_current_timezone())
SETTLED = timedelta(minutes=15)


def a_study(**values: Any) -> ArchivedStudy:
    """Return a study of P1 with UID 1.2.3 asked for at noon, which had last grown 20 minutes before."""
    least = {
        "study_instance_uid": "1.2.3",
        "patient_id": "P1",
        "study_date": NOON.date(),
        "modalities": "US",
        "series_count": 2,
        "image_count": 40,
        "first_found_at": NOON - timedelta(minutes=20),
        "grew_at": NOON - timedelta(minutes=20),
        "asked_at": NOON,
        "archive": Archive(),
    }
    return ArchivedStudy(**{**least, **values})


def unsaved(**values: Any) -> WorklistItem:
    least = {"pk": 7, "study_instance_uid": "1.2.3", "patient_id": "P1", "modality": "US"}
    return WorklistItem(**{"scheduled_start_date": NOON.date(), **least, **values})


# What a study shows


@pytest.mark.acceptance("CL100")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, None, id="settled"),
        pytest.param({"patient_id": " P1 "}, None, id="padded ID"),
        pytest.param({"patient_id": "P2"}, Doubt.ANOTHER_ID, id="another ID"),
        pytest.param({"patient_id": ""}, Doubt.ANOTHER_ID, id="no ID"),
        pytest.param({"study_instance_uid": "9.9"}, Doubt.ANOTHER_STUDY, id="another study"),
        pytest.param({"study_instance_uid": "9.9", "item_id": 7}, None, id="another UID that belongs to it"),
        pytest.param(
            {"study_instance_uid": "9.9", "item_id": 7, "study_date": date(2026, 1, 11)},
            Doubt.ANOTHER_STUDY,
            id="another UID of another day",
        ),
        pytest.param({"study_instance_uid": "9.9", "item_id": 8}, Doubt.ANOTHER_STUDY, id="of another item"),
        pytest.param({"study_date": date(2026, 1, 11)}, None, id="its UID on a later day"),
        pytest.param({"study_date": date(2026, 1, 9)}, Doubt.EARLIER, id="its UID on an earlier day"),
        pytest.param({"modalities": "US\\SR"}, None, id="with a report"),
        pytest.param({"modalities": "SR"}, None, id="the modality is not told"),
        pytest.param({"modalities": ""}, None, id="no modality is told"),
        pytest.param({"modalities": "MR"}, Doubt.ANOTHER_MODALITY, id="another modality"),
        pytest.param({"gone_at": NOON}, Doubt.GONE, id="gone"),
        pytest.param({"image_count": 0}, Doubt.EMPTY, id="no images"),
        pytest.param({"series_count": 0, "image_count": None}, Doubt.EMPTY, id="no series"),
        pytest.param({"image_count": None}, None, id="only series are counted"),
        pytest.param({"series_count": None}, None, id="only images are counted"),
        pytest.param({"series_count": None, "image_count": None}, Doubt.NOT_COUNTED, id="not counted"),
        pytest.param({"grew_at": NOON - SETTLED}, None, id="quiet for just so long"),
        pytest.param(
            {"grew_at": NOON - SETTLED + timedelta(seconds=1)}, Doubt.GROWING, id="a second too little"
        ),
        pytest.param({"grew_at": NOON, "asked_at": NOON}, Doubt.GROWING, id="just found"),
    ],
)
def test_a_study_shows_an_examination_or_something_speaks_against_it(
    values: dict[str, Any], expected: Doubt | None
) -> None:
    assert evidence.doubt(unsaved(), a_study(**values), settled_after=SETTLED) == expected


@pytest.mark.acceptance("CL217")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, None, id="its UID"),
        pytest.param({"study_instance_uid": "9.9", "accession_number": "A7"}, None, id="its number"),
        pytest.param({"study_instance_uid": "9.9"}, Doubt.ANOTHER_STUDY, id="neither"),
        pytest.param({"modalities": "MR"}, Doubt.ANOTHER_MODALITY, id="another modality"),
    ],
)
def test_a_study_without_a_patient_shows_an_examination_by_its_uid_or_number(
    values: dict[str, Any], expected: Doubt | None
) -> None:
    nobodys = {"archive": Archive(has_pseudonyms=True), "patient_id": "", "item_id": 7}

    assert (
        evidence.doubt(unsaved(accession_number="A7"), a_study(**nobodys, **values), settled_after=SETTLED)
        == expected
    )


@pytest.mark.acceptance("CL100")
@given(
    asked=st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=8
    ),
    settled=st.integers(1, 120),
)
def test_time_alone_never_shows_an_examination(asked: list[tuple[int, int, int]], settled: int) -> None:
    """Compare with all answers, read anew: the same counts as at the last, told for long enough."""
    answers = sorted(asked)
    study = a_study(series_count=None, image_count=None)
    for minute, series, images in answers:
        at = NOON + timedelta(minutes=minute)
        if (study.series_count, study.image_count) != (series, images):
            study.series_count, study.image_count, study.grew_at = series, images, at
        study.asked_at = at

    last = answers[-1]
    alike = answers[-1:]
    for answer in reversed(answers[:-1]):
        if answer[1:] != last[1:]:
            break
        alike.insert(0, answer)
    is_quiet = alike[-1][0] - alike[0][0] >= settled
    is_there = 0 not in last[1:]
    shown = evidence.doubt(unsaved(), study, settled_after=timedelta(minutes=settled)) is None
    assert shown == (is_quiet and is_there)


def test_the_evidence_is_told_in_words() -> None:
    assert evidence.in_words(a_study()) == (
        f"Study in the archive: 2 series, 40 images, unchanged since {NOON - timedelta(minutes=20):%F %H:%M}"
    )
    assert "1 image, unchanged" in evidence.in_words(a_study(series_count=None, image_count=1))


# Items that are completed by it


@pytest.fixture
def archive(db: None) -> Archive:
    Device.objects.create(ae_title="US1", sends_mpps=False)
    made: Archive = Archive.objects.create(name="PACS", host="127.0.0.1", port=104, called_ae_title="PACS")
    return made


def an_item(**values: Any) -> WorklistItem:
    least = {"scheduled_start_date": TODAY(), "scheduled_station_aetitle": "US1", "modality": "US"}
    return reported.an_item(**{**least, **values})


def found(archive: Archive, of: WorklistItem, **values: Any) -> ArchivedStudy:
    """Store that the archive has the item's study, settled unless values say otherwise."""
    now = timezone.now()
    study = a_study(
        **{
            "archive": archive,
            "study_instance_uid": of.study_instance_uid,
            "patient_id": of.patient_id,
            "study_date": of.scheduled_start_date,
            "first_found_at": now - timedelta(hours=1),
            "grew_at": now - timedelta(hours=1),
            "asked_at": now,
            **values,
        }
    )
    study.save()
    return study


def complete(archive: Archive) -> int:
    return completing.complete(archive, now=timezone.now())


def state_of(item: WorklistItem) -> tuple[str, str]:
    item.refresh_from_db()
    return item.performed_procedure_step_status, item.performed_by_evidence


@pytest.mark.acceptance("CL101")
def test_an_item_of_a_silent_scanner_is_completed_by_its_study(archive: Archive) -> None:
    item = an_item()
    found(archive, item)

    assert complete(archive) == 1

    assert state_of(item) == (Status.COMPLETED, PerformedBy.ARCHIVE)
    record = item.history.first()
    assert record.history_user == "archive:PACS"
    assert record.history_change_reason.startswith(
        "Study in the archive: 2 series, 40 images, unchanged since "
    )
    assert complete(archive) == 0
    (told,) = (entry for entry in timeline_of(item).entries if entry.actor == "archive:PACS")
    assert "the archive PACS" in told.text
    assert told.note.startswith("Study in the archive: 2 series")


@pytest.mark.acceptance("CL101")
@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda archive, item: Device.objects.update(sends_mpps=True), id="its scanner reports"),
        pytest.param(
            lambda archive, item: WorklistItem.objects.update(scheduled_station_aetitle="US1\\MR1"),
            id="another scanner may perform it",
        ),
        pytest.param(
            lambda archive, item: WorklistItem.objects.update(scheduled_station_aetitle="US9"),
            id="its scanner is not known",
        ),
        pytest.param(
            lambda archive, item: ArchivedStudy.objects.update(grew_at=timezone.now()), id="it still grows"
        ),
        pytest.param(
            lambda archive, item: ArchivedStudy.objects.update(asked_at=timezone.now() - timedelta(hours=1)),
            id="it was asked for once, long ago",
        ),
        pytest.param(lambda archive, item: ArchivedStudy.objects.update(patient_id="P9"), id="another ID"),
        pytest.param(
            lambda archive, item: an_item(study_instance_uid=item.study_instance_uid),
            id="another step of the study",
        ),
        pytest.param(lambda archive, item: Archive.objects.update(enabled=False), id="it is not asked"),
        pytest.param(lambda archive, item: Archive.objects.update(stations="MR1"), id="it holds others"),
        pytest.param(
            lambda archive, item: reported.updated(reported.reported(begun(item)), discontinued()),
            id="a report stopped it",
        ),
        pytest.param(
            lambda archive, item: reported.updated(
                reported.reported(begun(item)), discontinued(reason=WRONG_ENTRY)
            ),
            id="the entry was a wrong one",
        ),
        pytest.param(lambda archive, item: reported.reported(begun(item)), id="a report says that it runs"),
        pytest.param(
            lambda archive, item: lifecycle.move(item, to=Status.CANCELLED, actor="bob"), id="it is cancelled"
        ),
    ],
)
def test_what_is_in_doubt_is_left_to_people(archive: Archive, prepare: Any) -> None:
    Device.objects.create(ae_title="MR1")
    item = an_item()
    found(archive, item)
    prepare(archive, item)
    before = state_of(item)

    assert complete(Archive.objects.get()) == 0

    assert state_of(item) == before


@pytest.mark.acceptance("CL101")
def test_a_study_with_a_uid_of_the_scanners_own_is_taken_where_it_can_be_no_others(archive: Archive) -> None:
    item = an_item()
    found(archive, item, study_instance_uid="2.25.77", item=item)
    second = an_item(scheduled_start_time="1500")
    assert complete(archive) == 0
    lifecycle.move(second, to=Status.CANCELLED, actor="bob")
    assert complete(archive) == 1
    assert state_of(item) == (Status.COMPLETED, PerformedBy.ARCHIVE)


@pytest.mark.acceptance("CL231")
def test_a_number_that_another_item_has_shows_nothing_in_an_archive_of_pseudonyms(archive: Archive) -> None:
    Archive.objects.update(has_pseudonyms=True)
    item = an_item(accession_number="111")
    found(archive, item, study_instance_uid="2.25.77", item=item, patient_id="", accession_number="111")
    second = an_item(accession_number="111", patient_id="P2", patient_name="Roe^Jane")
    assert complete(archive) == 0
    lifecycle.move(second, to=Status.CANCELLED, actor="bob")
    assert complete(archive) == 1


@pytest.mark.acceptance("CL102")
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
def test_a_report_counts_more_than_an_archive_whichever_comes_first(
    archive: Archive, ends: Any, expected: tuple[str, str]
) -> None:
    archive_first, report_first = an_item(), an_item(patient_id="P2")
    found(archive, archive_first)
    assert complete(archive) == 1
    found(archive, report_first)
    for item in (report_first, archive_first):
        step = reported.reported(begun(item))
        if ends is not None:
            reported.updated(step, ends)
        assert complete(archive) == 0
        assert state_of(item) == expected
    actors = list(archive_first.history.order_by("history_id").values_list("history_user_id", flat=True))
    assert actors[:3] == ["alice", "archive:PACS", "device:MR1"]


@pytest.mark.acceptance("CL102")
def test_the_archives_evidence_is_there_again_once_a_wrong_link_is_gone(archive: Archive) -> None:
    item = an_item()
    found(archive, item)
    complete(archive)
    step = reported.updated(reported.unscheduled(an_item(patient_id="P2")), completed())
    performing.link(step, item, actor="alice")
    assert state_of(item) == (Status.COMPLETED, PerformedBy.MPPS)
    performing.unlink(step, item, actor="alice")
    assert state_of(item) == (Status.COMPLETED, PerformedBy.ARCHIVE)


@pytest.mark.acceptance("CL101")
def test_what_a_person_took_back_is_the_archives_to_say(archive: Archive) -> None:
    item = an_item()
    found(archive, item)
    change = moves.mark_performed(item, actor="bob", confirmed=False)
    assert complete(archive) == 0
    moves.undo([(item.pk, change.before, change.after)], actor="bob")
    assert complete(archive) == 1


@pytest.mark.acceptance("CL202")
def test_who_may_correct_takes_an_archives_mark_back_and_only_new_images_give_it_again(
    archive: Archive,
) -> None:
    item = an_item()
    study = found(archive, item)
    assert complete(archive) == 1
    item.refresh_from_db()

    with pytest.raises(lifecycle.StatusRefused):
        moves.take_back_mark(item, actor="bob")
    moves.take_back_mark(item, actor="bob", may_correct=True)

    assert state_of(item) == (Status.SCHEDULED, "")
    assert complete(archive) == 0
    study.asked_at = timezone.now() + timedelta(hours=2)
    study.grew_at = timezone.now() + timedelta(hours=1)
    study.save()
    assert completing.complete(archive, now=timezone.now() + timedelta(hours=2)) == 1


@pytest.mark.acceptance("CL202")
def test_an_archives_mark_is_taken_back_by_a_button_of_who_may_correct(
    archive: Archive, client: Client, alice: User, bob: User
) -> None:
    item = an_item()
    found(archive, item)
    complete(archive)
    page = reverse("admin:worklist_booking", args=[item.pk])
    for user, is_offered in ((bob, bob.has_perm(CORRECT)), (alice, True)):
        client.force_login(user)
        assert ("not-performed" in client.get(page).content.decode()) is is_offered
    told = client.post(page, {"do": "not-performed"}, follow=True).content.decode()
    assert "does not count as performed any more." in told
    assert state_of(item) == (Status.SCHEDULED, "")
    assert complete(archive) == 0
    assert "not-performed" not in client.get(page).content.decode()


@pytest.mark.acceptance("CL202")
def test_images_of_a_stopped_attempt_do_not_complete_the_next_one(archive: Archive) -> None:
    stopped, moved = an_item(scheduled_start_date=YESTERDAY), an_item(patient_id="P2")
    for item in (stopped, moved):
        found(archive, item)
    for to in (Status.IN_PROGRESS, Status.DISCONTINUED, Status.SCHEDULED):
        lifecycle.move(stopped, to=to, actor="bob")
    moves.move(moved, {"scheduled_start_date": TODAY() + timedelta(days=7)}, actor="bob")

    assert complete(archive) == 0

    assert [state_of(item) for item in (stopped, moved)] == [(Status.SCHEDULED, "")] * 2


def reports_an_unscheduled_study(archive: Archive, item: WorklistItem) -> None:
    step = reported.updated(reported.unscheduled(an_item(patient_id="P9")), completed())
    type(step).objects.filter(pk=step.pk).update(study_instance_uid="2.25.77")


def is_elsewhere(**values: Any) -> Any:
    def prepare(archive: Archive, item: WorklistItem) -> None:
        other = Archive.objects.create(name="VNA", host="127.0.0.1", port=105, called_ae_title="VNA")
        found(other, item, study_instance_uid="2.25.77", **values)

    return prepare


def now_is(model: Any, **values: Any) -> Any:
    return lambda archive, item: model.objects.update(**values)


def has_another(**values: Any) -> Any:
    return lambda archive, item: an_item(**PERSON, **values)


OTHER_PERSON = "Curie^Marie"
PERSON = {"patient_sex": "F", "patient_birth_date": "1985-12-10", "patient_name": "Lovelace^Ada"}


@pytest.mark.acceptance("CL203")
@pytest.mark.parametrize(
    ("prepare", "is_completed"),
    [
        pytest.param(lambda archive, item: None, True, id="it alone can be the item's"),
        pytest.param(reports_an_unscheduled_study, False, id="a scanner that sends MPPS reported it"),
        pytest.param(is_elsewhere(patient_id="P9"), False, id="another archive has it of another ID"),
        pytest.param(is_elsewhere(patient_id=""), True, id="another archive keeps no ID"),
        pytest.param(
            is_elsewhere(patient_id="P9", gone_at=NOON), True, id="another archive had it of another ID"
        ),
        pytest.param(now_is(ArchivedStudy, station_name="mr 1"), False, id="images of another scanner"),
        pytest.param(now_is(ArchivedStudy, station_name="us 1"), True, id="images of its scanner"),
        pytest.param(now_is(ArchivedStudy, station_name="CONSOLE"), True, id="a station nobody knows"),
        pytest.param(now_is(ArchivedStudy, patient_sex="M"), False, id="another sex"),
        pytest.param(
            now_is(ArchivedStudy, patient_birth_date=date(1984, 1, 1)), False, id="another birth date"
        ),
        pytest.param(now_is(ArchivedStudy, patient_name=OTHER_PERSON), False, id="another name alone"),
        pytest.param(
            now_is(ArchivedStudy, patient_name=OTHER_PERSON, patient_birth_date=date(1985, 12, 10)),
            True,
            id="another name of the same birth date",
        ),
        pytest.param(has_another(modality="MR"), True, id="an appointment for another modality"),
        pytest.param(
            lambda archive, item: [
                has_another(modality="MR")(archive, item),
                ArchivedStudy.objects.update(modalities=""),
            ],
            False,
            id="an appointment for another modality, and none is told",
        ),
        pytest.param(
            now_is(WorklistItem, scheduled_start_time="1500"),
            False,
            id="it began hours before the appointment",
        ),
    ],
)
def test_a_study_with_another_uid_completes_only_whom_it_can_be_of(
    archive: Archive, prepare: Any, *, is_completed: bool
) -> None:
    Device.objects.create(ae_title="MR1", station_name="MR 1")
    Device.objects.filter(ae_title="US1").update(station_name="US 1")
    item = an_item(scheduled_start_time="0900", **PERSON)
    found(
        archive,
        item,
        study_instance_uid="2.25.77",
        item=item,
        study_time=datetime.min.replace(hour=9, minute=10).time(),
        patient_name="Lovelace^Ada",
    )
    prepare(archive, item)

    assert complete(archive) == int(is_completed)


def test_a_site_without_silent_scanners_is_asked_nothing_more(
    archive: Archive, django_assert_num_queries: Any
) -> None:
    Device.objects.update(sends_mpps=True)
    found(archive, an_item())
    with django_assert_num_queries(1):
        assert complete(archive) == 0
    with django_assert_num_queries(1):
        assert due.note_begun(archive, now=timezone.now()) == 0


# When an archive is asked


def at(hour: int, day: date | None = None) -> datetime:
    return timezone.make_aware(datetime.combine(day or TODAY(), datetime.min.time())) + timedelta(hours=hour)


@pytest.mark.acceptance("CL103")
def test_an_archive_is_asked_once_the_appointment_should_have_begun(archive: Archive) -> None:
    item = an_item(scheduled_start_time="0900")
    an_item(patient_id="P2", scheduled_station_aetitle="US9")
    an_item(patient_id="P3", scheduled_start_date=TODAY() + timedelta(days=1))
    an_item(patient_id="P4", scheduled_start_date=TODAY() - timedelta(days=30))

    assert due.note_begun(archive, now=at(8)) == 0
    assert due.note_begun(archive, now=at(9)) == 1
    check = ArchiveCheck.objects.get()
    assert (check.item_id, check.next_at) == (item.pk, at(9) + timedelta(minutes=5))
    assert check.until == at(24) + timedelta(days=7)
    assert due.note_begun(archive, now=at(10)) == 0


@pytest.mark.acceptance("CL103")
def test_who_comes_on_a_later_day_is_asked_for_on_that_day_again(archive: Archive) -> None:
    item = an_item(scheduled_start_date=TODAY() - timedelta(days=2))
    due.note_begun(archive, now=at(9, TODAY() - timedelta(days=2)))
    ArchiveCheck.objects.update(next_at=None)
    moves.move(item, {"scheduled_start_date": TODAY()}, actor="bob")
    assert due.note_begun(archive, now=at(9)) == 1
    assert ArchiveCheck.objects.get().next_at == at(0) + timedelta(minutes=5)


@pytest.mark.acceptance("CL103")
def test_a_study_that_may_be_settled_soon_is_asked_for_then(archive: Archive) -> None:
    item = an_item()
    now = timezone.now()
    check = ArchiveCheck.objects.create(
        archive=archive, item=item, next_at=now + timedelta(hours=1), until=now + timedelta(days=7)
    )
    assert due.hasten(archive, now=now) == 0
    study = found(archive, item, grew_at=now - timedelta(minutes=5), asked_at=now)
    assert due.hasten(archive, now=now) == 1
    check.refresh_from_db()
    assert check.next_at == study.grew_at + SETTLED
    assert due.hasten(archive, now=now) == 0


# What is not known yet


def asked(archive: Archive, item: WorklistItem, finding: Finding, when: datetime | None) -> ArchiveCheck:
    now = timezone.now()
    check: ArchiveCheck = ArchiveCheck.objects.create(
        archive=archive,
        item=item,
        finding=finding,
        asked_at=when,
        next_at=now + timedelta(hours=1),
        until=now + timedelta(days=7),
    )
    return check


YESTERDAY = TODAY() - timedelta(days=1)


@pytest.mark.acceptance("CL104")
@pytest.mark.parametrize(
    ("finding", "when", "is_told"),
    [
        pytest.param(None, None, False, id="there is no check yet"),
        pytest.param(Finding.NOT_ASKED, None, False, id="not asked"),
        pytest.param(Finding.FAILED, None, False, id="it did not answer"),
        pytest.param(Finding.NOT_FOUND, at(12, YESTERDAY), False, id="asked on the day itself"),
        pytest.param(Finding.NOT_FOUND, at(1), True, id="asked after the day"),
        pytest.param(Finding.FOUND, at(1), False, id="it is there"),
        pytest.param(Finding.DIFFERS, at(1), False, id="it is there and differs"),
    ],
)
def test_nothing_is_not_performed_before_the_archive_was_asked(
    archive: Archive, finding: Finding | None, when: datetime | None, *, is_told: bool
) -> None:
    item = an_item(scheduled_start_date=YESTERDAY)
    of_a_scanner_that_reports = an_item(
        patient_id="P2", scheduled_start_date=YESTERDAY, scheduled_station_aetitle="MR1"
    )
    Device.objects.create(ae_title="MR1")
    if finding is not None:
        asked(archive, item, finding, when)

    points.sweep()

    told = Attention.objects.open().filter(kind=AttentionKind.NOT_PERFORMED)
    expected = {of_a_scanner_that_reports.pk, *([item.pk] if is_told else [])}
    assert set(told.values_list("item", flat=True)) == expected
    (lane,) = (lane for lane in day_of(YESTERDAY).lanes if lane.station == "US1")
    assert [booking.is_overdue for booking in lane.bookings] == [is_told]
    overdue = awaiting.overdue(WorklistItem.objects.all(), TODAY())
    assert set(overdue.values_list("pk", flat=True)) == expected


@pytest.mark.acceptance("CL104")
def test_all_archives_are_asked_first_that_may_hold_it(archive: Archive) -> None:
    other = Archive.objects.create(name="VNA", host="127.0.0.1", port=105, called_ae_title="VNA")
    Archive.objects.create(name="MR", host="127.0.0.1", port=106, called_ae_title="MR", stations="MR1")
    item = an_item(scheduled_start_date=YESTERDAY)
    asked(archive, item, Finding.NOT_FOUND, at(1))
    points.sweep()
    assert not Attention.objects.exists()
    asked(other, item, Finding.NOT_FOUND, at(1))
    points.sweep()
    assert Attention.objects.get().text.endswith(
        "its scanner sends no MPPS, and nothing says that it was performed."
    )


@pytest.mark.acceptance("CL104")
def test_without_an_archive_or_after_its_window_people_are_told_as_ever(archive: Archive) -> None:
    an_item(scheduled_start_date=TODAY() - timedelta(days=30))
    points.sweep()
    assert Attention.objects.count() == 1
    an_item(patient_id="P2", scheduled_start_date=YESTERDAY)
    points.sweep()
    assert Attention.objects.count() == 1
    Archive.objects.update(enabled=False)
    points.sweep()
    assert Attention.objects.count() == 2


@pytest.mark.acceptance("CL209")
@pytest.mark.parametrize(
    ("study", "is_told"),
    [
        pytest.param({}, True, id="it is settled"),
        pytest.param({"grew_at": at(1), "asked_at": at(1)}, False, id="it may grow"),
        pytest.param({"gone_at": at(1)}, False, id="it is gone, and may come again"),
    ],
)
def test_people_are_told_of_what_is_there_and_shows_nothing(
    archive: Archive, study: dict[str, Any], *, is_told: bool
) -> None:
    """Two appointments of one study: which of them was it? Without a word both would wait for ever."""
    item = an_item(scheduled_start_date=YESTERDAY)
    step = an_item(
        scheduled_start_date=YESTERDAY,
        scheduled_start_time="1500",
        study_instance_uid=item.study_instance_uid,
    )
    found(archive, item, **study)
    for each in (item, step):
        asked(archive, each, Finding.FOUND, at(1))
    assert complete(archive) == 0

    points.sweep()

    told = Attention.objects.open().filter(kind=AttentionKind.NOT_PERFORMED)
    assert set(told.values_list("item", flat=True)) == ({item.pk, step.pk} if is_told else set())


@pytest.mark.acceptance("CL104")
def test_pages_say_what_the_archive_answered(archive: Archive, client: Client, bob: User) -> None:
    item = an_item(scheduled_start_date=YESTERDAY)
    client.force_login(bob)
    page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
    day = f"{reverse('admin:index')}?day={YESTERDAY.isoformat()}"

    check = asked(archive, item, Finding.NOT_ASKED, None)
    assert "PACS was not asked yet." in client.get(page).content.decode()
    check.finding, check.asked_at = Finding.NOT_FOUND, at(0) + timedelta(minutes=5)
    check.save()
    for url in (page, day):
        told = client.get(url).content.decode()
        assert "PACS asked " in told
        assert ": not there." in told
    check.finding = Finding.DIFFERS
    check.save()
    found(archive, item, patient_id="P9")
    assert "there, but it is there under another patient ID." in client.get(page).content.decode()


def test_an_awaiter_is_registered_once() -> None:
    awaiter = awaiting.Awaiter(lambda items: Q(pk=0), lambda pks: {})
    before = list(awaiting._AWAITERS)
    try:
        awaiting.register(awaiter)
        awaiting.register(awaiter)
        assert [*before, awaiter] == awaiting._AWAITERS
    finally:
        awaiting._AWAITERS[:] = before


# However many there are


@pytest.mark.acceptance("CL210")
def test_what_is_in_doubt_hinders_nothing_that_is_not(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completing, "MOST_AT_ONCE", 1)
    found(archive, an_item(scheduled_start_date=YESTERDAY), patient_id="P9")
    item = an_item(patient_id="P2")
    found(archive, item)
    assert complete(archive) == 1
    assert state_of(item) == (Status.COMPLETED, PerformedBy.ARCHIVE)


@pytest.mark.acceptance("CL210")
def test_hundreds_of_open_items_cost_no_more_queries_than_one(archive: Archive) -> None:
    other = Archive.objects.create(name="VNA", host="127.0.0.1", port=105, called_ae_title="VNA")
    counts = []
    for first, last in ((0, 1), (1, 30)):
        for number in range(first, last):
            item = an_item(patient_id=f"P{number}", scheduled_start_date=YESTERDAY)
            for each in (archive, other):
                found(each, item, patient_id="P99")
                asked(each, item, Finding.FOUND, at(1))
        with CaptureQueriesContext(connection) as captured:
            assert awaiting.overdue(WorklistItem.objects.all(), TODAY()).count() == last
            assert complete(archive) == 0
        counts.append(len(captured))
    assert counts[0] == counts[1] < 20


# As the worker asks


def one_round(archive: Archive, pacs: FakeArchive, *, later_by: timedelta = timedelta()) -> None:
    """Ask the archive as the worker does; what it answered before is as long ago as `later_by` says."""
    ArchivedStudy.objects.update(grew_at=F("grew_at") - later_by, asked_at=F("asked_at") - later_by)
    ArchiveCheck.objects.update(next_at=F("next_at") - later_by)
    claims.due()
    claim = claims.claim(archive.pk)
    assert claim
    rounds.ask(archive.pk, claim, lambda _archive: pacs)
    claims.release(archive.pk, claim)


@pytest.mark.acceptance("CL101", "CL103")
def test_a_silent_item_is_asked_for_grows_settles_and_is_completed(archive: Archive) -> None:
    item, pacs = an_item(scheduled_start_date=YESTERDAY), FakeArchive()
    one_round(archive, pacs)
    assert ArchiveCheck.objects.get().finding == Finding.NOT_FOUND
    assert state_of(item) == (Status.SCHEDULED, "")

    pacs.add(study_of(item, modalities=("US",)), series_of(["1.2.9.1"]))
    one_round(archive, pacs, later_by=timedelta(hours=1))
    study = ArchivedStudy.objects.get()
    assert ArchiveCheck.objects.get().next_at == study.grew_at + SETTLED
    assert state_of(item) == (Status.SCHEDULED, "")

    pacs.add(study_of(item, modalities=("US",)), series_of(["1.2.9.1", "1.2.9.2"]))
    one_round(archive, pacs, later_by=timedelta(minutes=16))
    assert state_of(item) == (Status.SCHEDULED, "")

    one_round(archive, pacs, later_by=timedelta(minutes=16))
    assert state_of(item) == (Status.COMPLETED, PerformedBy.ARCHIVE)
    assert "2 series, 4 images" in item.history.first().history_change_reason
    assert not Attention.objects.open().exists()


@pytest.mark.acceptance("CL101")
def test_another_persons_images_under_the_items_study_complete_nothing(archive: Archive) -> None:
    item, pacs = an_item(scheduled_start_date=YESTERDAY), FakeArchive()
    pacs.add(study_of(item, modalities=("US",), patient_id="P9"), series_of(["1.2.9.1"]))
    one_round(archive, pacs)
    one_round(archive, pacs, later_by=timedelta(hours=2))
    assert state_of(item) == (Status.SCHEDULED, "")
    assert AttentionKind.IMAGES_IDENTITY in set(Attention.objects.open().values_list("kind", flat=True))
    points.sweep()
    assert not Attention.objects.open().filter(kind=AttentionKind.NOT_PERFORMED).exists()
