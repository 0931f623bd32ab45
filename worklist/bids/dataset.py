"""Participants and sessions become the texts of a BIDS data set's files.

The form is that of BIDS 1.11: tables of UTF-8, separated by tabs, `n/a` for what is not known; a JSON file
beside each kind of table describes its columns. `/sessions.json` stands for all participants, as BIDS'
inheritance principle has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from worklist.bids.columns import PARTICIPANTS, SESSIONS, SEVERAL, UNKNOWN, BidsColumn

BIDS_VERSION = "1.11.0"
Row = Mapping[str, str]


@dataclass(frozen=True)
class BidsSession:
    """A session is what was examined at one visit; moments are naive, in the site's local time."""

    label: str
    acquired: datetime | None
    scheduled: datetime
    age: int | None
    weight: Decimal | None
    modalities: tuple[str, ...]
    statuses: tuple[str, ...]
    study_uids: tuple[str, ...]
    keys: tuple[int, ...]  # of the items, for the audit trail alone

    @property
    def row(self) -> Row:
        return {
            "session_id": f"ses-{self.label}",
            "acq_time": _moment(self.acquired),
            "scheduled_time": _moment(self.scheduled),
            "age": _given(self.age),
            "weight": _given(self.weight),
            "modality": SEVERAL.join(self.modalities) or UNKNOWN,
            "status": SEVERAL.join(self.statuses),
            "study_instance_uid": SEVERAL.join(self.study_uids),
        }


@dataclass(frozen=True)
class Subject:
    label: str
    sex: str
    sessions: tuple[BidsSession, ...]

    @property
    def row(self) -> Row:
        return {
            "participant_id": f"sub-{self.label}",
            "age": _given(self.sessions[0].age),
            "sex": self.sex or UNKNOWN,
        }


@dataclass(frozen=True)
class About:
    """This is what a reader of the data set is told of it."""

    version: str
    are_pseudonyms: bool
    are_shifted: bool
    performed_only: bool


def files(participants: Sequence[Subject], about: About) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of the data set."""
    yield "dataset_description.json", _json(_description(about))
    yield "README", _readme(about)
    yield "participants.tsv", _table(PARTICIPANTS, (each.row for each in participants))
    yield "participants.json", _sidecar(PARTICIPANTS)
    yield "sessions.json", _sidecar(SESSIONS)
    for each in participants:
        name = f"sub-{each.label}"
        yield f"{name}/{name}_sessions.tsv", _table(SESSIONS, (session.row for session in each.sessions))


def _table(columns: Sequence[BidsColumn], rows: Iterable[Row]) -> str:
    names = [column.name for column in columns]
    lines = ["\t".join(names), *("\t".join(row[name] for name in names) for row in rows)]
    return "\n".join(lines) + "\n"


def _sidecar(columns: Sequence[BidsColumn]) -> str:
    return _json({column.name: column.told for column in columns})


def _description(about: About) -> dict[str, Any]:
    return {
        "Name": "Participants and sessions of a worklist",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [
            {
                "Name": "Pylantir",
                "Version": about.version,
                "Description": "Participants and sessions as the DICOM worklist has them; no images.",
            }
        ],
    }


def _readme(about: About) -> str:
    return "\n".join(
        (
            "Participants and sessions as a DICOM modality worklist has them, without images.",
            "",
            "Their columns are described in participants.json and sessions.json.",
            "Text in every column but age and weight: 007 is not 7.",
            _which(about),
            _whose(about),
            _when(about),
            "",
        )
    )


def _which(about: About) -> str:
    if about.performed_only:
        return "A session is here once an examination of it was completed or discontinued."
    return "A session is here from when it is scheduled until it is cancelled."


def _whose(about: About) -> str:
    if about.are_pseudonyms:
        return (
            "Labels of participants are pseudonyms and Study Instance UIDs are replaced, the same in every "
            "export of this site."
        )
    return "Labels of participants are made of their patient IDs; UIDs are those of the images."


def _when(about: About) -> str:
    if about.are_shifted:
        return (
            "Dates are shifted by a number of days for each participant, to before 1926 as BIDS asks; "
            "times of day and what lies between two sessions of a participant are true."
        )
    return "Dates are true."


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _moment(moment: datetime | None) -> str:
    return UNKNOWN if moment is None else moment.isoformat(timespec="seconds")


def _given(number: int | Decimal | None) -> str:
    return UNKNOWN if number is None else str(number)
