"""The answers of SQL and of the reference matcher to random queries on random stores are the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.worklist import reference_matcher
from tests.worklist.identifiers import asking, values_as_they_come
from worklist.dicom.matching import IdentifierError, read_keys
from worklist.models import WorklistItem

__all__ = ["values_as_they_come"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("values_as_they_come"), pytest.mark.timeout(300)]

# Few letters, so that queries find something; with them all that means something to GLOB, LIKE,
# regular expressions or DICOM.
LETTERS = "aaaabbbAB"
ODD = "*?%_[]^$.+-(é"
Strategy = st.SearchStrategy[Any]


def _texts(alphabet: str, most: int = 3, least: int = 1) -> Strategy:
    return st.text(st.sampled_from(alphabet), min_size=least, max_size=most)


def _or_empty(texts: Strategy) -> Strategy:
    return st.one_of(texts, texts, st.just(""))


DAYS = st.sampled_from([date(2026, 1, day) for day in (9, 10, 11)])
TIMES = st.sampled_from([time(0, 0), time(9, 30), time(9, 30, 0, 500000), time(22, 0), time(23, 59, 59)])
STORED_TEXT = _texts(LETTERS + ODD)
STORED_GROUP = _texts("abAB^^ *[é李σςΣİi", 4, 0)
STORED_NAME = st.lists(STORED_GROUP, min_size=1, max_size=3).map("=".join)
STORED_STATION = st.lists(_texts("abA*[.%", 2), max_size=3).map("\\".join)

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
    min_size=1,
    max_size=6,
    unique_by=lambda item: (item["study_instance_uid"], item["scheduled_procedure_step_id"]),
)

PADDING = st.sampled_from(["", "", "", " ", "  ", "\0"])
E_AND_ACUTE = "e\u0301"


def _keys(values: Strategy) -> Strategy:
    """One value, padded, or several, any of which may be empty."""
    padded = st.tuples(st.sampled_from(["", "", " "]), values, PADDING).map("".join)
    return st.one_of(padded, padded, padded, st.lists(padded, max_size=3), st.just(""))


TEXT_KEY = _keys(
    st.one_of(
        _texts(LETTERS + ODD),
        _texts("aabb***??[" + ODD, 4),
        _texts("ab*", 2).map(lambda text: text + E_AND_ACUTE),
        st.sampled_from(["*", "**", "a*", "*b", "?", "?*", "a" * 70, "a\0b"]),
    )
)
GROUP_KEY = st.one_of(_texts("abAB^^**?[é李σΣİ ", 5, 0), st.sampled_from(["*^*", "a^*", "^*", "*a*", "*"]))
NAME_KEY = _keys(st.one_of(GROUP_KEY, st.lists(GROUP_KEY, max_size=3).map("=".join)))
DAY_TEXT = st.sampled_from(["20260108", "20260109", "20260110", "20260111", "2026.01.10"])
TIME_TEXT = st.sampled_from(["00", "0930", "09:30:00", "093000.5", "093000.500000", "2200", "235960", "235959"])
BAD_MOMENT = st.sampled_from(["2026-01-10", "20261301", "20260229", "-", "9", "2026*", "09:30", "24", "093060-x"])


def _ranges(moments: Strategy) -> Strategy:
    start, end, both = (
        moments.map(lambda low: f"{low}-"),
        moments.map(lambda high: f"-{high}"),
        st.tuples(moments, moments).map("-".join),
    )
    likely = st.one_of(moments, both, both, start, end)
    return _keys(st.integers(0, 20).flatmap(lambda dice: likely if dice else BAD_MOMENT))


UID_KEY = _keys(st.sampled_from(["1.2", "1.2.3", "1.2*", "1.?", "2.25", "9.9", "*"]))
MODALITY_KEY = _keys(st.sampled_from(["MR", "mr", "M?", "M*", "CT", "*R*", "XA", "?", "*"]))
SEX_KEY = _keys(st.sampled_from(["F", "m", "?", "O*", "*"]))
STATION_KEY = _keys(st.one_of(_texts("abA*?[.%", 3), st.sampled_from(["a*", "*b", "?", "a?", "*a*b*"])))
STATUS_KEY = _keys(
    st.sampled_from(
        ["SCHEDULED", "STARTED", "started", "IN PROGRESS", "IN_PROGRESS", "IN*", "C*", "*ED", "CANCELED", "?", "X"]
    )
)

ROOT_KEYS: dict[str, Strategy] = {
    "PatientName": NAME_KEY,
    "ReferringPhysicianName": NAME_KEY,
    "RequestingPhysician": NAME_KEY,
    "PatientID": TEXT_KEY,
    "AccessionNumber": TEXT_KEY,
    "RequestedProcedureID": TEXT_KEY,
    "StudyInstanceUID": UID_KEY,
    "PatientBirthDate": _ranges(DAY_TEXT),
    "PatientSex": SEX_KEY,
}
STEP_KEYS: dict[str, Strategy] = {
    "ScheduledStationAETitle": STATION_KEY,
    "ScheduledProcedureStepStartDate": _ranges(DAY_TEXT),
    "ScheduledProcedureStepStartTime": _ranges(TIME_TEXT),
    "Modality": MODALITY_KEY,
    "ScheduledPerformingPhysicianName": NAME_KEY,
    "ScheduledStationName": TEXT_KEY,
    "ScheduledProcedureStepLocation": TEXT_KEY,
    "ScheduledProcedureStepID": TEXT_KEY,
    "ScheduledProcedureStepStatus": STATUS_KEY,
}
ALL_KEYS = ROOT_KEYS | STEP_KEYS


@st.composite
def queries(draw: st.DrawFn) -> Dataset:
    """One to three keys: more would find nothing, and with nothing found little is compared."""
    schedule = ["ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"]
    some = st.lists(st.sampled_from(sorted(ALL_KEYS)), max_size=3, unique=True)
    keywords = draw(st.one_of(some, some, some, st.just(schedule)))
    values = {keyword: draw(ALL_KEYS[keyword], label=keyword) for keyword in keywords}
    return asking(
        {keyword: value for keyword, value in values.items() if keyword in ROOT_KEYS},
        {keyword: value for keyword, value in values.items() if keyword in STEP_KEYS},
    )


def _create(values: dict[str, Any]) -> WorklistItem:
    item = WorklistItem(**values)
    item.skip_history_when_saving = True
    item.save()
    return item


def _by_schedule(items: Iterable[WorklistItem]) -> list[int]:
    return [
        item.pk
        for item in sorted(items, key=lambda item: (item.scheduled_start_date, item.scheduled_start_time, item.pk))
    ]


@given(STORES, st.lists(queries(), min_size=6, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_sql_finds_what_the_reference_matcher_finds(
    store: list[dict[str, Any]], identifiers: list[Dataset]
) -> None:
    with transaction.atomic():
        items = {item.pk: (item, values) for values in store for item in [_create(values)]}
        for identifier in identifiers:
            try:
                keys = read_keys(identifier)
            except IdentifierError as error:
                assert error.tag in reference_matcher.malformed(identifier)
                continue
            assert not reference_matcher.malformed(identifier)
            expected = [
                item for item, values in items.values() if reference_matcher.matches(values, identifier)
            ]
            found = list(WorklistItem.objects.matching(keys).values_list("pk", flat=True))
            assert found == _by_schedule(expected), identifier
        transaction.set_rollback(True)
