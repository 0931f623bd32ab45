"""What the original did whatever its configuration said is written here as rows that people see.

Each row gives way to one of the mapping for the same target, and is left out where the project lacks its
field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sources.config_import.directions import FAMILY, SESSION, STUDY
from sources.dictionary import Dictionary
from sources.mapping import codes, columns, sessions, targets
from sources.mapping.rules import Level, Rule, SessionKind, SessionLayout

INSTRUMENT, DATE, TIME = "mri", "mri_date", "mri_time"
PATIENT_ID, PATIENT_NAME = "patient_id", "patient_name"

NAMED = ((STUDY, "study_id"), (FAMILY, "family_id"), (SESSION, "mri_instance"))
OF_AN_ID = ("study_id", "mri_instance")
OF_A_PERSON = ((targets.BIRTH_DATE, "youth_dob_y"), (targets.SEX, "demo_sex"))
APPOINTMENT = ((targets.START_DATE, DATE), (targets.START_TIME, TIME))

FALLBACKS = {targets.START_DATE: DATE, targets.START_TIME: TIME}  # where what is mapped is empty
ONLY_BOOKED = f"{DATE} not empty"  # the original wants it, whatever date is mapped
CUT = "pattern 1 ([^-]+)$"

FLAG, MARK = "neuro_pcp", "ng_"
MARKED, PARTICIPANT = "{ng}", "{participant}"
_MARKED_ONCE = f"template [{MARKED}]{STUDY}\npattern 1 ^(?:{MARK}(?={MARK}))?(.+)$"
_TYPED_FLAGS = {"1": MARK, "true": MARK, "True": MARK, "TRUE": MARK, "0": "", "false": "", "False": ""}

NO_FAMILY = (
    "Without a family_id that part of the name and ID is left out; the original wrote ^fa- and _fam__."
)
EMPTY_FAMILY = "Without a family_id name and ID have ^fa- and _fam__, as the original wrote them."


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


def cut(rule: Rule) -> Rule:
    """Return the row of a study or family ID as the original cut it: what follows the last dash."""
    return replace(rule, transforms=CUT) if is_cut_by_the_original(rule) else rule


def is_cut_by_the_original(rule: Rule) -> bool:
    return rule.target in (STUDY, FAMILY) and not rule.transforms


def marked(rules: Iterable[Rule], dictionary: Dictionary | None) -> Iterator[Rule | str]:
    """Yield the rows by which the original writes ng_0042 for a participant whose neuro_pcp is set."""
    flag = dictionary.fields.get(FLAG) if dictionary else None
    study = next((rule for rule in rules if rule.target == STUDY), None)
    if flag is None or study is None or columns.is_checkbox(flag):
        return
    table = {code: MARK if code == "1" else "" for code in flag.choices} or _TYPED_FLAGS
    yield Rule(MARKED, FLAG, study.level, transforms=f"codes {codes.write(table)}")
    yield Rule(PARTICIPANT, level=study.level, transforms=_MARKED_ONCE)
    yield f"Where {FLAG} is 1, the study ID in name and ID begins with {MARK}, as in the original since 0.4."


@dataclass(frozen=True)
class Composed:
    """Name, ID or modality as the original makes it; without a rule, it cannot be made."""

    target: str
    rule: Rule | None
    text: str


def composed(rules: Iterable[Rule], site_id: str, *, to_the_letter: bool) -> Iterator[Composed]:
    """Yield name and ID as the original makes them, from the rows that there are.

    `to_the_letter` they have the family's part where there is no family, too, as those in images have it.
    """
    present = {rule.target for rule in rules}
    who = PARTICIPANT if PARTICIPANT in present else STUDY
    family = _family("^fa-", present, to_the_letter=to_the_letter)
    yield _made_of(
        Rule(PATIENT_NAME, level=Level.RECORD, transforms=f"template cpip-id-{who}{family}"),
        {STUDY} - present,
    )
    family = _family("_fam_", present, to_the_letter=to_the_letter)
    site = "_site_{site_id}" if site_id else "[_site_{site_id}]"
    template = f"template sub_{who}_ses_{SESSION}{family}{site}"
    yield _made_of(Rule(PATIENT_ID, transforms=template), {STUDY, SESSION} - present)


def _family(before: str, present: set[str], *, to_the_letter: bool) -> str:
    if to_the_letter:
        return f"{before}[{FAMILY}]" if FAMILY in present else before
    return f"[{before}{FAMILY}]" if FAMILY in present else ""


def _made_of(rule: Rule, missing: set[str]) -> Composed:
    if missing:
        names = " and ".join(sorted(missing))
        text = f"{rule.target} cannot be made as the original does without {names}: map it."
        return Composed(rule.target, None, text)
    how = rule.transforms.removeprefix("template ")
    return Composed(rule.target, rule, f"{rule.target} is made by the original's rule: {how}")


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
