"""Whether IDs that the original cut at their dashes become whole is said by a person, who is told of both."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from pylantir_site.management.commands import start
from sources.config_import import ConfigError, ImportReport, PatientIds, at_start, import_config
from sources.config_import.patient_ids import IdQuestion, Participant, question_about
from sources.models import DataSource
from sources.original.importing import OriginalImport
from tests.api_client import client_of
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN, cpip
from tests.sources import originals
from tests.sources.conftest import items, pull
from tests.sources.test_config_import import LEGACY, NEW_FORMAT, without_environment
from tests.sources.test_import_original import file_of
from worklist.items import intake
from worklist.models import WorklistItem

__all__ = ["without_environment"]

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance("RC141")]

OLD_ID, WHOLE_ID = "sub_0042_ses_1_fam_7_site_792", "sub_CPIP-0042_ses_1_fam_F-7_site_792"


@pytest.fixture
def project() -> Project:
    return cpip(today=timezone.localdate())


@pytest.fixture
def redcap(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedcapServer]:
    with RedcapServer(project) as server:
        monkeypatch.setenv("REDCAP_API_URL", server.url)
        monkeypatch.setenv("REDCAP_API_TOKEN", TOKEN)
        yield server


@pytest.fixture
def colliding(project: Project) -> None:
    """Let another study's 0042 of another family 7 be in the project."""
    project.save("XX-0042", study_id="XX-0042", family_id="G-7", youth_dob_y="2012", demo_sex="2")


def do(config: dict[str, Any] = NEW_FORMAT, **options: Any) -> ImportReport:
    return import_config(deepcopy(config), actor="alice", **options)


def said(report: ImportReport) -> str:
    return "\n".join(report.lines)


def with_choice(choice: str) -> dict[str, Any]:
    config = deepcopy(NEW_FORMAT)
    config["data_sources"][0]["config"]["patient_ids"] = choice
    return config


def ids_after_a_pull() -> set[str]:
    source = DataSource.objects.get()
    run = pull(source)
    assert run.outcome == "OK", run.message
    return {*items(source)}


@pytest.mark.usefixtures("redcap")
def test_without_an_answer_nothing_is_imported_and_both_are_explained() -> None:
    report = do()

    assert report.failed
    assert not DataSource.objects.exists()
    assert "The original cut the IDs of 4 of 4 participants at their dashes." in said(report)
    assert "--patient-ids old or --patient-ids whole, or config.patient_ids in the file" in said(report)
    assert said(report).index("old IDs, as images") < said(report).index("whole IDs:")
    assert "CPIP-0043" not in said(report)  # the example is one, and no participant's


@pytest.mark.usefixtures("redcap")
@pytest.mark.parametrize(("choice", "patient_id"), [("old", OLD_ID), ("whole", WHOLE_ID)])
def test_what_is_said_is_done_and_stays(choice: str, patient_id: str) -> None:
    report = do(demanded=PatientIds(choice))

    assert patient_id in ids_after_a_pull()
    assert f"It has {choice} IDs" in said(report)
    assert "main_redcap: unchanged." in do().lines  # imported again without an answer


@pytest.mark.acceptance("RC247")
@pytest.mark.usefixtures("redcap")
@pytest.mark.parametrize(
    ("choice", "patient_id", "name"),
    [
        ("old", "sub_0044_ses_1_fam__site_792", "cpip-id-0044^fa-"),
        ("whole", "sub_CPIP-0044_ses_1_site_792", "cpip-id-CPIP-0044"),
    ],
)
def test_who_has_no_family_keeps_the_old_id_to_the_letter(choice: str, patient_id: str, name: str) -> None:
    report = do(demanded=PatientIds(choice))

    assert "For 1 without a family it wrote _fam__, which whole IDs leave out." in said(report)
    assert patient_id in ids_after_a_pull()
    assert items(DataSource.objects.get())[patient_id].patient_name == name


