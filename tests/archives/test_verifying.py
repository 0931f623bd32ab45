"""An archive is asked after an examination has ended; its answers open points of attention and close them.

Not here: how studies are dealt to sessions (test_belonging.py), what speaks to real archives.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archives.contract import FoundStudy
from archives.models import Archive, ArchiveCheck, ArchivedStudy, ArchiveState, Finding
from archives.verifying import claims, due, pseudonymous, reviewing, rounds, strays
from pylantir_site.privacy import erasing, participants
from sources.errors import ConfigurationError, SlowError, TransientError
from tests.archives.fake import FakeArchive, series_of, study_of
from tests.worklist.performed_steps import begun, completed, discontinued, new_uid, series
from tests.worklist.reported import an_item, reported, updated
from worklist.attention import points
from worklist.examinations import weighing
from worklist.items import intake
from worklist.models import Attention, AttentionKind, Device, PerformedStep, WorklistItem

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=6)


@pytest.fixture
def pacs() -> FakeArchive:
    return FakeArchive()


@pytest.fixture
def archive() -> Archive:
    made: Archive = Archive.objects.create(name="PACS", host="127.0.0.1", port=104, called_ae_title="PACS")
    return made


def scheduled(**values: Any) -> WorklistItem:
    today = timezone.localdate()
    return an_item(**{"patient_weight_kg": "70", "scheduled_start_date": today, **values})


def performed(
    item: WorklistItem, *, ago: timedelta = LATER, numbers: tuple[int, ...] = (1, 2), **changes: Any
) -> list[str]:
    """Have the item performed with these series, and return their UIDs."""
    done = [series(number) for number in numbers]
    step = updated(reported(begun(item, **changes)), completed(*done))
    PerformedStep.objects.filter(pk=step.pk).update(finished_at=timezone.now() - ago)
    return [str(each.SeriesInstanceUID) for each in done]


def arrived(
    pacs: FakeArchive, item: WorklistItem, uids: list[str], weight: str = "70", **changes: Any
) -> FoundStudy:
    return pacs.add(study_of(item, **changes), series_of(uids, weight=weight))


def ask(archive: Archive, pacs: FakeArchive) -> int:
    """Ask the archive as the worker does, whatever the time, for all that it is ever to be asked for."""
    claims.due()
    ArchiveState.objects.filter(archive=archive).update(next_listing_at=None)
    due.note_ended(archive, now=timezone.now())
    ArchiveCheck.objects.filter(archive=archive, next_at__isnull=False).update(next_at=timezone.now())
    settle()
    claim = claims.claim(archive.pk)
    assert claim
    try:
        return rounds.ask(archive.pk, claim, lambda _archive: pacs)
    finally:
        claims.release(archive.pk, claim)


def settle() -> None:
    """Let what arrived have been there for a while."""
    ArchivedStudy.objects.update(grew_at=timezone.now() - timedelta(hours=1))


def asked_twice(archive: Archive, pacs: FakeArchive) -> None:
    ask(archive, pacs)
    ask(archive, pacs)


def told() -> dict[str, str]:
    return dict(Attention.objects.open().values_list("kind", "text"))


def finding() -> str:
    return str(ArchiveCheck.objects.get().finding)


def test_what_arrived_as_it_was_scheduled_needs_nobody(archive: Archive, pacs: FakeArchive) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item))
    asked_twice(archive, pacs)
    assert (told(), finding()) == ({}, Finding.FOUND)
    row = ArchivedStudy.objects.get()
    assert (row.item, row.series_count, row.image_count, row.patient_weight_kg) == (item, 2, 4, Decimal(70))


WRONG = {
    "another ID": (
        {"patient_id": "P9"},
        AttentionKind.IMAGES_IDENTITY,
        "Patient ID: P1 in the worklist, P9 in the archive PACS.",
    ),
    "another name": (
        {"patient_name": "Doe^Jon"},
        AttentionKind.IMAGES_IDENTITY,
        "Name: Doe, John in the worklist, Doe, Jon in the archive PACS.",
    ),
    "another sex": (
        {"patient_sex": "F"},
        AttentionKind.IMAGES_IDENTITY,
        "Sex: M in the worklist, F in the archive PACS.",
    ),
    "another birth date": (
        {"patient_birth_date": date(1980, 2, 28)},
        AttentionKind.IMAGES_IDENTITY,
        "Birth date: 1980-02-29 in the worklist, 1980-02-28 in the archive PACS.",
    ),
    "another weight": (
        {"weight": "95"},
        AttentionKind.IMAGES_WEIGHT,
        "Weight (kg): 70.00 in the worklist, 95 in the archive PACS.",
    ),
}


@pytest.mark.acceptance("CL63")
@pytest.mark.parametrize(("changes", "kind", "text"), WRONG.values(), ids=WRONG)
def test_images_of_another_person_are_pointed_out_until_the_archive_is_right(
    archive: Archive, pacs: FakeArchive, changes: dict[str, Any], kind: AttentionKind, text: str
) -> None:
    item = scheduled()
    uids = performed(item)
    arrived(pacs, item, uids, **changes)
    asked_twice(archive, pacs)
    assert (told(), finding()) == ({kind: text}, Finding.DIFFERS)

    arrived(pacs, item, uids)
    ask(archive, pacs)

    assert (told(), finding()) == ({}, Finding.FOUND)
    closed = Attention.objects.get()
    assert (closed.resolved_by, closed.note) == (points.BY_ITSELF, "No longer so. As archive:PACS answers.")


@pytest.mark.acceptance("CL64")
@pytest.mark.parametrize(
    "changes",
    [
        {"patient_name": "DOE^JOHN"},
        {"patient_name": "Doe^John^^^"},
        {"patient_name": "Doe^John=王^小明"},
        {"patient_name": "", "patient_sex": "", "patient_birth_date": None},
        {"weight": "70.4"},
        {"patient_id": ""},
    ],
)
def test_what_dicom_allows_to_be_written_otherwise_is_no_difference(
    archive: Archive, pacs: FakeArchive, changes: dict[str, Any]
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), **changes)
    asked_twice(archive, pacs)
    assert told() == {}


@pytest.mark.acceptance("CL64")
def test_a_name_that_lost_its_letters_on_the_way_is_no_difference(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled(patient_name="Wałęsa^Łukasz")
    arrived(pacs, item, performed(item), patient_name="Wasa^ukasz")
    ask(archive, pacs)
    assert told() == {}


@pytest.mark.acceptance("CL65")
def test_the_weight_that_was_typed_at_the_console_is_taken_over_from_the_images(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), weight="95.5")
    ask(archive, pacs)
    point = Attention.objects.open().get(kind=AttentionKind.IMAGES_WEIGHT)
    assert weighing.why_not_taken(point) == ""

    weighing.take_scanners(point, actor="bob", seen=point.text)

    item.refresh_from_db()
    assert (item.patient_weight_kg, told()) == (Decimal("95.5"), {})
    ask(archive, pacs)
    assert (told(), finding()) == ({}, Finding.FOUND)


@pytest.mark.acceptance("CL65")
def test_nobody_takes_the_weight_of_images_that_may_be_another_persons(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), weight="95", patient_id="P9")
    ask(archive, pacs)
    point = Attention.objects.open().get(kind=AttentionKind.IMAGES_WEIGHT)
    with pytest.raises(weighing.WeightRefused, match="First settle who was examined"):
        weighing.take_scanners(point, actor="bob")


def test_a_weight_that_the_report_told_already_is_not_told_twice(archive: Archive, pacs: FakeArchive) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item, PatientWeight="95"), weight="95")
    ask(archive, pacs)
    assert list(told()) == [AttentionKind.WEIGHT]
    weighing.keep_ours(Attention.objects.get(kind=AttentionKind.WEIGHT), actor="bob")
    ask(archive, pacs)
    assert told() == {}


def test_a_device_has_its_own_tolerance(archive: Archive, pacs: FakeArchive) -> None:
    Device.objects.create(ae_title="MR1", weight_tolerance_kg=30)
    item = scheduled()
    arrived(pacs, item, performed(item), weight="95")
    ask(archive, pacs)
    assert told() == {}


@pytest.mark.acceptance("CL66")
def test_images_are_missed_only_after_some_hours_and_until_they_come(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    uids = performed(item, ago=timedelta(hours=1))
    ask(archive, pacs)
    assert (told(), finding()) == ({}, Finding.NOT_FOUND)

    PerformedStep.objects.update(finished_at=timezone.now() - LATER)
    ask(archive, pacs)
    assert told() == {AttentionKind.NOT_ARCHIVED: "Not in the archive PACS."}

    arrived(pacs, item, uids)
    ask(archive, pacs)
    assert (told(), finding()) == ({}, Finding.FOUND)


@pytest.mark.acceptance("CL66")
def test_an_examination_that_was_stopped_before_any_image_is_not_missed(
    archive: Archive, pacs: FakeArchive
) -> None:
    step = updated(reported(begun(scheduled())), discontinued(PerformedSeriesSequence=[]))
    PerformedStep.objects.filter(pk=step.pk).update(finished_at=timezone.now() - LATER)
    ask(archive, pacs)
    assert (told(), finding()) == ({}, Finding.NOT_FOUND)


@pytest.mark.acceptance("CL67")
def test_series_that_were_reported_and_never_came_are_named(archive: Archive, pacs: FakeArchive) -> None:
    item = scheduled()
    uids = performed(item, numbers=(1, 2, 3))
    arrived(pacs, item, uids[:1])
    ask(archive, pacs)
    assert told() == {}, "They may still be on their way."
    ask(archive, pacs)
    (text,) = told().values()
    assert text.startswith("In the archive PACS: 1 of 3 series that the scanner reported. Not there: ")

    # What the archive made itself is no series of the scanner's.
    pacs.add(study_of(item), series_of([uids[0], "1.2.3.4", "1.2.3.5"], weight="70"))
    asked_twice(archive, pacs)
    assert list(told()) == [AttentionKind.FEWER_SERIES]

    arrived(pacs, item, uids)
    ask(archive, pacs)
    assert told() == {}


@pytest.mark.acceptance("CL68")
def test_a_study_uid_of_the_consoles_own_is_found_by_patient_and_day(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), study_instance_uid=new_uid(), accession_number="")
    asked_twice(archive, pacs)
    assert (told(), finding()) == ({}, Finding.FOUND)


@pytest.mark.acceptance("CL68")
def test_two_studies_of_one_session_are_pointed_out_until_they_are_one(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    uids = performed(item)
    arrived(pacs, item, uids[:1])
    other = arrived(pacs, item, uids[1:], study_instance_uid=new_uid(), accession_number="")
    asked_twice(archive, pacs)
    day = item.scheduled_start_date.isoformat()
    expected = f"2 studies in the archive PACS: {day} 09:00, {day} 09:00."
    assert told() == {AttentionKind.TWO_STUDIES: expected}

    pacs.remove(other.study_instance_uid)
    arrived(pacs, item, uids)
    ask(archive, pacs)
    assert told() == {}
    assert ArchivedStudy.objects.get(study_instance_uid=other.study_instance_uid).gone_at is not None


@pytest.fixture
def known_scanner() -> Device:
    made: Device = Device.objects.create(ae_title="MR1", station_name="MRC35127", modality="MR")
    return made


def stray(pacs: FakeArchive, *, station: str = "MRC35127", **changes: Any) -> FoundStudy:
    study = FoundStudy(
        new_uid(),
        patient_id="X7",
        patient_name="Poe^Mary",
        study_date=timezone.localdate(),
        modalities=("MR",),
    )
    return pacs.add(FoundStudy(**{**vars(study), **changes}), series_of(["1.2.3"], station=station))


@pytest.mark.acceptance("CL69")
@pytest.mark.usefixtures("known_scanner")
def test_a_study_that_nobody_scheduled_is_pointed_out_until_it_is_gone(
    archive: Archive, pacs: FakeArchive
) -> None:
    study = stray(pacs)
    asked_twice(archive, pacs)
    point = Attention.objects.open().get()
    assert (point.kind, point.study_instance_uid) == (AttentionKind.STRAY_STUDY, study.study_instance_uid)
    assert point.text.startswith("Of MRC35127 on ")
    assert point.text.endswith(" in the archive PACS, and nobody scheduled it: Poe, Mary, X7.")

    pacs.remove(study.study_instance_uid)
    ask(archive, pacs)
    strays.review_open(now=timezone.now())
    assert told() == {}


@pytest.mark.acceptance("CL69")
@pytest.mark.usefixtures("known_scanner")
def test_a_study_that_is_scheduled_afterwards_is_nobodys_no_longer(
    archive: Archive, pacs: FakeArchive
) -> None:
    study = stray(pacs)
    ask(archive, pacs)
    scheduled(study_instance_uid=study.study_instance_uid)
    strays.review_open(now=timezone.now())
    assert told() == {}


@pytest.mark.acceptance("CL69")
@pytest.mark.usefixtures("known_scanner")
def test_of_studies_of_other_scanners_nothing_is_kept_but_their_uid_and_day(
    archive: Archive, pacs: FakeArchive
) -> None:
    study = stray(pacs, station="ELSEWHERE")
    stray(pacs, modalities=("CT",))
    ask(archive, pacs)
    questions = len(pacs.asked)
    ask(archive, pacs)
    assert told() == {}
    row = ArchivedStudy.objects.get()
    assert (row.study_instance_uid, row.patient_id, row.patient_name) == (study.study_instance_uid, "", "")
    assert pacs.asked[questions:] == ["day", "day"], "It is not asked for again."


@pytest.mark.acceptance("CL205")
@pytest.mark.usefixtures("known_scanner")
@pytest.mark.parametrize(
    ("until", "comes_back"),
    [(None, False), (timedelta(), False), (timedelta(days=-1), True)],
    ids=["for good", "until today", "until yesterday"],
)
def test_whom_a_site_has_erased_no_archive_brings_back(
    archive: Archive, pacs: FakeArchive, until: timedelta | None, *, comes_back: bool
) -> None:
    item = scheduled(patient_id="X7", patient_name="Poe^Mary")
    arrived(pacs, item, performed(item))
    ask(archive, pacs)
    (person,) = participants.find("X7")
    last = None if until is None else timezone.localdate() + until
    order = erasing.Order("alice", until=last)

    erasing.erase("X7", participants.digest(person), order)
    asked_twice(archive, pacs)

    back = ArchivedStudy.objects.filter(patient_id="X7")
    assert (back.exists(), AttentionKind.STRAY_STUDY in told()) == (comes_back, comes_back)


@pytest.mark.acceptance("CL205")
def test_who_is_erased_while_the_archive_answers_is_not_written_down_again(
    archive: Archive, pacs: FakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, other = scheduled(), scheduled(patient_id="P2", patient_name="Roe^Jane")
    for each in (item, other):
        arrived(pacs, each, performed(each))
    answered = pacs.series

    def series_while_erased(uid: str) -> Any:
        WorklistItem.objects.filter(pk=item.pk).update(erased_at=timezone.now())
        return answered(uid)

    monkeypatch.setattr(pacs, "series", series_while_erased)
    ask(archive, pacs)

    assert {row.item_id for row in ArchivedStudy.objects.all()} == {other.pk}
    assert {check.item_id for check in ArchiveCheck.objects.exclude(asked_at=None)} == {other.pk}


@pytest.mark.usefixtures("known_scanner")
def test_an_archive_may_be_told_not_to_look_for_studies_that_nobody_scheduled(
    archive: Archive, pacs: FakeArchive
) -> None:
    stray(pacs)
    archive.tells_stray_studies = False
    archive.save()
    ask(archive, pacs)
    assert (told(), ArchivedStudy.objects.count()) == ({}, 0)


def test_an_archive_with_more_studies_of_a_day_than_it_answers_is_asked_by_uid_and_patient(
    archive: Archive, pacs: FakeArchive
) -> None:
    items = [scheduled(patient_id=f"P{number}", patient_name=f"Doe^{number}") for number in range(3)]
    for item in items:
        own = {} if item is items[0] else {"study_instance_uid": new_uid(), "accession_number": ""}
        arrived(pacs, item, performed(item), **own)
    pacs.most = 2
    ask(archive, pacs)
    assert set(ArchiveCheck.objects.values_list("finding", flat=True)) == {Finding.FOUND}
    state = ArchiveState.objects.get()
    assert "more studies" in state.days_problem
    assert (state.failures, state.problem) == (0, "")


@pytest.mark.acceptance("CL70")
def test_an_archive_that_fails_is_left_alone_longer_each_time_and_then_asked_again(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item))
    pauses = []
    for _number in range(3):
        pacs.failure = TransientError("The archive does not answer.")
        ask(archive, pacs)
        state = ArchiveState.objects.get()
        assert state.next_round_at is not None
        pauses.append(round((state.next_round_at - timezone.now()).total_seconds() / 60))
    assert pauses == [1, 2, 4]
    assert (state.failures, state.problem) == (3, "The archive does not answer.")
    assert claims.due() == []
    check = ArchiveCheck.objects.get()
    assert (check.finding, check.failures, check.asked_at) == (Finding.FAILED, 3, None)
    assert told() == {}, "What was not asked is not missed."

    pacs.failure = None
    ask(archive, pacs)
    check.refresh_from_db()
    state.refresh_from_db()
    assert (check.finding, check.failures, check.problem) == (Finding.FOUND, 0, "")
    assert (state.failures, state.failing_since, state.problem) == (0, None, "")


@pytest.mark.acceptance("CL70")
def test_an_archive_that_fails_keeps_what_it_answered_before(archive: Archive, pacs: FakeArchive) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), patient_id="P9")
    ask(archive, pacs)
    pacs.failure = ConfigurationError("The archive is set up wrongly.")
    ask(archive, pacs)
    assert finding() == Finding.DIFFERS
    assert list(told()) == [AttentionKind.IMAGES_IDENTITY]


def test_two_archives_are_looked_through_by_themselves_and_told_in_one_point(
    archive: Archive, pacs: FakeArchive
) -> None:
    other, vna = Archive.objects.create(name="VNA"), FakeArchive()
    item = scheduled()
    uids = performed(item)
    arrived(pacs, item, uids, patient_id="P9")
    arrived(vna, item, uids, patient_id="P8")
    ask(archive, pacs)
    ask(other, vna)
    assert told()[AttentionKind.IMAGES_IDENTITY].splitlines() == [
        "Patient ID: P1 in the worklist, P9 in the archive PACS.",
        "Patient ID: P1 in the worklist, P8 in the archive VNA.",
    ]
    arrived(vna, item, uids)
    ask(other, vna)
    assert told() == {
        AttentionKind.IMAGES_IDENTITY: "Patient ID: P1 in the worklist, P9 in the archive PACS."
    }
    other.stations = "PET1"
    other.save()
    later = scheduled(patient_id="P2", patient_name="Roe^Jane", scheduled_station_aetitle="MR1")
    performed(later)
    ask(other, vna)
    assert not ArchiveCheck.objects.filter(archive=other, item=later).exists(), "It holds others' images."


@pytest.mark.acceptance("CL61")
def test_an_item_is_asked_for_some_minutes_after_its_last_step_has_ended(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    performed(item, ago=timedelta(minutes=10))
    running = reported(begun(item))
    now = timezone.now()
    assert due.note_ended(archive, now=now) == 0, "A step of it runs."

    updated(running, completed(series(7)))
    assert due.note_ended(archive, now=timezone.now()) == 1
    assert due.note_ended(archive, now=timezone.now()) == 0
    check = ArchiveCheck.objects.get()
    ended = PerformedStep.objects.get(pk=running.pk).finished_at
    assert ended is not None
    assert check.next_at == ended + timedelta(minutes=archive.first_after_minutes)
    assert check.until == ended + timedelta(days=archive.days)
    assert due.next_after(check, now=now) == now + timedelta(hours=1)
    assert due.next_after(check, now=check.until) is None


@pytest.mark.acceptance("CL62")
def test_a_step_that_is_linked_late_or_repeated_has_the_archive_asked(archive: Archive) -> None:
    item = scheduled()
    performed(item)
    due.note_ended(archive, now=timezone.now())
    ArchiveCheck.objects.update(next_at=None, finding=Finding.FOUND)
    performed(item, ago=timedelta(minutes=1), numbers=(5,))
    assert due.note_ended(archive, now=timezone.now()) == 1
    assert ArchiveCheck.objects.get().next_at is not None


@pytest.mark.acceptance("CL71")
def test_an_archive_is_asked_by_one_worker_at_a_time_and_nothing_is_stuck_with_a_dead_one(
    archive: Archive,
) -> None:
    assert claims.due() == [archive]
    first = claims.claim(archive.pk)
    assert first
    assert claims.claim(archive.pk) == ""
    assert claims.due() == []
    ArchiveState.objects.update(claimed_at=timezone.now() - claims.LEASE * 2)
    assert claims.due() == []
    assert claims.due(timezone.now() + claims.BETWEEN_ROUNDS) == [archive]
    second = claims.claim(archive.pk)
    assert second
    assert not claims.holds(archive.pk, first)
    claims.release(archive.pk, first)
    assert claims.holds(archive.pk, second)
    assert rounds.ask(archive.pk, first, lambda _archive: pytest.fail("It is asked by another.")) == 0


@pytest.mark.acceptance("CL207")
def test_an_archive_that_hung_is_tried_for_a_moment_before_it_is_asked_in_earnest(
    archive: Archive, pacs: FakeArchive
) -> None:
    archive.read_timeout = 240
    archive.save()
    patience = []

    def opened(asked: Archive) -> FakeArchive:
        patience.append(asked.read_timeout)
        return pacs

    for failure in (SlowError("It did not answer."), SlowError("It did not answer."), None):
        pacs.failure = failure
        claims.due()
        claim = claims.claim(archive.pk)
        rounds.ask(archive.pk, claim, opened)
        claims.release(archive.pk, claim)

    assert patience == [240, rounds.PATIENCE, rounds.PATIENCE, 240]
    assert pacs.asked == ["test", "day", "day"]
    assert ArchiveState.objects.get().failures == 0


@pytest.mark.acceptance("CL72")
def test_a_round_asks_no_more_than_it_may_and_the_next_goes_on(archive: Archive, pacs: FakeArchive) -> None:
    for number in range(12):
        item = scheduled(patient_id=f"P{number}", patient_name=f"Doe^{number}")
        arrived(pacs, item, performed(item))
    archive.questions_per_minute = 6
    archive.save()
    claims.due()
    due.note_ended(archive, now=timezone.now())
    counts = []
    for _number in range(4):
        before = pacs.questions
        rounds.ask(archive.pk, claims.claim(archive.pk), lambda _archive: pacs)
        ArchiveState.objects.update(claim="")
        counts.append(pacs.questions - before)
    assert max(counts) <= 6 + 1
    assert ArchiveCheck.objects.filter(finding=Finding.FOUND).count() == 12


@pytest.mark.acceptance("CL73")
def test_what_a_person_has_resolved_stays_so_while_it_is_the_same(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), patient_id="P9")
    ask(archive, pacs)
    points.resolve(Attention.objects.get(), actor="bob", note="Told the radiographer.")
    ask(archive, pacs)
    assert told() == {}
    pacs.change(item.study_instance_uid, patient_id="P8")
    ask(archive, pacs)
    assert list(told()) == [AttentionKind.IMAGES_IDENTITY]


@pytest.mark.acceptance("CL73")
def test_an_item_that_is_corrected_is_right_without_a_question(archive: Archive, pacs: FakeArchive) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item, PatientSex="F"), patient_sex="F")
    ask(archive, pacs)
    questions = pacs.questions
    intake.change(item, {"patient_sex": "F"}, actor="alice", reason="Typed wrongly", corrects=True)
    assert reviewing.review_changed() == 1
    assert (told(), pacs.questions) == ({}, questions)


def test_an_archive_that_is_asked_no_more_says_nothing(archive: Archive, pacs: FakeArchive) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), patient_sex="F")
    ask(archive, pacs)
    archive.enabled = False
    archive.save()
    reviewing.review_changed()
    assert told() == {}
    assert claims.due() == []


@pytest.mark.acceptance("CL72")
def test_a_thousand_items_cost_a_bounded_number_of_questions(archive: Archive, pacs: FakeArchive) -> None:
    """Forty stand for a thousand: a list for 50 items, and a question for each study."""
    for number in range(40):
        item = scheduled(patient_id=f"P{number}", patient_name=f"Doe^{number}")
        arrived(pacs, item, performed(item))
    assert ask(archive, pacs) == 2 + 40
    assert ask(archive, pacs) == 2 + 40 + 2, "What has not changed is not asked for again."


def test_a_round_takes_as_many_statements_for_thirty_items_as_for_ten(
    archive: Archive, pacs: FakeArchive
) -> None:
    def statements(numbers: range) -> int:
        for number in numbers:
            item = scheduled(patient_id=f"P{number}", patient_name=f"Doe^{number}")
            arrived(pacs, item, performed(item))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            ask(archive, pacs)
        return len(captured)

    assert statements(range(10)) + 5 >= statements(range(10, 30))


@pytest.fixture
def of_pseudonyms(archive: Archive) -> Archive:
    archive.has_pseudonyms = True
    archive.save()
    return archive


PSEUDONYM: dict[str, Any] = {
    "patient_id": "SUB-0042",
    "patient_name": "SUB-0042",
    "patient_birth_date": date(1900, 1, 1),
    "patient_sex": "O",
}
NOT_COMPARED = [
    pytest.param(PSEUDONYM, {}, {}, id="another person"),
    pytest.param({**PSEUDONYM, "weight": "95"}, {}, WRONG["another weight"], id="another weight"),
    pytest.param({**PSEUDONYM, "study_instance_uid": "1.2.9"}, {}, {}, id="its accession number"),
    pytest.param(
        {**PSEUDONYM, "study_instance_uid": "1.2.9", "accession_number": ""},
        {},
        (None, AttentionKind.NOT_ARCHIVED, "Not in the archive PACS."),
        id="neither UID nor accession number",
    ),
    pytest.param(
        {"study_instance_uid": "1.2.9", "accession_number": ""},
        {},
        (None, AttentionKind.NOT_ARCHIVED, "Not in the archive PACS."),
        id="another's pseudonym that is the patient ID here",
    ),
    pytest.param(
        PSEUDONYM,
        {"numbers": (1, 2, 3)},
        (None, AttentionKind.FEWER_SERIES, "In the archive PACS: 2 of 3 series"),
        id="fewer series",
    ),
]


@pytest.mark.acceptance("CL217")
@pytest.mark.parametrize(("changes", "done", "expected"), NOT_COMPARED)
def test_an_archive_of_pseudonyms_is_compared_in_all_but_who_it_is(
    of_pseudonyms: Archive, pacs: FakeArchive, changes: dict[str, Any], done: Any, expected: Any
) -> None:
    item = scheduled(accession_number="A77")
    uids = performed(item, **done)
    arrived(pacs, item, uids[:2], **changes)
    asked_twice(of_pseudonyms, pacs)

    kinds = {expected[1]} if expected else set()
    assert set(told()) == kinds
    assert all(text.startswith(expected[2]) for text in told().values())
    assert "patient" not in pacs.asked


@pytest.mark.acceptance("CL218")
def test_of_an_archive_of_pseudonyms_nobodys_identity_is_kept(
    of_pseudonyms: Archive, pacs: FakeArchive, known_scanner: Device
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), **PSEUDONYM)
    stray(pacs, patient_id="SUB-0043", patient_name="SUB-0043")
    ask(of_pseudonyms, pacs)

    kept = ArchivedStudy.objects.values_list(*pseudonymous.NOBODY)
    assert set(kept) == {("", "", None, "")}
    assert ArchivedStudy.objects.count() == 2
    assert "SUB" not in "".join(told().values())
    assert list(told()) == [AttentionKind.STRAY_STUDY]


@pytest.mark.acceptance("CL218")
def test_what_was_told_before_an_archive_was_said_to_have_pseudonyms_is_over(
    archive: Archive, pacs: FakeArchive
) -> None:
    items = [scheduled(patient_id=f"P{number}", patient_name=f"Doe^{number}") for number in range(3)]
    for item in items[:2]:
        arrived(pacs, item, performed(item), **PSEUDONYM)
    by_id = arrived(pacs, items[2], performed(items[2]), study_instance_uid="1.2.9", accession_number="")
    ask(archive, pacs)
    assert set(told()) == {AttentionKind.IMAGES_IDENTITY}
    questions = pacs.questions
    assert pseudonymous.forget(now=timezone.now()) == 0

    archive.has_pseudonyms = True
    archive.save()
    assert pseudonymous.forget(now=timezone.now()) == 3
    assert pseudonymous.forget(now=timezone.now()) == 0

    assert (list(told()), pacs.questions) == ([AttentionKind.NOT_ARCHIVED], questions)
    findings = ArchiveCheck.objects.order_by("item").values_list("finding", flat=True)
    assert list(findings) == [Finding.FOUND, Finding.FOUND, Finding.NOT_FOUND]
    assert ArchivedStudy.objects.get(study_instance_uid=by_id.study_instance_uid).item is None
    closed = Attention.objects.filter(kind=AttentionKind.IMAGES_IDENTITY)
    assert {point.note for point in closed} == {"No longer so. The archive has pseudonyms."}


@pytest.mark.acceptance("CL218")
def test_an_archive_of_pseudonyms_that_is_asked_no_more_keeps_nobody(
    archive: Archive, pacs: FakeArchive
) -> None:
    item = scheduled()
    arrived(pacs, item, performed(item), **PSEUDONYM)
    ask(archive, pacs)
    archive.has_pseudonyms, archive.enabled = True, False
    archive.save()

    assert pseudonymous.forget(now=timezone.now()) == 1

    assert ArchivedStudy.objects.get().patient_id == ""
    assert told() == {}
