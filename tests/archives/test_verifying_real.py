"""Orthanc and dcmqrscp are asked as the worker asks: what is wrong in them is found, and comes right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone

from archives.models import Archive, ArchiveCheck, ArchivedStudy, ArchiveKind, Authentication, Finding
from archives.opening import opened
from archives.verifying import claims, due, rounds
from tests.archives.dcmqrscp import running_dcmqrscp
from tests.archives.images import MadeSeries, MadeStudy
from tests.archives.orthanc import AE_TITLE, PASSWORD, USER, Orthanc, running_orthanc
from tests.archives.test_verifying import LATER, settle, told
from tests.worklist.performed_steps import begun, completed, new_uid, series
from tests.worklist.reported import an_item, reported, updated
from worklist.models import AttentionKind, Device, PerformedStep, WorklistItem

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PEOPLE = ("right", "named", "heavy", "short", "twice", "missing")


def performed(name: str) -> WorklistItem:
    """Return an item of today that was performed, with two series."""
    item = an_item(
        patient_id=name.upper(),
        patient_name=f"{name.title()}^Jane",
        patient_weight_kg="61.5",
        scheduled_start_date=timezone.localdate(),
    )
    done = [series(number, SeriesInstanceUID=f"{item.study_instance_uid}.{number}") for number in (1, 2)]
    step = updated(reported(begun(item)), completed(*done))
    PerformedStep.objects.filter(pk=step.pk).update(finished_at=timezone.now() - LATER)
    return item


def images_of(item: WorklistItem, **changes: Any) -> MadeStudy:
    born = item.patient_birth_date
    values = {
        "uid": item.study_instance_uid,
        "patient_id": item.patient_id,
        "patient_name": item.patient_name,
        "birth_date": born.strftime("%Y%m%d") if born else "",
        "sex": item.patient_sex,
        "accession_number": item.accession_number,
        "study_date": item.scheduled_start_date.strftime("%Y%m%d"),
        "station_name": "MRC35127",
    }
    return MadeStudy(**{**values, **changes})


def a_morning() -> tuple[dict[str, WorklistItem], list[MadeStudy]]:
    """Return items by what is wrong with their images, and these images."""
    Device.objects.create(ae_title="MR1", station_name="MRC35127", modality="MR")
    items = {name: performed(name) for name in PEOPLE}
    studies = [
        images_of(items["right"]),
        images_of(items["named"], patient_name="Other^Jane", patient_id="OTHER"),
        images_of(items["heavy"], weight="95.5"),
        images_of(items["short"], series=(MadeSeries("1", 1, "Localizer"),)),
        images_of(items["twice"]),
        images_of(items["twice"], uid=new_uid(), accession_number="", study_time="110000"),
        images_of(
            items["right"], uid=new_uid(), patient_id="X7", patient_name="Poe^Mary", accession_number=""
        ),
    ]
    return items, studies


def ask(archive: Archive) -> int:
    claims.due()
    due.note_ended(archive, now=timezone.now())
    ArchiveCheck.objects.filter(next_at__isnull=False).update(next_at=timezone.now())
    archive.state.next_listing_at = None
    archive.state.save()
    settle()
    claim = claims.claim(archive.pk)
    try:
        return rounds.ask(archive.pk, claim, opened)
    finally:
        claims.release(archive.pk, claim)
        archive.refresh_from_db()
        assert archive.state.problem == ""


def findings() -> dict[str, str]:
    return {
        check.item.patient_id.lower(): check.finding for check in ArchiveCheck.objects.select_related("item")
    }


EXPECTED = {
    "right": Finding.FOUND,
    "named": Finding.DIFFERS,
    "heavy": Finding.DIFFERS,
    "short": Finding.DIFFERS,
    "twice": Finding.DIFFERS,
    "missing": Finding.NOT_FOUND,
}
POINTS = {
    AttentionKind.IMAGES_IDENTITY,
    AttentionKind.IMAGES_WEIGHT,
    AttentionKind.FEWER_SERIES,
    AttentionKind.TWO_STUDIES,
    AttentionKind.STRAY_STUDY,
    AttentionKind.NOT_ARCHIVED,
}


def by_c_find(orthanc: Orthanc) -> dict[str, Any]:
    return {
        "kind": ArchiveKind.DICOM,
        "host": "127.0.0.1",
        "port": orthanc.dicom_port,
        "called_ae_title": AE_TITLE,
    }


def by_qido(orthanc: Orthanc) -> dict[str, Any]:
    return {
        "kind": ArchiveKind.DICOMWEB,
        "url": orthanc.dicomweb_url,
        "authentication": Authentication.BASIC,
        "user_name": USER,
    }


@pytest.mark.acceptance("CL63", "CL66", "CL67", "CL68", "CL69")
@pytest.mark.parametrize("access", [by_c_find, by_qido], ids=["C-FIND", "QIDO-RS"])
def test_orthancs_faults_are_found_and_come_right(
    tmp_path: Path, access: Callable[[Orthanc], dict[str, Any]]
) -> None:
    items, studies = a_morning()
    with running_orthanc(tmp_path) as orthanc:
        orthanc.store(studies)
        archive = Archive(name="PACS", **access(orthanc))
        archive.set_secret(PASSWORD, by="alice")
        archive.save()
        ask(archive)
        ask(archive)
        assert findings() == EXPECTED
        assert set(told()) == POINTS
        assert told()[AttentionKind.IMAGES_WEIGHT] == (
            "Weight (kg): 61.50 in the worklist, 95.5 in the archive PACS."
        )

        _delete_all_but(orthanc, items["right"].study_instance_uid)
        orthanc.store(images_of(item) for item in items.values())
        ask(archive)
        ask(archive)

    assert set(findings().values()) == {Finding.FOUND}
    assert told() == {}
    assert ArchivedStudy.objects.filter(gone_at=None).count() == len(items)


def _delete_all_but(orthanc: Orthanc, uid: str) -> None:
    with requests.Session() as session:
        session.auth = (USER, PASSWORD)
        for key in session.get(f"{orthanc.url}/studies", timeout=10).json():
            study = session.get(f"{orthanc.url}/studies/{key}", timeout=10).json()
            if study["MainDicomTags"]["StudyInstanceUID"] != uid:
                session.delete(f"{orthanc.url}/studies/{key}", timeout=10)


def test_dcmqrscps_faults_are_found(tmp_path: Path) -> None:
    _items, studies = a_morning()
    with running_dcmqrscp(tmp_path) as dcmqrscp:
        dcmqrscp.store(studies)
        archive = Archive.objects.create(
            name="PACS", host="127.0.0.1", port=dcmqrscp.port, called_ae_title="DCMQRSCP"
        )
        ask(archive)
        ask(archive)
    assert {name: each for name, each in findings().items() if name != "heavy"} == {
        name: each for name, each in EXPECTED.items() if name != "heavy"
    }
