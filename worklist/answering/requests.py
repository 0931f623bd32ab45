"""Queries that a person makes, and those that a device has made, are put here as C-FIND would get them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.utils import timezone
from pydicom import Dataset, Sequence
from pydicom.config import disable_value_validation
from pydicom.datadict import keyword_for_tag
from pydicom.tag import Tag

from worklist.answering.compiled import LONGEST_IDENTIFIER, FindRequest
from worklist.answering.statuses import CANCELLED, SUCCESS
from worklist.devices.offers import STATION, Offer, zone_of
from worklist.dicom import datasets, json_model, moments, reading
from worklist.dicom.datasets import Unreadable
from worklist.dicom.item_attributes import (
    BY_KEYWORD,
    ROOT_ATTRIBUTES,
    STEP_SEQUENCE,
    ItemAttribute,
    Place,
    matched,
)
from worklist.dicom.json_model import DataSet
from worklist.dicom.matching import IdentifierError, read_keys
from worklist.dicom.values import to_text
from worklist.models import Device, DeviceActivity

DATE = "ScheduledProcedureStepStartDate"
# A query with one of these looks for one patient; the others are for a list.
OF_ONE_PATIENT = frozenset(
    {
        *("PatientID", "PatientName", "AccessionNumber", "RequestedProcedureID"),
        *("ScheduledProcedureStepID", "StudyInstanceUID"),
    }
)
ASCII_ONLY = frozenset({"AE", "CS", "DA", "TM", "UI"})  # whatever the character set (PS3.5 6.2)
MOST_LOOKED_AT = 25  # of the last queries, for one that asks for a list


class AskedQuery(NamedTuple):
    """This is a query, and whose it is in words."""

    request: FindRequest
    origin: str


def by_keyword() -> dict[str, ItemAttribute]:
    """Return the keys that a person may ask for: those that are matched."""
    return {attribute.keyword: attribute for attribute in matched()}


def universal_query() -> Dataset:
    """Return a query whose every key of Table K.6-1 is universal."""
    identifier = Dataset()
    for attribute in ROOT_ATTRIBUTES:
        identifier.add_new(attribute.tag, attribute.vr, None)
    setattr(identifier, STEP_SEQUENCE.keyword, Sequence([Dataset()]))
    return identifier


class UnsendableKey(Exception):
    """The value of a key cannot be sent."""

    def __init__(self, keyword: str) -> None:
        super().__init__("Only ASCII can be asked for here.")
        self.keyword = keyword


def query_of_keys(given: Mapping[str, str]) -> FindRequest:
    """Return a query for everything of the items that match the keys, which are given by keyword.

    Several values are separated by backslash. Raises UnsendableKey.
    """
    identifier = universal_query()
    step = identifier.ScheduledProcedureStepSequence[0]
    with disable_value_validation():
        for attribute in BY_KEYWORD.values():
            if attribute.place is Place.STEP:
                step.add_new(attribute.tag, attribute.vr, None)
        for keyword, value in given.items():
            attribute = BY_KEYWORD[keyword]
            if attribute.vr in ASCII_ONLY and not value.isascii():
                raise UnsendableKey(keyword)
            place = step if attribute.place is Place.STEP else identifier
            place.add_new(attribute.tag, attribute.vr, _values(attribute, value))
        if not all(value.isascii() for value in given.values()):
            identifier.SpecificCharacterSet = "ISO_IR 192"
        return FindRequest(_encoded(identifier, implicit_vr=False), implicit_vr=False)


def usual_query(device: Device | None, offer: Offer) -> FindRequest:
    """Return what consoles ask by themselves: today's items of their modality and station (PS3.2 N.5)."""
    keys = {DATE: to_text(offer.today), STATION: offer.stations[0]}
    if device is not None and device.modality:
        keys["Modality"] = device.modality
    return query_of_keys(keys)


def recorded(activity: DeviceActivity) -> FindRequest:
    return FindRequest(bytes(activity.identifier), implicit_vr=activity.implicit_vr)


