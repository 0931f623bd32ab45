"""What archives answered of a participant is exported with the rest, and erased with the rest."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from archives import retention
from archives.models import Archive, ArchiveCheck, ArchivedStudy
from pylantir_site.privacy import erasing, exporting, participants
from tests.archives.making import a_study, an_archive
from tests.worklist.conftest import make_item
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db

JANE: dict[str, Any] = {
    "patient_id": "P1",
    "patient_name": "Qwertz^Jane",
    "patient_birth_date": date(1980, 1, 17),
    "patient_sex": "F",
}
SOMEBODY = {**JANE, "patient_name": "Else^Some", "patient_birth_date": date(1950, 1, 1), "patient_sex": "M"}


@pytest.fixture
def archive() -> Archive:
    return an_archive()


@pytest.fixture
def item(archive: Archive) -> WorklistItem:
    """Give an item of Jane's, who has studies in the archive by item, by UID and by patient ID."""
    item: WorklistItem = make_item(**JANE, study_instance_uid="1.2.3.1")
    item.save()
    a_study(archive, study_instance_uid="1.2.3.1", **JANE)
    a_study(archive, study_instance_uid="1.2.3.2", item=item, patient_id="TYPED", patient_name="Wrong^Typed")
    a_study(archive, study_instance_uid="1.2.3.3", **JANE)
    a_study(archive, study_instance_uid="1.2.3.4", **SOMEBODY)
    a_study(archive, study_instance_uid="1.2.3.5", **{**JANE, "patient_id": "P2"})
    ArchiveCheck.objects.create(
        archive=archive, item=item, until=timezone.now(), problem="Qwertz^Jane was there"
    )
    return item


def jane() -> Any:
    [found] = [each for each in participants.find("P1") if each.items]
    return found


@pytest.mark.acceptance("CL57")
def test_an_erased_participants_studies_go_and_no_others(item: WorklistItem) -> None:
    participant = jane()

    erasure = erasing.erase("P1", participants.digest(participant), erasing.Order("alice"))

    left = set(ArchivedStudy.objects.values_list("study_instance_uid", flat=True))
    assert left == {"1.2.3.4", "1.2.3.5"}
    assert not ArchiveCheck.objects.exists()
    assert erasure.counts["studies in archives"] == 3
    assert erasure.counts["checks of archives"] == 1


@pytest.mark.acceptance("CL57")
def test_an_export_has_the_studies_and_no_others(item: WorklistItem) -> None:
    known = exporting.known_of(jane())

    assert [row["study_instance_uid"] for row in known["studies_in_archives"]] == [
        "1.2.3.1",
        "1.2.3.2",
        "1.2.3.3",
    ]
    assert [row["item_id"] for row in known["checks_of_archives"]] == [item.pk]


@pytest.mark.acceptance("CL57")
def test_whom_only_an_archive_names_is_found_and_erased(archive: Archive) -> None:
    a_study(archive, **JANE)

    [found] = participants.find("P1")
    erasing.erase("P1", participants.digest(found), erasing.Order("alice"))

    assert not ArchivedStudy.objects.exists()


@pytest.mark.acceptance("CL58")
def test_studies_of_no_item_are_forgotten_after_a_while(item: WorklistItem, archive: Archive) -> None:
    ArchivedStudy.objects.update(asked_at=timezone.now() - timedelta(days=91))
    a_study(archive, study_instance_uid="1.2.3.9")

    retention.prune()

    kept = set(ArchivedStudy.objects.values_list("study_instance_uid", flat=True))
    assert kept == {"1.2.3.2", "1.2.3.9"}  # an item's, and one that was asked for today
