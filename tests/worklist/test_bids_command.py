"""`export bids` writes a folder or a .zip, and the admin a .zip, or each says in sentences why not."""

from __future__ import annotations

import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, AuditKind, User
from tests.worklist.appointments import an_item, signed_in
from worklist.exporting.pseudonyms import KeyedPseudonyms
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db
PAGE = "admin:worklist_worklistitem_export"


def export(*arguments: str | Path) -> None:
    call_command("export", "bids", *map(str, arguments))


def an_examined(**values: Any) -> WorklistItem:
    given = {"scheduled_start_date": date(2026, 3, 4), "performed_procedure_step_status": "COMPLETED"}
    return an_item(**{**given, **values})


def subjects(target: Path) -> list[str]:
    lines = (target / "participants.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t")[0] for line in lines]


@pytest.mark.acceptance("FI148")
def test_a_folder_is_of_pseudonyms_unless_patient_ids_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    an_examined(patient_id="0042")

    export(tmp_path / "one")
    export(tmp_path / "other", "--patient-ids")

    assert subjects(tmp_path / "one") == [f"sub-{KeyedPseudonyms.of_this_site().participant('0042')}"]
    assert subjects(tmp_path / "other") == ["sub-0042"]
    assert capsys.readouterr().out == (
        f"Written: {tmp_path / 'one'}, participants: 1, sessions: 1.\n"
        f"Written: {tmp_path / 'other'}, participants: 1, sessions: 1.\n"
    )


@pytest.mark.acceptance("FI148")
def test_it_is_narrowed_by_the_filters_of_the_api_and_to_what_was_performed(tmp_path: Path) -> None:
    an_examined(patient_id="A")
    an_examined(patient_id="B", modality="CT")
    an_item(patient_id="C")

    export(tmp_path / "all", "--patient-ids", "--unperformed")
    export(tmp_path / "some", "--patient-ids", "--filter", "modality=MR")

    assert subjects(tmp_path / "all") == ["sub-A", "sub-B", "sub-C"]
    assert subjects(tmp_path / "some") == ["sub-A"]


@pytest.mark.acceptance("FI148")
def test_a_name_that_ends_in_zip_makes_one(tmp_path: Path) -> None:
    an_examined()

    export(tmp_path / "study.zip", "--shift-dates")

    with zipfile.ZipFile(tmp_path / "study.zip") as archive:
        assert "study/participants.tsv" in archive.namelist()
    assert (tmp_path / "study.zip").stat().st_mode & 0o777 == 0o600


@pytest.mark.acceptance("FI148")
def test_the_audit_trail_is_told_of_it_and_of_whom(tmp_path: Path) -> None:
    item = an_examined()
    an_item(patient_id="C")

    export(tmp_path / "one", "--patient-ids")

    event = AuditEvent.objects.get(kind=AuditKind.EXPORT)
    assert (event.detail, event.rows) == (
        "bids, participants: 1, sessions: 1, labels of patient IDs",
        [item.pk],
    )


@pytest.mark.acceptance("FI148")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--filter", "patient_id=nobody"], "No BIDS data set can be made:\n- Nothing that was asked for"),
        (
            ["--patient-ids"],
            "No BIDS data set can be made:\n- Patient IDs 'A-1' and 'A_1' would be one subject",
        ),
        (["--pseudonymous", "--patient-ids"], "--pseudonymous and --patient-ids contradict each other."),
        (["--format", "csv"], "--format is not for bids."),
        (["--patient-ids", "--shift-dates"], "--shift-dates needs --pseudonymous"),
        (["--filter", "statis=COMPLETED"], "There is no filter statis. Is status meant?"),
    ],
)
@pytest.mark.parametrize("name", ["study", "study.zip"])
def test_what_cannot_be_done_is_said_and_leaves_nothing(
    arguments: list[str], said: str, name: str, tmp_path: Path
) -> None:
    an_examined(patient_id="A-1")
    an_examined(patient_id="A_1")

    with pytest.raises(CommandError) as error:
        export(tmp_path / name, *arguments)

    assert str(error.value).startswith(said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.acceptance("FI148")
def test_what_is_there_stays(tmp_path: Path) -> None:
    an_examined()
    (tmp_path / "study").mkdir()

    with pytest.raises(CommandError, match="exists, and may hold images"):
        export(tmp_path / "study", "--force")
    with pytest.raises(CommandError, match="nowhere/study cannot be written: No such file or directory"):
        export(tmp_path / "nowhere" / "study")

    assert [path.name for path in tmp_path.rglob("*")] == ["study"]


@pytest.mark.parametrize("option", ["--patient-ids", "--unperformed"])
def test_what_is_for_bids_is_for_bids_alone(option: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"{option} is for bids alone."):
        call_command("export", "items", str(tmp_path / "items.csv"), option)


def posted(user: User, **chosen: str) -> Any:
    return signed_in(user).post(reverse(PAGE), {"table": "items", "form": "bids", **chosen})


@pytest.mark.acceptance("FI152")
def test_the_admins_list_of_items_is_had_as_a_zip(charlie: User) -> None:
    item = an_examined(patient_id="0042")

    whole, pseudonymous = posted(charlie), posted(charlie, is_pseudonymous="on", shifts_dates="on")

    day = timezone.localdate().isoformat()
    assert whole["Content-Disposition"] == f'attachment; filename="bids-{day}.zip"'
    with zipfile.ZipFile(BytesIO(b"".join(whole.streaming_content))) as archive:
        assert f"bids-{day}/sub-0042/sub-0042_sessions.tsv" in archive.namelist()
    with zipfile.ZipFile(BytesIO(b"".join(pseudonymous.streaming_content))) as archive:
        assert not [name for name in archive.namelist() if "0042" in name]
    newest, oldest = AuditEvent.objects.filter(kind=AuditKind.DOWNLOAD).order_by("-pk")
    assert (newest.rows, newest.detail) == (
        [item.pk],
        "bids, participants: 1, sessions: 1, pseudonymous, dates shifted",
    )
    assert oldest.detail == "bids, participants: 1, sessions: 1, labels of patient IDs"


@pytest.mark.acceptance("FI152")
def test_the_admins_page_says_all_that_keeps_a_data_set_from_being_made(charlie: User) -> None:
    items = [an_examined(patient_id="A-1"), an_examined(patient_id="A_1"), an_examined(patient_id="山")]

    answer = posted(charlie)

    assert answer.context["form"].errors["form"] == [
        "Patient ID '山' cannot name a subject: a BIDS label has letters A to Z and digits alone.",
        "Patient IDs 'A-1' and 'A_1' would be one subject: correct them, or take pseudonyms.",
    ]
    event = AuditEvent.objects.get(path=PAGE)
    assert sorted(event.rows) == [item.pk for item in items]


@pytest.mark.acceptance("FI152")
def test_the_list_of_performed_steps_makes_no_data_set(charlie: User) -> None:
    page = reverse("admin:worklist_performedstep_export")

    answer = signed_in(charlie).post(page, {"table": "steps", "form": "bids"})

    assert "form" in answer.context["form"].errors