def moved_to_today(request: FindRequest, *, asked_on: date, today: date) -> FindRequest:
    """Return the query as it would be asked today.

    A date key that held the day on which it was asked moves along.
    """
    if asked_on == today:
        return request
    try:
        identifier = read(request)
        step = identifier.ScheduledProcedureStepSequence[0]
        asked = str(step[DATE].value or "")
        wanted = moments.date_range(asked)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, Unreadable):
        return request
    if not (wanted.low or date.min) <= asked_on <= (wanted.high or date.max):
        return request
    try:
        value = _range(wanted.low, wanted.high, today - asked_on, single="-" not in asked)
    except OverflowError:  # up to the end of all days
        return request
    with disable_value_validation():
        step[DATE].value = value
        return FindRequest(
            _encoded(identifier, implicit_vr=request.implicit_vr), implicit_vr=request.implicit_vr
        )


def read(request: FindRequest) -> Dataset:
    """Return the query's identifier. Raises Unreadable."""
    return datasets.read(
        request.identifier,
        implicit_vr=request.implicit_vr,
        deflated=request.deflated,
        longest=LONGEST_IDENTIFIER,
    )


def decoded(request: FindRequest) -> DataSet | None:
    """Return all that was asked, in DICOM's JSON model, or None where it cannot be decoded."""
    try:
        return json_model.read(read(request)).dataset
    except Exception:  # pydicom decodes on access, and raises what its converters raise
        return None


def doubts(request: FindRequest) -> list[str]:
    """Return what is doubtful in the texts of a query, in a sentence each, without what was asked."""
    try:
        doubtful = json_model.read(read(request)).doubtful
    except Unreadable:
        return []
    return [f"{reading.name(Tag(each.path[-1]))}: {each.sentence}" for each in doubtful]


def keys_with_values(request: FindRequest) -> list[tuple[str, str]] | None:
    """Return keyword and value of the keys that select something; None where the query cannot be read."""
    dataset = decoded(request)
    return None if dataset is None else list(_with_values(dataset))


def asks_for_a_list(request: FindRequest) -> bool:
    try:
        keys = read_keys(read(request))
    except (IdentifierError, Unreadable):
        return False
    return not any(OF_ONE_PATIENT & set(key.keywords) for key in keys.keys)


def last_list_query(ae_title: str) -> DeviceActivity | None:
    """Return the last of a device's queries that asked for a list.

    A query for one patient says nothing of the others.
    """
    answered = DeviceActivity.objects.queries().filter(ae_title=ae_title, status__in=(SUCCESS, CANCELLED))
    queries = answered.exclude(identifier=b"")
    for activity in queries[:MOST_LOOKED_AT]:
        if asks_for_a_list(recorded(activity)):
            return activity
    return None


def last_list_query_of_today(
    device: Device | None, offer: Offer
) -> tuple[DeviceActivity, FindRequest] | None:
    """Return the last query for a list, and as it would be asked today."""
    last = last_list_query(offer.ae_title)
    if last is None:
        return None
    asked_on = timezone.localdate(last.at, zone_of(device))
    return last, moved_to_today(recorded(last), asked_on=asked_on, today=offer.today)


def _values(attribute: ItemAttribute, value: str) -> Any:
    several = [part.strip() for part in value.split("\\")]
    return several if len(several) > 1 else several[0]


def _encoded(identifier: Dataset, *, implicit_vr: bool) -> bytes:
    return datasets.write(identifier, implicit_vr=implicit_vr, deflated=False)


def _range(low: date | None, high: date | None, by: timedelta, *, single: bool) -> str:
    ends = [to_text(end + by) if end else "" for end in (low, high)]
    return ends[0] if single else "-".join(ends)


def _with_values(dataset: DataSet) -> Iterator[tuple[str, str]]:
    for key, element in dataset.items():
        if element["vr"] == "SQ":
            for item in json_model.items(element):
                yield from _with_values(item)
        elif (texts := [text for text in json_model.texts(element) if text]) and key != "00080005":
            yield keyword_for_tag(int(key, 16)) or f"({key[:4]},{key[4:]})", "\\".join(texts)