@pytest.mark.acceptance("RC247")
def test_it_is_asked_too_where_no_id_has_a_dash_and_somebody_has_no_family(
    redcap: RedcapServer, project: Project
) -> None:
    for number, record in enumerate(("CP-0042", "CP-0043", "CP-0044", "CP-0045")):
        project.save(record, study_id=f"00{number}", family_id="7" if number else "")

    refused = do()
    do(demanded=PatientIds.OLD)

    assert "For 1 without a family it wrote _fam__" in said(refused)
    assert "sub_000_ses_1_fam__site_792" in ids_after_a_pull()


@pytest.mark.acceptance("RC247")
def test_a_project_without_families_keeps_the_old_ids_to_the_letter(
    redcap: RedcapServer, project: Project
) -> None:
    config = deepcopy(NEW_FORMAT)
    del config["data_sources"][0]["field_mapping"]["family_id"]
    project.fields.remove(project.field("family_id"))

    do(config, demanded=PatientIds.OLD)

    assert "sub_0042_ses_1_fam__site_792" in ids_after_a_pull()


@pytest.mark.acceptance("RC247")
@pytest.mark.usefixtures("redcap")
def test_who_was_examined_without_a_family_is_not_offered_again() -> None:
    examined = originals.completed(
        patient_id="sub_0044_ses_1_fam__site_792",
        patient_name="cpip-id-0044^fa-",
        patient_birth_date="2011",
        patient_sex="M",
        scheduled_start_date=f"{timezone.localdate() + timedelta(days=1):%Y-%m-%d}",
        scheduled_start_time="13:45",
    )
    do(demanded=PatientIds.OLD)
    OriginalImport("alice").take([file_of(examined)])

    pull(DataSource.objects.get())

    [item] = WorklistItem.objects.filter(patient_id__contains="0044")
    assert item.study_instance_uid == examined["study_instance_uid"]
    assert item.performed_procedure_step_status == "COMPLETED"


@pytest.mark.usefixtures("redcap")
@pytest.mark.parametrize(("choice", "patient_id"), [("old", OLD_ID), ("whole", WHOLE_ID)])
def test_the_file_may_say_it(choice: str, patient_id: str) -> None:
    do(with_choice(choice))

    assert patient_id in ids_after_a_pull()


@pytest.mark.usefixtures("redcap")
def test_an_answer_beside_the_file_comes_before_it_and_a_bad_one_is_refused() -> None:
    do(with_choice("whole"), demanded=PatientIds.OLD)

    assert OLD_ID in ids_after_a_pull()
    assert "config.patient_ids must be old or whole" in said(do(with_choice("half")))


@pytest.mark.usefixtures("redcap")
def test_a_change_of_mind_is_told_with_what_follows() -> None:
    do(demanded=PatientIds.OLD)
    before = ids_after_a_pull()

    report = do(demanded=PatientIds.WHOLE)

    assert OLD_ID in before
    assert "It had old IDs: the next pull changes the patient IDs of its items." in said(report)


@pytest.mark.usefixtures("redcap", "colliding")
def test_where_two_would_share_an_old_id_they_are_whole_and_it_is_said_loudly() -> None:
    report = do()

    assert "ATTENTION" in said(report)
    assert "the IDs of 2 participants are no longer theirs alone" in said(report)
    assert WHOLE_ID in ids_after_a_pull()


@pytest.mark.usefixtures("redcap", "colliding")
def test_where_two_would_share_an_old_id_old_ones_are_refused() -> None:
    report = do(demanded=PatientIds.OLD)

    assert "Old IDs are refused" in said(report)
    assert not DataSource.objects.exists()


@pytest.mark.usefixtures("redcap")
def test_a_source_with_old_ids_keeps_them_when_two_fall_together_later_and_it_is_said(
    project: Project,
) -> None:
    do(demanded=PatientIds.OLD)
    project.save("XX-0042", study_id="XX-0042", family_id="G-7")

    report = do()

    assert "ATTENTION" in said(report)
    assert "It still has old IDs" in said(report)
    assert DataSource.objects.get().rules.get(target="{study}").transforms == "pattern 1 ([^-]+)$"


