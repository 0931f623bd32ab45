"""What is to become of each row of the original's worklist is decided here, before anything is written.

Rows are judged beside each other: a Study Instance UID that two have is nobody's, and one patient ID under
two names is told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from sources.original import cells, remembered
from sources.original.options import Options, Unmarked
from sources.original.reading import Cells, OriginalFile
from sources.original.reports import RowLeftOut
from worklist.attention import whose_id
from worklist.items import cleaning
from worklist.models import Status

_TAKEN_OVER = (
    *("accession_number", "referring_physician_name", "study_description", "scheduled_station_aetitle"),
    *("performing_physician", "procedure_description", "protocol_name", "station_name"),
    "hisris_coding_designator",
)
_ESSENTIAL = ("patient_name", "patient_id", "scheduled_start_date", "performed_procedure_step_status")
_MOST_TOLD = 5  # rows that a note names
NO_STATUS = "Its status is none of the original's four: what it means is known to the study alone."
NO_DATE = "It has no date that can be read."
NO_MODALITY = (
    "Its modality is missing, or none that a scanner asks for: say what it is "
    "(modalities: 7T Terra=MR, or =MR for those without one)."
)
NO_TIME_TO_TIE = "It has no time that can be read, by which a pull's appointment could be known."
NO_UID_TO_TIE = "It has no Study Instance UID of its own to keep: the next pull makes it anew."
UNDER_WAY = "It was under way: complete or discontinue it by hand, unless its scanner still reports."
NEW_UID = "Its Study Instance UID is missing or illegal: a new one is made."
NOT_UTF8 = "is not text in UTF-8"


class Fate(StrEnum):
    ITEM = "item"
    STEP = "step"  # a Study Instance UID is kept for what the next pull makes
    LEFT = "left"


@dataclass(frozen=True)
class RowPlan:
    """`values` are an item's, or those by which a pull's appointment is known; `uid` is kept unless empty."""

    row: int
    fingerprint: str
    fate: Fate
    values: Mapping[str, Any] = field(default_factory=dict)
    uid: str = ""
    notes: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()  # which other rows name another person under the patient ID
    who: str = ""
    patient_id: str = ""  # as it is given
    examined: Status | None = None  # what scanners reported to the original


class _Person(NamedTuple):
    patient_name: str
    patient_birth_date: date | None
    patient_sex: str


def plan(file: OriginalFile, options: Options) -> list[RowPlan]:
    uids = Counter(filter(None, (cells.uid(row["study_instance_uid"]) for row in file.rows)))
    people = _people(file.rows, options)
    return [_RowPlanning(row, file, options, uids, people).plan() for row in file.rows]


def remarks(file: OriginalFile, options: Options) -> tuple[str, ...]:
    """Return what concerns the whole file."""
    if "data_source" not in file.lacks or options.unmarked is not Unmarked.BY_FILE:
        return ()
    return (
        "This file is of an older version, which did not note who made a row: scheduled ones count as a "
        "source's, and wait for its next pull. Where people made them, say so (unmarked: people).",
    )


@dataclass
class _RowPlanning:
    given: Cells
    file: OriginalFile
    options: Options
    uids: Counter[str]
    people: Mapping[str, Mapping[_Person, Sequence[int]]]

    def plan(self) -> RowPlan:
        try:
            self._refuse_what_is_no_text()
            status = cells.status(self.given["performed_procedure_step_status"])
            if status is None:
                raise RowLeftOut(NO_STATUS)
            if status == Status.SCHEDULED and self._is_a_sources:
                return self._step()
            return self._item(status)
        except RowLeftOut as left:
            return self._planned(Fate.LEFT, notes=(str(left),))

    def _planned(self, fate: Fate, **more: Any) -> RowPlan:
        status = cells.status(self.given["performed_procedure_step_status"])
        return RowPlan(
            self._row,
            _fingerprint(self.given),
            fate,
            contradicts=tuple(self._of_another_person()),
            who=self._who,
            patient_id=self.given["patient_id"],
            examined=None if status == Status.SCHEDULED else status,
            **more,
        )

    def _item(self, status: Status) -> RowPlan:
        notes: list[str] = []
        start = self._start()
        if start.at is None and self.given["scheduled_start_time"].strip():
            notes.append(cells.NO_TIME)
        if status == Status.IN_PROGRESS:
            notes.append(UNDER_WAY)
        modality = cells.modality(self.given["modality"], self.options.modalities)
        if not modality:
            raise RowLeftOut(NO_MODALITY)
        person = _person(self.given, self.options)
        weight = cells.weight(self.given["patient_weight_lb"])
        values = {
            **{name: self.given[name] for name in _TAKEN_OVER if self._is_given(name, notes)},
            "patient_name": self.given["patient_name"],
            "patient_id": self.given["patient_id"],
            **{name: known.value for name, known in person.items()},
            "patient_weight_kg": weight.value,
            "modality": modality,
            "scheduled_start_date": start.day,
            "scheduled_start_time": start.at,
            "performed_procedure_step_status": status,
        }
        notes += [known.note for known in (*person.values(), weight) if known.note]
        uid, of_uid = self._uid()
        return self._planned(Fate.ITEM, values=values, uid=uid, notes=(*notes, *of_uid))

    def _step(self) -> RowPlan:
        """Keep the Study Instance UID by what the next pull's appointment must have in common with it."""
        start = self._start()
        if start.at is None:
            raise RowLeftOut(NO_TIME_TO_TIE)
        uid, notes = self._uid()
        if not uid:
            raise RowLeftOut(" ".join([NO_UID_TO_TIE, *(note for note in notes if note != NEW_UID)]))
        try:
            patient_id = cleaning.identifier(self.given["patient_id"])
        except ValidationError as error:
            raise RowLeftOut(f"Patient ID: {' '.join(error.messages)}") from error
        values = {
            "patient_id": patient_id,
            "scheduled_start_date": start.day,
            "scheduled_start_time": start.at,
        }
        return self._planned(Fate.STEP, values=values, uid=uid)

    @property
    def _row(self) -> int:
        return int(self.given["id"])

    @property
    def _who(self) -> str:
        return " · ".join(filter(None, (self.given["patient_id"], self.given["patient_name"])))

    @property
    def _is_a_sources(self) -> bool:
        if self.given["data_source"].strip():
            return True
        if self.options.unmarked is Unmarked.BY_FILE:
            return "data_source" in self.file.lacks
        return self.options.unmarked is Unmarked.SOURCES

    def _refuse_what_is_no_text(self) -> None:
        for name in (*_ESSENTIAL, "scheduled_start_time", "study_instance_uid"):
            if not cells.is_text(self.given[name]):
                raise RowLeftOut(f"{_in_words(name)} {NOT_UTF8}.")
        for name in ("patient_name", "patient_id"):
            if not self.given[name].strip():
                raise RowLeftOut(f"{_in_words(name)} is missing.")

    def _is_given(self, name: str, notes: list[str]) -> bool:
        if cells.is_text(self.given[name]):
            return bool(self.given[name].strip())
        notes.append(f"{_in_words(name)} {NOT_UTF8}: left out.")
        return False

    def _start(self) -> cells.Start:
        start = cells.start(self.given["scheduled_start_date"], self.given["scheduled_start_time"])
        if start.day is None:
            raise RowLeftOut(NO_DATE)
        return start

    def _uid(self) -> tuple[str, tuple[str, ...]]:
        uid = cells.uid(self.given["study_instance_uid"])
        if not uid:
            return "", (NEW_UID,)
        if self.uids[uid] == 1:
            return uid, ()
        same = (int(row["id"]) for row in self.file.rows if cells.uid(row["study_instance_uid"]) == uid)
        others = _named([row for row in same if row != self._row])
        return "", (f"{others} {_have(others)} the same Study Instance UID: a new one is made.",)

    def _of_another_person(self) -> Iterator[str]:
        """Say which rows name another person under the patient ID."""
        mine = _person_of(self.given, self.options)
        here = self.people.get(self.given["patient_id"].strip(), {})
        others = [rows[0] for other, rows in here.items() if whose_id.differing(mine, other)]
        if others:
            named = _named(sorted(others))
            yield f"{named} {'name' if len(others) > 1 else 'names'} another person under this patient ID."


