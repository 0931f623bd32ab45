"""An item as a scanner receives it: encoded by the same code, decoded by pydicom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

from pydicom import Dataset
from pydicom.filereader import read_dataset

from worklist.answering.requests import everything
from worklist.attributes import RECORD_FIELDS
from worklist.dicom.encoding import Plan
from worklist.models import WorklistItem


def as_the_scanner_sees_it(item: WorklistItem) -> str:
    """The answer to a query that asks for everything, in pydicom's notation."""
    return str(*answers([item]))


def answers(items: Iterable[WorklistItem]) -> Iterator[Dataset]:
    """What a query that asks for everything is answered, one data set for each item."""
    plan = Plan(everything(), implicit_vr=False)
    for item in items:
        answer = plan.encode({field: getattr(item, field) for field in RECORD_FIELDS})
        yield read_dataset(BytesIO(answer.identifier), is_implicit_VR=False, is_little_endian=True)
