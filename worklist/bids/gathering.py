"""The appointments of participants are read from items, and when their examinations began from reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet

from worklist.bids.labels import named_by
from worklist.bids.visits import BidsRefused, ReadAppointment
from worklist.models import ConfirmedPerson, PerformedStepItem, Status, WorklistItem
from worklist.models.items import WorklistQuerySet
from worklist.privacy.traces import Traces

AT_ONCE = 2_000  # items in memory with their reports
PERFORMED = (Status.COMPLETED, Status.DISCONTINUED)
VISIT = "ClinicalTrialTimePointID"  # (0012,0050), which an item has among its extra attributes
_READ = (
    *("pk", "patient_id", "study_instance_uid", "scheduled_start_date", "scheduled_start_time"),
    *("patient_name", "patient_birth_date", "patient_sex", "patient_weight_kg", "modality"),
    *("performed_procedure_step_status", "extra_attributes"),
)


def appointments(
    asked: QuerySet[Any], *, performed_only: bool, are_pseudonyms: bool
) -> Iterator[ReadAppointment]:
    """Yield the appointments of every participant of the items asked for.

    Those that were not asked for count for the numbers of sessions alone. Cancelled items are none of
    them, nor are those of erased participants. Raises BidsRefused where an ID is shared on purpose, and
    where a visit would tell whose a pseudonym is.
    """
    counted = _counted(performed_only=performed_only)
    wanted = counted.filter(pk__in=asked.order_by().values("pk"))
    _refuse_shared(wanted)
    keys = frozenset(wanted.values_list("pk", flat=True))
    patients = wanted.values("patient_id")
    rows = counted.filter(patient_id__in=patients).order_by("pk").values(*_READ).iterator(AT_ONCE)
    naming: list[int] = []
    while some := list(islice(rows, AT_ONCE)):
        begun = _begun(row["pk"] for row in some)
        yield from (_appointment(row, begun.get(row["pk"]), is_wanted=row["pk"] in keys) for row in some)
        if are_pseudonyms:
            naming.extend(row["pk"] for row in some if _visit_names(row))
    if naming:
        raise BidsRefused(
            [f"Items {', '.join(map(str, naming))} name a visit by a name or ID of its patient: correct it."]
        )


def _counted(*, performed_only: bool) -> WorklistQuerySet:
    items = WorklistItem.objects.of_participants().filter(erased_at=None).order_by()
    if performed_only:
        return items.filter(performed_procedure_step_status__in=PERFORMED)
    return items.filter(~Q(performed_procedure_step_status=Status.CANCELLED))


def _refuse_shared(wanted: WorklistQuerySet) -> None:
    shared = ConfirmedPerson.objects.filter(is_shared=True, patient_id__in=wanted.values("patient_id"))
    ids = sorted(set(shared.values_list("patient_id", flat=True)))
    if ids:
        raise BidsRefused(
            [
                f"Patient ID {patient_id!r} is shared on purpose: a subject is one person."
                for patient_id in ids
            ]
        )


def _begun(keys: Iterable[int]) -> dict[int, datetime]:
    """Return when the first step of each item began, where a scanner reported both date and time of day."""
    links = PerformedStepItem.objects.filter(item__in=list(keys))
    reported = links.values_list("item", "step__start_date", "step__start_time")
    found: dict[int, datetime] = {}
    for key, day, at in reported:
        if day is None or at is None:
            continue
        moment = datetime.combine(day, at)
        found[key] = min(moment, found.get(key, moment))
    return found


def _appointment(row: dict[str, Any], begun: datetime | None, *, is_wanted: bool) -> ReadAppointment:
    named = named_by(row["patient_id"])
    return ReadAppointment(
        key=row["pk"],
        participant=named.participant,
        subject=named.subject,
        visit=_visit(row) or named.session,
        study_uid=row["study_instance_uid"],
        scheduled=datetime.combine(row["scheduled_start_date"], row["scheduled_start_time"]),
        acquired=begun,
        birth_date=row["patient_birth_date"],
        sex=row["patient_sex"],
        weight=row["patient_weight_kg"],
        modality=row["modality"],
        status=row["performed_procedure_step_status"],
        is_wanted=is_wanted,
    )


def _visit(row: dict[str, Any]) -> str:
    return str(row["extra_attributes"].get(VISIT, ""))


def _visit_names(row: dict[str, Any]) -> bool:
    """Tell whether the visit says who the participant is."""
    visit = _visit(row)
    if not visit:
        return False
    traces = Traces()
    traces.note(ids=[row["patient_id"]], names=[row["patient_name"]], birth_dates=[row["patient_birth_date"]])
    return traces.may_be_in(visit)
