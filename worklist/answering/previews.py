"""A preview tells what a device would be answered now, and why other items are not there.

It is made by the code that answers C-FIND.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from itertools import islice

from pydicom import Dataset
from pydicom.filereader import read_dataset

from worklist.answering.compiled import FindRequest
from worklist.answering.explaining import Reason, why_not
from worklist.answering.requests import universal_query
from worklist.answering.search import Search, search
from worklist.answering.statuses import SUCCESS, Failure, failure
from worklist.devices import access
from worklist.dicom import decoding
from worklist.dicom.answer_json import JsonWriter
from worklist.dicom.encoding import AnswerParts, AnswerPlan
from worklist.dicom.item_attributes import RECORD_FIELDS
from worklist.dicom.matching import DATE_FIELD
from worklist.dicom.values import Record
from worklist.models import WorklistItem

MOST_ANSWERS = 200  # shown
MOST_ENCODED = 1000  # of a list that nobody reads to its end, the others are counted
MOST_LEFT_OUT = 50  # explained
NEAR = timedelta(days=1)  # items of these days are explained where they are not answered


@dataclass(frozen=True)
class PreviewedAnswer:
    pk: int
    status: int
    dataset: Dataset  # as the device decodes it


@dataclass(frozen=True)
class LeftOut:
    item: WorklistItem
    reason: Reason


@dataclass
class Preview:
    """A preview shows the answers even where the AE title may not connect; `closed` then says why.

    `answers` are the first ones of `total`.
    """

    ae_title: str
    request: FindRequest
    closed: str
    failure: Failure = field(default_factory=lambda: Failure(SUCCESS, ""))
    answers: list[PreviewedAnswer] = field(default_factory=list)
    total: int = 0
    left_out: list[LeftOut] = field(default_factory=list)


def preview(ae_title: str, request: FindRequest) -> Preview:
    """Search for the device and decode what it would be answered. Raises django.db.Error."""
    made = Preview(ae_title, request, access.closed_to(ae_title))
    try:
        found = search(request, ae_title)
        answered = list(islice(found.answers(), MOST_ENCODED))
    except Exception as error:
        made.failure = failure(error)
        return made
    made.total = len(answered) if len(answered) < MOST_ENCODED else found.found.total
    made.answers = [
        PreviewedAnswer(each.pk, each.status, _decoded(each.identifier, request))
        for each in answered[:MOST_ANSWERS]
    ]
    made.left_out = list(islice(_left_out(found, {each.pk for each in answered}), MOST_LEFT_OUT))
    return made


def _left_out(found: Search, answered: set[int]) -> Iterator[LeftOut]:
    """Explain the items of these days, the device's today in the middle."""
    offer = found.offer
    near = (offer.today - NEAR, offer.today + NEAR)
    items = WorklistItem.objects.filter(**{f"{DATE_FIELD}__range": near}).exclude(pk__in=answered)
    for item in items[: 4 * MOST_LEFT_OUT]:
        reason = why_not(item, offer, found.query, found=found.found)
        if reason is not None:  # it may match by now
            yield LeftOut(item, reason)


def _decoded(identifier: bytes, request: FindRequest) -> Dataset:
    return _read(identifier, implicit_vr=request.implicit_vr)


def _read(identifier: bytes, *, implicit_vr: bool) -> Dataset:
    dataset = read_dataset(BytesIO(identifier), is_implicit_VR=implicit_vr, is_little_endian=True)
    return decoding.decoded(dataset)


def as_the_scanner_sees_it(item: WorklistItem) -> str:
    """Return the answer to a query that asks for everything, in pydicom's notation."""
    return str(*answers([item]))


def answers(items: Iterable[WorklistItem]) -> Iterator[Dataset]:
    """Yield what a query that asks for everything is answered, one data set for each item."""
    records = ({field: getattr(item, field) for field in RECORD_FIELDS} for item in items)
    return (_read(parts.identifier, implicit_vr=False) for parts in _parts(records))


def json_answers(records: Iterable[Record]) -> Iterator[str]:
    """Yield the same of records in the DICOM JSON Model, each as a JSON object."""
    return map(JsonWriter().write, _parts(records))


def _parts(records: Iterable[Record]) -> Iterator[AnswerParts]:
    return map(AnswerPlan(universal_query(), implicit_vr=False).parts, records)
