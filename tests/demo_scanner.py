"""The demonstration's scanner asks for its worklist by its own AE title, and reports an eventful day.

One examination is completed, one is under way, one is of somebody whom no item scheduled, and one has another
weight, typed at the console.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from tests.scu import keys, perform, query
from tests.worklist import performed_steps as steps


def ask_for_today(port: int, ae_title: str) -> int:
    """Ask as consoles do by themselves: for today, the modality, the own station. Return how many it gets."""
    step = {
        "Modality": "MR",
        "ScheduledStationAETitle": ae_title,
        "ScheduledProcedureStepStartDate": f"{date.today():%Y%m%d}",
        "ScheduledProcedureStepStartTime": "",
        "ScheduledProcedureStepDescription": "",
        "ScheduledProcedureStepID": "",
    }
    patient = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientWeight")
    study = ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription")
    identifier = keys(step, **dict.fromkeys((*patient, *study), ""))
    return sum(found is not None for _, found in query(port, identifier, calling=ae_title))


def play_the_day(port: int) -> None:
    from worklist.models import WorklistItem

    first, second, third = WorklistItem.objects.filter(scheduled_start_date=date.today())[:3]
    done, heavier, running, unknown = (steps.new_uid() for _ in range(4))
    perform(port, [begun(done, first, ago=95), completed(done, ago=60)])
    wrong = begun(heavier, second, ago=55, PatientWeight="95")
    perform(port, [wrong, completed(heavier, steps.series(2), ago=20)])
    perform(port, [begun(unknown, unscheduled(), ago=18), completed(unknown, steps.series(3), ago=8)])
    perform(port, [begun(running, third, ago=3)])


def begun(uid: str, item: Any, *, ago: int, **changes: Any) -> Any:
    """Report a step that began some minutes ago."""
    return steps.create(uid, steps.begun(item, **moment("Start", ago), **changes))


def completed(uid: str, *series: Any, ago: int) -> Any:
    return steps.change(uid, steps.completed(*series, **moment("End", ago)))


def moment(which: str, ago: int) -> dict[str, str]:
    at = datetime.now() - timedelta(minutes=ago)
    names = (f"PerformedProcedureStep{which}Date", f"PerformedProcedureStep{which}Time")
    return dict(zip(names, (f"{at:%Y%m%d}", f"{at:%H%M%S}"), strict=True))


def unscheduled() -> Any:
    """Return a report of somebody typed in by hand at the console."""
    return SimpleNamespace(
        **{"patient_name": "Tremblay^Zoe", "patient_id": "GB101", "patient_birth_date": date(2015, 4, 2)},
        **{"patient_sex": "F", "modality": "MR", "study_instance_uid": "1.3.12.2.1107.5.2.43.77"},
        **{"accession_number": "", "requested_procedure_id": "", "scheduled_procedure_step_id": ""},
        **{"study_description": "", "procedure_description": ""},
    )
