"""The columns of both tables are described here once: for their JSON files, and for docs/exports.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OLDEST_TOLD = 89  # years: BIDS caps ages there, so that nobody is known by an age that few reach
UNKNOWN = "n/a"
SEVERAL = ","  # between several values of a cell


@dataclass(frozen=True)
class BidsColumn:
    """A column has its name, a sentence, and whatever else BIDS lets its JSON file say."""

    name: str
    description: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, Any]:
        return {"Description": self.description, **self.more}


_AGE = {"Units": "year", "Format": "integer", "Minimum": 0, "Maximum": OLDEST_TOLD}
PARTICIPANTS = (
    BidsColumn("participant_id", "The participant: sub- and a label of letters and digits."),
    BidsColumn(
        "age",
        "Age in completed years on the day of the participant's first session in this data set; "
        f"{OLDEST_TOLD} stands for that and more.",
        _AGE,
    ),
    BidsColumn(
        "sex",
        "Patient's Sex, DICOM (0010,0040), as the appointments have it.",
        {"Levels": {"F": "Female", "M": "Male", "O": "Other"}},
    ),
)
SESSIONS = (
    BidsColumn(
        "session_id",
        "The session: ses- and the label of its visit, where the appointments name one; else its number "
        "among all of the participant's sessions of this kind, in the order of their appointments.",
    ),
    BidsColumn(
        "acq_time",
        "When the first examination of the session began as its scanner reported it (Performed Procedure "
        "Step Start Date and Time), in the local time of the site; n/a where no scanner reported it.",
        {"Format": "datetime"},
    ),
    BidsColumn(
        "scheduled_time",
        "When the first examination of the session was scheduled, in the local time of the site.",
        {"Format": "datetime"},
    ),
    BidsColumn(
        "age",
        f"Age in completed years on the day of the session; {OLDEST_TOLD} stands for that and more.",
        _AGE,
    ),
    BidsColumn(
        "weight",
        "Patient's Weight, DICOM (0010,1030), as the appointments have it; n/a where they disagree.",
        {"Units": "kg", "Format": "number"},
    ),
    BidsColumn(
        "modality", "The modalities of the session, as DICOM's Defined Terms.", {"Delimiter": SEVERAL}
    ),
    BidsColumn(
        "status",
        "How the session's examinations stand.",
        {
            "Delimiter": SEVERAL,
            "Levels": {
                "SCHEDULED": "Nothing was reported yet",
                "IN_PROGRESS": "The examination has begun and not ended",
                "COMPLETED": "The examination was completed",
                "DISCONTINUED": "The examination was broken off; there may be images",
            },
        },
    ),
    BidsColumn(
        "study_instance_uid",
        "The Study Instance UIDs of the session, DICOM (0020,000D); in a data set of pseudonyms they are "
        "replaced, the same way in every export.",
        {"Delimiter": SEVERAL},
    ),
)
