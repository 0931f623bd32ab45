"""The search answers what a slow reference says, for random items, queries and devices.

An item is explained if and only if it is not answered.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from tests.effort import tries
from tests.worklist import reference_matcher
from tests.worklist.matching_examples import KEYWORDS, create, stores_and_identifiers
from worklist.answering import compiled
from worklist.answering.compiled import FindRequest
from worklist.answering.explaining import why_not
from worklist.answering.search import search
from worklist.answering.statuses import TooManyMatches
from worklist.devices import offers
from worklist.devices.offers import offer_to
from worklist.dicom.matching import IdentifierError
from worklist.models import Device, OverMaximum, Status, WorklistItem

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("values_as_they_come", "fixed_day"),
    pytest.mark.timeout(300),
]

TODAY = date(2026, 1, 10)
TITLES = st.sampled_from(["a", "b", "aa", "ab", "A"])
DAYS = st.one_of(st.none(), st.integers(0, 1))
DEVICES = st.fixed_dictionaries(
    {
        "ae_title": TITLES,
        "station_filter": st.sampled_from(["AS_ASKED", "OWN", "OWN", "OWN_OR_ANY", "OWN_OR_ANY"]),
        "station_ae_titles": st.one_of(st.just(""), TITLES, st.lists(TITLES, min_size=2).map("\\".join)),
        "offered_statuses": st.one_of(st.just([]), st.lists(st.sampled_from(Status.values), unique=True)),
        "days_back": DAYS,
        "days_ahead": DAYS,
        "longest_patient_name": st.one_of(st.none(), st.integers(1, 4)),
        "longest_patient_id": st.one_of(st.none(), st.integers(1, 3)),
        "maximum_answers": st.one_of(st.none(), st.none(), st.integers(1, 3)),
        "over_maximum": st.sampled_from(list(OverMaximum.values)),
    }
)


@pytest.fixture
def fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "today_at", lambda device: TODAY)


def request_of(identifier: Dataset) -> FindRequest:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, identifier)
    return FindRequest(stream.getvalue(), implicit_vr=False)


def is_selected(item: dict[str, Any], identifier: Dataset, device: dict[str, Any]) -> bool:
    """Select by the rules of the device's row as its help texts tell them."""
    status, day = item["performed_procedure_step_status"], item["scheduled_start_date"]
    own = list(filter(None, device["station_ae_titles"].split("\\"))) or [device["ae_title"]]
    asked = reference_matcher.key(identifier, "ScheduledStationAETitle")
    asked_status = reference_matcher.key(identifier, "ScheduledProcedureStepStatus")
    stations = item["scheduled_station_aetitle"].split("\\")
    taken_for_own = item
    if device["station_filter"] != "AS_ASKED":
        takes_any = device["station_filter"] == "OWN_OR_ANY" and stations == [""]
        if not (set(stations) & set(own) or takes_any):
            return False
        if asked and not any(reference_matcher.station_matches(title, asked) for title in own):
            return False
        if takes_any:
            named = next((t for t in own if reference_matcher.station_matches(t, asked)), own[0])
            taken_for_own = {**item, "scheduled_station_aetitle": named}
    if device["offered_statuses"]:
        if status not in device["offered_statuses"]:
            return False
        if not asked_status:
            taken_for_own = {**taken_for_own, "performed_procedure_step_status": "SCHEDULED"}
    back, ahead = device["days_back"], device["days_ahead"]
    if back is not None and day < TODAY - timedelta(days=back):
        return False
    if ahead is not None and day > TODAY + timedelta(days=ahead):
        return False
    return reference_matcher.matches(taken_for_own, identifier)


def is_taken(item: dict[str, Any], device: dict[str, Any]) -> bool:
    name, patient_id = device["longest_patient_name"], device["longest_patient_id"]
    groups = item["patient_name"].split("=")
    return (name is None or max(map(len, groups)) <= name) and (
        patient_id is None or len(item["patient_id"]) <= patient_id
    )


@given(stores_and_identifiers(KEYWORDS), DEVICES)
@settings(max_examples=tries(30, nightly=120), deadline=None, suppress_health_check=list(HealthCheck))
def test_an_item_is_explained_if_and_only_if_it_is_not_answered(
    drawn: tuple[list[dict[str, Any]], list[Dataset]], rules: dict[str, Any]
) -> None:
    store, identifiers = drawn
    with transaction.atomic():
        Device(**rules).save_as("test")
        items = {item.pk: (item, values) for values in store for item in [create(values)]}
        for identifier in identifiers:
            check(rules, items, identifier)
        transaction.set_rollback(True)


def check(
    rules: dict[str, Any], items: dict[int, tuple[WorklistItem, dict[str, Any]]], identifier: Dataset
) -> None:
    request = request_of(identifier)
    malformed = reference_matcher.malformed(identifier)
    total = None
    try:
        found = search(request, rules["ae_title"])
        answered = {answer.pk for answer in found.answers()}
    except IdentifierError:
        assert malformed
        return
    except TooManyMatches as error:
        answered, total = set(), error.total
    assert not malformed
    selected = {pk for pk, (_, values) in items.items() if is_selected(values, identifier, rules)}
    if total is not None:
        assert total == len(selected) > rules["maximum_answers"]
    else:
        most = rules["maximum_answers"] or len(selected)
        by_schedule = sorted(
            selected,
            key=lambda pk: (items[pk][0].scheduled_start_date, items[pk][0].scheduled_start_time, pk),
        )
        assert answered == {pk for pk in by_schedule[:most] if is_taken(items[pk][1], rules)}
    offer = offer_to(rules["ae_title"])
    query = compiled.compile_query(request, offer.output)
    for pk, (item, _) in items.items():
        reason = why_not(item, offer, query)
        assert (reason is None) == (pk in answered), (reason, identifier)
        assert reason is None or (reason.rule != "unreadable" and reason.sentence.endswith("."))
