"""What the worklist says stands here beside what the scanner reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import NamedTuple

from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from worklist.attention import as_sent, identity
from worklist.dicom import name_parts, performed
from worklist.dicom.output_rules import OutputRules
from worklist.dicom.performed import Patient, Reference
from worklist.models import PerformedStep, Sex, WorklistItem

NOBODY = Patient(name="", patient_id="", birth_date=None, sex="", weight=None)
NOTHING = Reference("", (), "", "", "", ())


class ComparedRow(NamedTuple):
    label: str
    ours: str
    theirs: str
    differs: bool
    kind: str = "identity"  # whose colour it has where it differs


def rows(
    item: WorklistItem | None,
    step: PerformedStep,
    rules: OutputRules | None = None,
    tolerance: Decimal | None = None,
) -> list[ComparedRow]:
    """Compare; without an item, return what the scanner reported alone.

    `rules` and `tolerance` of a weight are those of the step's device, if they are known.
    """
    reported = performed.patient(step.dataset)
    sent_name = as_sent.name(item, rules or as_sent.rules_of(step.calling_ae_title)) if item else ""
    return [
        *_patient(item, reported, sent_name),
        _weight(item, reported, step.calling_ae_title, tolerance),
        *_ids(item, step),
        *_procedure(item, step),
    ]


def _patient(item: WorklistItem | None, reported: Patient, sent_name: str) -> Iterator[ComparedRow]:
    """Compare by the rules that open a point of attention."""
    names = name_parts.readable_beside(item.patient_name if item else "", reported.name)
    said = {"name": names[1], "sex": _sex(reported.sex)}
    for label, field, ours in (
        (_("Name"), "name", names[0]),
        (_("Patient ID"), "patient_id", item.patient_id if item else ""),
        (_("Birth date"), "birth_date", _day(item.patient_birth_date) if item else ""),
        (_("Sex"), "sex", _sex(item.patient_sex) if item else ""),
    ):
        theirs = getattr(reported, field)
        alone = replace(NOBODY, **{field: theirs})
        differs = item is not None and any(identity.differences(item, alone, sent_name=sent_name))
        yield ComparedRow(label, ours, said.get(field, _text(theirs)), differs)


def _weight(
    item: WorklistItem | None, reported: Patient, ae_title: str, tolerance: Decimal | None
) -> ComparedRow:
    label, theirs = _("Weight (kg)"), _text(reported.weight)
    if item is None:
        return ComparedRow(label, "", theirs, differs=False)
    tolerance = identity.weight_tolerance(ae_title) if tolerance is None else tolerance
    differs = bool(identity.weight_difference(item, reported, tolerance=tolerance))
    return ComparedRow(label, str(item.patient_weight_kg or ""), theirs, differs, kind="weight")


def _ids(item: WorklistItem | None, step: PerformedStep) -> Iterator[ComparedRow]:
    reference = _reference_to(item, step)
    studies = {reference.study_instance_uid, *reference.referenced_study_uids} - {""}
    ours = item.study_instance_uid if item else ""
    yield ComparedRow(
        "Study Instance UID",
        ours,
        reference.study_instance_uid,
        bool(ours and studies - {ours} == studies != set()),
    )
    for label, field in (
        (_("Accession number"), "accession_number"),
        (_("Requested procedure ID"), "requested_procedure_id"),
        (_("Scheduled step ID"), "scheduled_procedure_step_id"),
    ):
        yield _row(label, getattr(item, field) if item else "", getattr(reference, field))


def _procedure(item: WorklistItem | None, step: PerformedStep) -> Iterator[ComparedRow]:
    yield _row(_("Modality"), item.modality if item else "", step.modality)
    stations = item.stations if item else []
    station = step.performed_station_ae_title
    yield ComparedRow(
        _("Station"), ", ".join(stations), station, bool(stations and station and station not in stations)
    )
    day, at = (item.scheduled_start_date, item.scheduled_start_time) if item else (None, None)
    other_day = bool(day and step.start_date and day != step.start_date)
    yield ComparedRow(_("Start"), moment(day, at), moment(step.start_date, step.start_time), other_day)
    codes = performed.performed_codes(step.dataset)
    protocols = ", ".join(f"{code.value} {code.meaning}".strip() for code in codes)
    yield ComparedRow(_("Protocol"), item.protocol_name if item else "", protocols, differs=False)


def moment(day: date | None, at: time | None) -> str:
    parts = (date_format(day) if day else "", time_format(at) if at else "")
    return " ".join(filter(None, parts))


def _reference_to(item: WorklistItem | None, step: PerformedStep) -> Reference:
    """Return the item of the Scheduled Step Attributes Sequence that is most likely this worklist item's."""
    references = performed.references(step.dataset)
    if item is None or len(references) < 2:
        return references[0] if references else NOTHING
    return max(references, key=lambda reference: _agreement(item, reference))


def _agreement(item: WorklistItem, reference: Reference) -> tuple[bool, bool, bool]:
    studies = (reference.study_instance_uid, *reference.referenced_study_uids)
    return (
        reference.scheduled_procedure_step_id == item.scheduled_procedure_step_id,
        item.study_instance_uid in studies,
        reference.accession_number == item.accession_number,
    )


def _row(label: str, ours: str, theirs: str) -> ComparedRow:
    return ComparedRow(label, ours, theirs, bool(ours and theirs and ours != theirs))


def _text(value: object) -> str:
    if value is None:
        return ""
    return _day(value) if isinstance(value, date) else str(value)


def _day(day: date | None) -> str:
    return date_format(day) if day else ""


def _sex(sex: str) -> str:
    return f"{sex} ({Sex(sex).label.lower()})" if sex in Sex.values else sex