def _people(rows: Sequence[Cells], options: Options) -> dict[str, dict[_Person, list[int]]]:
    found: dict[str, dict[_Person, list[int]]] = defaultdict(dict)
    for row in rows:
        people = found[row["patient_id"].strip()]
        people.setdefault(_person_of(row, options), []).append(int(row["id"]))
    return found


def _person(row: Cells, options: Options) -> dict[str, cells.Known]:
    return {
        "patient_birth_date": cells.birth_date(row["patient_birth_date"]),
        "patient_sex": cells.sex(row["patient_sex"], options.sex_codes),
    }


def _person_of(row: Cells, options: Options) -> _Person:
    person = _person(row, options)
    return _Person(row["patient_name"], person["patient_birth_date"].value, str(person["patient_sex"].value))


def _fingerprint(row: Cells) -> str:
    """Tell the row from another that is given its number later: the original never changes these."""
    return remembered.fingerprint(row["id"], row["study_instance_uid"], row["patient_id"])


def _in_words(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("uid", "UID").replace(" id", " ID")


def _named(rows: list[int]) -> str:
    told = ", ".join(map(str, rows[:_MOST_TOLD]))
    more = f" and {len(rows) - _MOST_TOLD} more" if len(rows) > _MOST_TOLD else ""
    return f"Rows {told}{more}" if len(rows) > 1 else f"Row {told}"


def _have(named: str) -> str:
    return "have" if named.startswith("Rows") else "has"
