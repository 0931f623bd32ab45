"""What the original did whatever its configuration said is written here as rows that people see.

Each row gives way to one of the mapping for the same target, and is left out where the project lacks its
field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sources.config_import.directions import FAMILY, SESSION, STUDY
from sources.mapping import columns, sessions, targets
from sources.mapping.rules import Level, Rule, SessionKind, SessionLayout
from sources.redcap.dictionary import Dictionary

INSTRUMENT, DATE, TIME = "mri", "mri_date", "mri_time"
PATIENT_ID, PATIENT_NAME = "patient_id", "patient_name"

NAMED = ((STUDY, "study_id"), (FAMILY, "family_id"), (SESSION, "mri_instance"))
OF_A_PERSON = ((targets.BIRTH_DATE, "youth_dob_y"), (targets.SEX, "demo_sex"))
APPOINTMENT = ((targets.START_DATE, DATE), (targets.START_TIME, TIME))

IDS_DIFFER = (
    "The whole study_id and family_id go into names and IDs. The original kept only what follows their last "
    "dash, so that A-001 and B-001 became one patient: IDs with a dash differ from the original's. Where "
    "images must be filed as before, the line “part last of -” in the row {study} (and {family}) brings the "
    "old IDs back; “pattern 1 ([^-]+)$” does where some have no dash."
)
NO_FAMILY = (
    "Without a family_id that part of the name and ID is left out; the original wrote ^fa- and _fam__."
)


@dataclass(frozen=True)
class BuiltinField:
    """A field of the project fills a target; its transforms are not known yet."""

    target: str
    field: str


def fields(mapped: Iterable[str], dictionary: Dictionary | None) -> Iterator[BuiltinField | str]:
    """Yield the fields that the original read by itself, except for targets that are mapped.

    A text stands for each field that the project lacks. Without a dictionary only those of ID and appointment
    are yielded: a pull names what is missing.
    """
    taken = frozenset(mapped)
    wanted = [*(NAMED if not {PATIENT_ID, PATIENT_NAME} <= taken else ())]
    wanted += OF_A_PERSON if dictionary is not None else ()
    wanted += [] if targets.START in taken else APPOINTMENT
    for target, field in wanted:
        if target in taken:
            continue
        if dictionary is None or columns.exists(field, dictionary):
            yield BuiltinField(target, field)
        else:
            yield f"The project has no field {field}: {target} is not filled from it, as the original would."


def composed(rules: Iterable[Rule], site_id: str) -> Iterator[Rule | str]:
    """Yield name, ID and modality as the original made them, where the mapping has none."""
    present = {rule.target for rule in rules}
    if PATIENT_NAME not in present:
        family = f"[^fa-{FAMILY}]" if FAMILY in present else ""
        yield from _made_of(
            Rule(PATIENT_NAME, level=Level.RECORD, transforms=f"template cpip-id-{STUDY}{family}"),
            {STUDY} - present,
        )
    if PATIENT_ID not in present:
        family = f"[_fam_{FAMILY}]" if FAMILY in present else ""
        site = "_site_{site_id}" if site_id else "[_site_{site_id}]"
        template = f"template sub_{STUDY}_ses_{SESSION}{family}{site}"
        yield from _made_of(Rule(PATIENT_ID, transforms=template), {STUDY, SESSION} - present)
    if "modality" not in present:
        yield Rule("modality", default="MR")
        yield "modality is MR for all."


def _made_of(rule: Rule, missing: set[str]) -> Iterator[Rule | str]:
    if missing:
        names = " and ".join(sorted(missing))
        yield f"{rule.target} cannot be made as the original does without {names}: map it."
        return
    yield rule
    yield f"{rule.target} is made by the original's rule: {rule.transforms.removeprefix('template ')}"
    if rule.target == PATIENT_ID:
        yield IDS_DIFFER
        if FAMILY in rule.transforms:
            yield NO_FAMILY


def find_sessions(date_field: str, dictionary: Dictionary | None) -> tuple[SessionLayout, str]:
    """Find the sessions by the date's field, else in the original's instrument; the text says how."""
    otherwise = SessionLayout(SessionKind.REPEATING_INSTRUMENT, instrument=INSTRUMENT)
    if dictionary is None:
        return otherwise, f"Sessions: each instance of the instrument {INSTRUMENT}, as in the original."
    try:
        found = sessions.detect(dictionary, date_field)
    except LookupError:
        text = f"Sessions: where they are cannot be told, for the project has no field {date_field}."
        return otherwise, text
    where = f" {found.instrument or ', '.join(found.events)}".rstrip()
    return found, f"Sessions: {found.kind.value.replace('_', ' ')}{where}, for it has {date_field}."