@pytest.mark.usefixtures("redcap")
def test_items_under_old_ids_are_counted() -> None:
    for session in (1, 2):
        intake.create(
            {
                **{"patient_id": f"sub_0042_ses_{session}_fam_7_site_792", "modality": "MR"},
                **{"patient_name": "cpip-id-0042^fa-7", "scheduled_start_date": "2026-03-02"},
                "scheduled_start_time": "09:30",
            },
            actor="alice",
        )

    refused, whole = do(), do(demanded=PatientIds.WHOLE)

    assert "The worklist holds 2 items under such old IDs." in said(refused)
    assert "The items under old IDs stay as they are." in said(whole)


def test_no_question_is_asked_where_no_id_has_a_dash(redcap: RedcapServer, project: Project) -> None:
    for number, record in enumerate(("CP-0042", "CP-0043", "CP-0044", "CP-0045")):
        project.save(record, study_id=f"00{number}", family_id="7")

    report = do()

    assert "has a dash so far" in said(report)
    assert "sub_000_ses_1_fam_7_site_792" in ids_after_a_pull()


@pytest.mark.usefixtures("redcap")
def test_no_question_is_asked_where_the_mapping_has_its_own_name_and_id() -> None:
    config = deepcopy(NEW_FORMAT)
    own = {"record_id": "patient_id", "mri_comments": {"target": "patient_name", "default": "x"}}
    config["data_sources"][0]["field_mapping"] |= own

    assert "dash" not in said(do(config))

    config["data_sources"][0]["config"]["patient_ids"] = "old"
    assert "config.patient_ids changes nothing" in said(do(config))


# Where the project cannot be asked


def test_a_source_that_cannot_be_looked_at_rests_and_cannot_be_pulled_by_mistake(
    redcap: RedcapServer,
) -> None:
    redcap.fail(Failure.PROXY_502, times=99)

    report = do()

    source = DataSource.objects.get()
    assert not report.failed
    assert "could not be looked at" in said(report)
    assert (source.enabled, source.rules.filter(target="patient_id").exists()) == (False, False)

    redcap.recover()
    run = pull(source)

    assert "Nothing is mapped to patient_id" in run.message


def test_it_is_decided_by_the_next_import(redcap: RedcapServer) -> None:
    redcap.fail(Failure.PROXY_502, times=99)
    do(LEGACY)
    redcap.recover()

    refused = do(LEGACY)
    do(LEGACY, demanded=PatientIds.OLD)

    assert refused.failed
    assert DataSource.objects.get().enabled  # though the legacy format cannot say so
    assert OLD_ID in ids_after_a_pull()


def test_old_ids_are_not_taken_unseen_and_whole_ones_are(redcap: RedcapServer) -> None:
    redcap.fail(Failure.PROXY_502, times=99)

    do(demanded=PatientIds.OLD)
    rested = DataSource.objects.get().enabled
    do(demanded=PatientIds.WHOLE)

    assert (rested, DataSource.objects.get().enabled) == (False, True)


def test_a_source_in_use_stays_as_it_is_where_the_project_is_out_of_reach(redcap: RedcapServer) -> None:
    do(demanded=PatientIds.WHOLE)
    redcap.fail(Failure.PROXY_502, times=99)

    again, changed = do(), do(demanded=PatientIds.OLD)

    assert "main_redcap: unchanged." in again.lines
    assert "It keeps its whole IDs, and nothing was changed." in said(changed)
    assert DataSource.objects.get().enabled


# Each door


@pytest.mark.usefixtures("redcap")
def test_the_start_asks_nobody_and_lets_the_source_rest() -> None:
    lines = "\n".join(at_start(deepcopy(NEW_FORMAT)))

    source = DataSource.objects.get()
    assert "It is disabled, and nothing is mapped to patient_id" in lines
    assert (source.enabled, source.rules.filter(target="patient_id").exists()) == (False, False)

    do(demanded=PatientIds.WHOLE)
    assert WHOLE_ID in ids_after_a_pull()


