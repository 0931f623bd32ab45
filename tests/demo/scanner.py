"""The demonstration's scanners ask for their worklist, each by its AE title; MR1 reports an eventful day.

One examination is completed, one with another weight, typed at the console; one was stopped, one is of
somebody whom no item scheduled, and one is under way and ends while people look. The images go to an archive,
where those of the first tell a weight of which its report said nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from tests.archives.stand_in import StandIn
from tests.demo.archive import TYPED_AT_THE_CONSOLE, study
from tests.demo.day import DemoDay
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


def play_the_day(port: int, day: DemoDay, archive: StandIn) -> str:
    """Report the day until now, and store the images. Return the UID of the step that is under way."""
    from worklist.models import WorklistItem

    of_today = WorklistItem.objects.for_station("MR1").filter(scheduled_start_date=day.now.date())
    first, second, third, fourth = of_today.order_by("scheduled_start_time", "pk")[:4]
    done, heavier, stopped, unknown, running = (steps.new_uid() for _ in range(5))
    stranger = unscheduled()
    perform(port, [begun(done, first, day, -141), completed(done, day, -108)])
    wrong = begun(heavier, second, day, -98, PatientWeight="95")
    perform(port, [wrong, completed(heavier, day, -64, steps.series(2))])
    perform(port, [begun(stopped, third, day, -52), discontinued(stopped, day, -33)])
    perform(port, [begun(unknown, stranger, day, -28), completed(unknown, day, -12, steps.series(3))])
    perform(port, [begun(running, fourth, day, -3)])
    archive.studies += [
        study(first, day.moment(-141), 1, weight=TYPED_AT_THE_CONSOLE),
        study(second, day.moment(-98), 2, weight="95"),
        study(stranger, day.moment(-28), 3),
    ]
    return running


def end_the_running_one(port: int, running: str, archive: StandIn) -> None:
    from worklist.models import WorklistItem

    now, numbers = DemoDay(datetime.now()), range(4, 9)
    perform(port, [completed(running, now, 0, *map(steps.series, numbers))])
    item = WorklistItem.objects.get(performed_steps__sop_instance_uid=running)
    archive.studies.append(study(item, now.moment(0), *numbers))


def begun(uid: str, item: Any, day: DemoDay, minutes: float, **changes: Any) -> Any:
    """Report a step that began so many minutes after now."""
    return steps.create(uid, steps.begun(item, **moment("Start", day, minutes), **changes))


def completed(uid: str, day: DemoDay, minutes: float, *series: Any) -> Any:
    return steps.change(uid, steps.completed(*series, **moment("End", day, minutes)))


def discontinued(uid: str, day: DemoDay, minutes: float) -> Any:
    reason = steps.EQUIPMENT_FAILURE
    return steps.change(uid, steps.discontinued(reason=reason, **moment("End", day, minutes)))


def moment(which: str, day: DemoDay, minutes: float) -> dict[str, str]:
    at = day.moment(minutes)
    names = (f"PerformedProcedureStep{which}Date", f"PerformedProcedureStep{which}Time")
    return dict(zip(names, (f"{at:%Y%m%d}", f"{at:%H%M%S}"), strict=True))


def unscheduled() -> Any:
    """Return a report of somebody typed in by hand at the console."""
    return SimpleNamespace(
        **{"patient_name": "Tremblay^Zoe", "patient_id": "GB101", "patient_birth_date": date(2015, 4, 2)},
        **{"patient_sex": "F", "modality": "MR", "study_instance_uid": "1.3.12.2.1107.5.2.43.77"},
        **{"accession_number": "", "requested_procedure_id": "", "scheduled_procedure_step_id": ""},
        **{"study_description": "", "procedure_description": "", "patient_weight_kg": None},
    )
