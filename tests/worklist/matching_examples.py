"""These strategies draw stores of items, and queries that are mostly about one of them."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.tag import Tag

from tests.worklist.identifiers import make_identifier
from worklist.dicom import item_attributes
from worklist.dicom.item_attributes import Place
from worklist.models import WorklistItem

Strategy = st.SearchStrategy[Any]

# Few letters, so that queries find something; with them all that means something to GLOB, LIKE,
# regular expressions or DICOM.
LETTERS = "aaaaaabbAB"
ODD = "%%%___[[[*?]^$.+-(é"


def _texts(alphabet: str, most: int = 3, least: int = 1) -> Strategy:
    return st.text(st.sampled_from(alphabet), min_size=least, max_size=most)


def _or_empty(texts: Strategy) -> Strategy:
    return st.one_of(texts, texts, st.just(""))


DAYS = st.sampled_from([date(2026, 1, day) for day in (9, 10, 11)])
TIMES = st.sampled_from([time(0, 0), time(9, 30), time(9, 30, 0, 500000), time(22, 0), time(23, 59, 59)])
STORED_TEXT = _texts(LETTERS + ODD)
STORED_GROUP = _texts("abAB^^ *[é李σςΣİi", 4, 0)
STORED_NAME = st.lists(STORED_GROUP, min_size=1, max_size=3).map("=".join)
STATIONS = _texts("aabbA*[.%", 2)
STORED_STATION = st.one_of(_or_empty(STATIONS), st.lists(STATIONS, min_size=2, max_size=3).map("\\".join))

ITEMS = st.fixed_dictionaries(
    {
        "patient_name": STORED_NAME.filter(bool),
        "referring_physician_name": STORED_NAME,
        "requesting_physician": STORED_NAME,
        "performing_physician": STORED_NAME,
        "patient_id": STORED_TEXT,
        "patient_birth_date": st.one_of(st.none(), DAYS),
        "patient_sex": st.sampled_from(["", "F", "M", "O"]),
        "accession_number": STORED_TEXT,
        "requested_procedure_id": STORED_TEXT,
        "scheduled_procedure_step_id": STORED_TEXT,
        "study_instance_uid": st.sampled_from(["1.2", "1.2.3", "1.20", "2.25"]),
        "modality": st.sampled_from(["MR", "CT", "M", "MRA"]),
        "scheduled_station_aetitle": STORED_STATION,
        "station_name": _or_empty(STORED_TEXT),
        "scheduled_procedure_step_location": _or_empty(STORED_TEXT),
        "scheduled_start_date": DAYS,
        "scheduled_start_time": TIMES,
        "performed_procedure_step_status": st.sampled_from(
            ["SCHEDULED", "SCHEDULED", "IN_PROGRESS", "COMPLETED", "DISCONTINUED", "CANCELLED"]
        ),
    }
)
STORES = st.lists(
    ITEMS,
    min_size=3,
    max_size=6,
    unique_by=lambda item: (item["study_instance_uid"], item["scheduled_procedure_step_id"]),
)

PADDING = st.sampled_from(["", "", "", " ", "  ", "\0"])
E_AND_ACUTE = "e\u0301"

RANDOM_TEXT = st.one_of(
    _texts(LETTERS + ODD),
    _texts("aabb***??[" + ODD, 4),
    st.sampled_from(["*", "**", "?", "?*", "a" * 70, "a\0b", E_AND_ACUTE]),
)
RANDOM_GROUP = st.one_of(_texts("abAB^^**?[é李σΣİ ", 5, 0), st.sampled_from(["*^*", "a^*", "^*", "*a*", "*"]))
RANDOM_NAME = st.one_of(RANDOM_GROUP, st.lists(RANDOM_GROUP, max_size=3).map("=".join))
RANDOM_UID = st.sampled_from(["1.2*", "1.?", "9.9", "*"])
RANDOM_CODE = st.sampled_from(["M?", "M*", "*R*", "XA", "?", "*", "f"])
RANDOM_STATION = st.one_of(_texts("abA*?[.%", 3), st.sampled_from(["a*", "*b", "?", "a?", "*a*b*"]))
STATUS = st.sampled_from(
    [
        "SCHEDULED",
        "STARTED",
        "started",
        "IN PROGRESS",
        "IN_PROGRESS",
        "IN*",
        "C*",
        "*ED",
        "CANCELED",
        "?",
        "X",
    ]
)
DAY_TEXT = st.sampled_from(["20260108", "20260109", "20260110", "20260111", "2026.01.10"])
TIME_TEXT = st.sampled_from(["00", "0930", "09:30:00", "093000.5", "093000.500", "22", "235960", "235959"])
BAD_MOMENT = st.sampled_from(
    ["2026-01-10", "20261301", "20260229", "-", "9", "2026*", "09:30", "24", "093060-x"]
)


@st.composite
def near(draw: st.DrawFn, stored: str) -> str:
    """Draw a stored value as a query may ask for it, or with something changed."""
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(stored))] * 2)))
    return str(
        draw(
            st.sampled_from(
                [
                    stored,
                    stored,
                    stored,
                    stored.swapcase(),
                    stored[:start] + "*" + stored[end:],
                    stored[:start] + "*" + stored[start:end] + "*",
                    stored[:start] + "?" * (end - start) + stored[end:],
                    stored[:start] + "?" + stored[end:],
                    stored[:start] + "?*" + stored[end:],
                ]
            )
        )
    )


@st.composite
def near_name(draw: st.DrawFn, stored: str) -> str:
    groups = [draw(st.one_of(near(group), st.just(""))) for group in stored.split("=")]
    return str(draw(st.one_of(near(stored), st.sampled_from(groups), st.just("=".join(groups)))))


@st.composite
def near_station(draw: st.DrawFn, stored: str) -> str:
    across = f"{stored[:1]}*{stored[-1:]}"
    return str(draw(st.one_of(st.sampled_from(stored.split("\\")).flatmap(near), st.just(across))))


def _keys(values: Strategy) -> Strategy:
    """Draw one value, padded, or several, any of which may be empty."""
    padded = st.tuples(st.sampled_from(["", "", " "]), values, PADDING).map("".join)
    return st.one_of(padded, padded, padded, st.lists(padded, max_size=3), st.just(""))


def _ranges(moments: Strategy) -> Strategy:
    low, high = moments.map(lambda low: f"{low}-"), moments.map(lambda high: f"-{high}")
    return st.one_of(st.tuples(moments, moments).map("-".join), low, high)


def _moments(moments: Strategy) -> Strategy:
    likely = st.one_of(moments, _ranges(moments))
    return _keys(st.integers(0, 20).flatmap(lambda dice: likely if dice else BAD_MOMENT))


TEXT, NAME = (near, RANDOM_TEXT), (near_name, RANDOM_NAME)
NEAR_KEYS = {
    "PatientName": ("patient_name", *NAME),
    "ReferringPhysicianName": ("referring_physician_name", *NAME),
    "RequestingPhysician": ("requesting_physician", *NAME),
    "ScheduledPerformingPhysicianName": ("performing_physician", *NAME),
    "PatientID": ("patient_id", *TEXT),
    "AccessionNumber": ("accession_number", *TEXT),
    "RequestedProcedureID": ("requested_procedure_id", *TEXT),
    "ScheduledProcedureStepID": ("scheduled_procedure_step_id", *TEXT),
    "ScheduledStationName": ("station_name", *TEXT),
    "ScheduledProcedureStepLocation": ("scheduled_procedure_step_location", *TEXT),
    "StudyInstanceUID": ("study_instance_uid", near, RANDOM_UID),
    "Modality": ("modality", near, RANDOM_CODE),
    "PatientSex": ("patient_sex", near, RANDOM_CODE),
    "ScheduledStationAETitle": ("scheduled_station_aetitle", near_station, RANDOM_STATION),
}
DATE, TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
OTHER_KEYS = {
    "PatientBirthDate": _moments(DAY_TEXT),
    DATE: _moments(DAY_TEXT),
    TIME: _moments(TIME_TEXT),
    "ScheduledProcedureStepStatus": _keys(STATUS),
}
DAYS_ASKED = st.one_of(DAY_TEXT, _ranges(DAY_TEXT))
TIMES_ASKED = st.one_of(TIME_TEXT, _ranges(TIME_TEXT), _ranges(TIME_TEXT))
STATION = "ScheduledStationAETitle"
KEYWORDS = st.one_of(
    st.lists(st.sampled_from([*NEAR_KEYS, *OTHER_KEYS]), max_size=2, unique=True),
    st.sampled_from([[keyword] for keyword in (*NEAR_KEYS, *OTHER_KEYS)]),
    st.sampled_from(
        [[STATION], [STATION], [DATE, TIME], [DATE, TIME], [TIME], ["PatientName"], ["Modality"]]
    ),
)
STEP = item_attributes.BY_PLACE[Place.STEP]


@st.composite
def identifiers(draw: st.DrawFn, store: list[dict[str, Any]], keywords_asked: Strategy) -> Dataset:
    """Draw few keys, and mostly about one of the items: more would find nothing, and tell nothing."""
    item = draw(st.sampled_from(store))
    keywords = draw(keywords_asked)
    values = {keyword: draw(_key(keyword, item)) for keyword in keywords}
    if keywords == [DATE, TIME]:
        values = {DATE: draw(DAYS_ASKED), TIME: draw(TIMES_ASKED)}
    in_step = {keyword for keyword in values if Tag(keyword) in STEP}
    return make_identifier(
        {keyword: value for keyword, value in values.items() if keyword not in in_step},
        {keyword: value for keyword, value in values.items() if keyword in in_step},
    )


def _key(keyword: str, item: dict[str, Any]) -> Strategy:
    if keyword in OTHER_KEYS:
        return OTHER_KEYS[keyword]
    field, near_it, anything = NEAR_KEYS[keyword]
    stored = near_it(item[field])
    return _keys(st.one_of(stored, stored, stored, anything))


@st.composite
def stores_and_identifiers(
    draw: st.DrawFn, keywords_asked: Strategy
) -> tuple[list[dict[str, Any]], list[Dataset]]:
    store = draw(STORES)
    return store, draw(st.lists(identifiers(store, keywords_asked), min_size=12, max_size=12))


def create(values: dict[str, Any]) -> WorklistItem:
    item = WorklistItem(**values)
    item.skip_history_when_saving = True
    item.save()
    return item