@pytest.mark.usefixtures("redcap")
@pytest.mark.parametrize(("typed", "transforms"), [("1\n", "pattern 1 ([^-]+)$"), ("\n", "")])
def test_the_start_asks_who_typed_it_and_goes_on_without_an_answer(
    typed: str, transforms: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    settings.CONFIG = deepcopy(NEW_FORMAT)

    start.Command(stdout=io.StringIO()).take_over_configuration()

    source = DataSource.objects.get()
    assert source.rules.get(target="{study}").transforms == transforms
    assert source.enabled is bool(transforms)


@pytest.mark.usefixtures("redcap")
def test_the_start_takes_what_the_file_says() -> None:
    at_start(with_choice("old"))

    assert OLD_ID in ids_after_a_pull()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def command(tmp_path: Path, *options: str) -> str:
    path = tmp_path / "pylantir.json"
    path.write_text(json.dumps(NEW_FORMAT), encoding="utf-8")
    out = io.StringIO()
    call_command("import_config", str(path), *options, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("redcap")
def test_the_command_takes_an_option(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing was imported"):
        command(tmp_path)
    assert "It has old IDs" in command(tmp_path, "--patient-ids", "old")
    with pytest.raises(CommandError, match="invalid choice"):
        command(tmp_path, "--patient-ids", "half")


@pytest.mark.usefixtures("redcap")
@pytest.mark.parametrize(
    ("typed", "patient_id"), [("1\n", OLD_ID), ("2\n", WHOLE_ID), ("maybe\nwhole\n", WHOLE_ID)]
)
def test_the_command_asks_at_a_terminal_with_continuity_first(
    typed: str, patient_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    printed = command(tmp_path)

    assert "main_redcap: The original cut the IDs of 4 of 4 participants" in printed
    assert printed.index("1  old IDs") < printed.index("2  whole IDs")
    assert patient_id in ids_after_a_pull()


@pytest.mark.usefixtures("redcap")
@pytest.mark.parametrize("typed", ["\n", ""])
def test_who_answers_nothing_imports_nothing(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    with pytest.raises(CommandError, match="Nothing was imported"):
        command(tmp_path)

    assert not DataSource.objects.exists()


@pytest.mark.usefixtures("redcap")
def test_a_program_is_told_what_to_say_and_says_it(alice: User) -> None:
    refused = client_of(alice).post("/sources", NEW_FORMAT["data_sources"][0])
    made = client_of(alice).post("/sources", with_choice("old")["data_sources"][0])

    assert refused.status_code == 400
    assert "config.patient_ids in the file" in refused.content.decode()
    assert made.status_code == 201
    assert OLD_ID in ids_after_a_pull()


# The count


@pytest.mark.parametrize(
    ("people", "differing", "colliding"),
    [
        ([("A-001", "F-1", "001", "1"), ("B-001", "F-2", "001", "2")], 2, 0),  # the family tells them apart
        ([("A-001", "F-1", "001", "1"), ("B-001", "G-1", "001", "1")], 2, 2),
        ([("A-001", "F-1", "001", "1"), ("A-001", "F-1", "001", "1")], 1, 0),  # two records of one
        ([("001", "1", "001", "1"), ("B-001", "1", "001", "1")], 1, 2),  # one without a dash beside it
        ([("A-1", "", "1", ""), ("B-1", "", "1", ""), ("C-1", "", "1", ""), ("D-2", "", "2", "")], 4, 3),
        ([("001", "", "001", "")], 0, 0),
        ([], 0, 0),
    ],
)
def test_who_would_share_an_id_is_counted(
    people: list[tuple[str, str, str, str]], differing: int, colliding: int
) -> None:
    found = question_about("main", [Participant((a, b), (c, d)) for a, b, c, d in people])

    assert (found.differing, found.colliding) == (differing, colliding)


@pytest.mark.usefixtures("redcap")
def test_a_chooser_that_fails_changes_nothing() -> None:
    def never(question: IdQuestion) -> PatientIds | None:
        raise ConfigError("Nobody knows.")

    assert "main_redcap: not imported. Nobody knows." in do(choose=never).lines
    assert not DataSource.objects.exists()
