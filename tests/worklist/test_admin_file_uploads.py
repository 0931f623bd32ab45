"""The admin's page takes worklist files, shows what each would do, and does just that.

Which item a step is, what is left out and what is refused is tested in test_file_import.py.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from pydicom import Dataset

from accounts.models import User
from tests.admin_pages import said, shown
from tests.worklist.item_pages import LIST, change_url
from tests.worklist.made_files import data, step, worklist
from worklist.admin import file_uploads
from worklist.items import file_import, intake
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db

PAGE = "admin:worklist_import_files"


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def upload(client: Client, *contents: Dataset | bytes) -> Any:
    """Choose the files, which are called 0.wl, 1.wl and so on."""
    files = []
    for number, content in enumerate(contents):
        file = BytesIO(content if isinstance(content, bytes) else data(content))
        file.name = f"{number}.wl"
        files.append(file)
    return client.post(reverse(PAGE), {"chosen": files})


def confirm(client: Client, preview: Any, *, touched: str = "") -> Any:
    return client.post(reverse(PAGE), {"shown": preview.context["shown"] + touched})


def rows(response: Any) -> list[str]:
    """Return the table of files line by line, without its markup."""
    table = response.content.decode().partition("<tbody>")[2].partition("</table>")[0]
    lines = [re.sub(r"<[^>]*>|\s+", " ", row) for row in table.split("</tr>")]
    return [" ".join(line.split()) for line in lines if line.strip()]


@pytest.mark.acceptance("D176", "D177")
def test_files_are_shown_and_then_imported(coordinator: Client) -> None:
    stored = intake.create(
        {
            "patient_name": "ROE^JANE",
            "patient_id": "P2",
            "patient_weight_kg": "70",
            "modality": "MR",
            "scheduled_start_date": "20260110",
            "study_instance_uid": "1.2.3",
            "scheduled_procedure_step_id": "S1",
        },
        actor="alice",
    )
    changed = worklist(PatientName="ROE^JANE", PatientID="P2", StudyInstanceUID="1.2.3", PatientWeight="80")
    new = worklist(step(ScheduledProcedureStepID=""), PatientBirthDate="17320222")
    other = worklist(StudyInstanceUID="1.2.3")

    preview = upload(coordinator, new, other, changed, b"Dear colleague")

    assert preview.status_code == 200
    assert not WorklistItem.objects.filter(patient_id="P1").exists()
    lines = rows(preview)
    assert re.match(r"0.wl DOE, JOHN · P1 · 2026-01-10 MR, MR1, step SPS\w+ created Made here: Sch", lines[0])
    assert lines[1] == "0.wl left out PatientBirthDate (0010,0030): This is not a plausible birth date."
    assert "step S1 updated Patient weight (kg): 70 → 80 Accession number: A" in lines[3]
    assert "Scheduled start time: 00:00:00 → 09:30:00" in lines[3]
    assert lines[4] == "3.wl refused This is not a DICOM file."
    assert f"refused Item {stored.pk} (step S1) is this step with another Patient ID" in lines[2]
    assert "1 item created, 1 item updated, 0 items unchanged, 2 files refused. Nothing is written yet." in (
        preview.content.decode()
    )
    assert (
        preview.content.decode().count(reverse("admin:worklist_worklistitem_change", args=[stored.pk])) == 1
    )

    done = confirm(coordinator, preview)

    assert [line for line in lines if "refused" not in line] == rows(done)
    item = WorklistItem.objects.get(patient_id="P1")
    assert change_url(item) in done.content.decode()
    assert item.history.get().history_user == "bob"
    stored.refresh_from_db()
    assert stored.patient_weight_kg == 80
    again = upload(coordinator, new, changed)
    assert again.context["shown"] == ""
    assert "There is nothing to import." in again.content.decode()


@pytest.mark.acceptance("D177")
def test_what_changed_since_it_was_shown_is_not_imported(coordinator: Client) -> None:
    preview = upload(coordinator, worklist(PatientWeight="80"), worklist(StudyInstanceUID="1.2.3"))
    upload_of_another = upload(coordinator, worklist(PatientWeight="70"))
    confirm(coordinator, upload_of_another)
    done = confirm(coordinator, preview)
    assert [line for line in rows(done) if "0.wl" in line] == [f"0.wl refused {file_import.CHANGED_SINCE}"]
    assert sorted(WorklistItem.objects.values_list("patient_weight_kg", flat=True), key=str) == [70, None]


@pytest.mark.acceptance("D177")
@pytest.mark.parametrize("wrong", ["of another person", "touched", "old"])
def test_only_what_was_shown_to_this_person_is_imported(
    coordinator: Client, alice: User, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    preview = upload(coordinator, worklist())
    if wrong == "of another person":
        coordinator.force_login(alice)
    elif wrong == "old":
        monkeypatch.setattr(file_uploads, "SECONDS_TO_DECIDE", -1)
    answered = confirm(coordinator, preview, touched="x" if wrong == "touched" else "")
    assert said(answered) == [str(file_uploads.TOO_OLD)]
    assert not WorklistItem.objects.exists()


@pytest.mark.acceptance("D178")
def test_who_may_not_add_and_change_items_gets_no_page(client: Client, charlie: User, bob: User) -> None:
    client.force_login(charlie)
    assert client.get(reverse(PAGE)).status_code == 403
    assert upload(client, worklist()).status_code == 403
    assert reverse(PAGE) not in shown(client, reverse(LIST))
    client.force_login(bob)
    assert reverse(PAGE) in shown(client, reverse(LIST))
    assert 'type="file"' in shown(client, reverse(PAGE))


def test_no_file_is_told_by_the_field(coordinator: Client) -> None:
    assert coordinator.post(reverse(PAGE), {}).context["form"].errors == {
        "chosen": ["This field is required."]
    }


def test_too_many_files_and_too_large_ones_are_told(coordinator: Client, settings: Any) -> None:
    too_many = upload(coordinator, *[b"x"] * (file_uploads.MOST_FILES + 1))
    assert "at most 200 files" in str(too_many.context["form"].errors)
    large = upload(coordinator, b"\0" * (file_uploads.MOST_BYTES_OF_A_FILE + 1), b"")
    assert rows(large) == [
        "0.wl refused It is larger than 1 MB, which is too much for this page.",
        "1.wl refused It is empty.",
    ]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 200
    assert str(file_uploads.TOO_MUCH) in str(upload(coordinator, worklist()).context["form"].errors)


def test_a_page_full_of_files_goes_there_and_back(coordinator: Client) -> None:
    contents = [
        worklist(StudyInstanceUID=f"1.2.3.{number}", PatientComments="what a RIS says of everybody " * 30)
        for number in range(40)
    ]
    assert "40 items created" in confirm(coordinator, upload(coordinator, *contents)).content.decode()


def test_what_the_page_carries_is_signed_for_it_alone(coordinator: Client, bob: User) -> None:
    elsewhere = signing.dumps({"user": bob.pk, "files": []}, salt="another page")
    assert said(coordinator.post(reverse(PAGE), {"shown": elsewhere})) == [str(file_uploads.TOO_OLD)]
