"""The compiled encoder, held against pydicom, and the rules of answers (PS3.4 K.4.1.1.3.2, Table K.6-1).

Associations, transfer syntaxes as negotiated and the order of answers are tested where they are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.tag import Tag

from tests.worklist.encoding_examples import RECORD, records, requests
from tests.worklist.encoding_reference import expected, read, write
from worklist.attributes import ROOT_ATTRIBUTES, STEP_ATTRIBUTES
from worklist.dicom.encoding import EncodingError, Plan

BOTH = pytest.mark.parametrize("implicit_vr", [False, True], ids=["explicit", "implicit"])


@pytest.fixture(autouse=True, scope="module")
def strict_pydicom() -> Iterator[None]:
    """What breaks a rule of a VR raises, in writing and in reading (row 79)."""
    before = config.settings.reading_validation_mode, config.settings.writing_validation_mode
    config.settings.reading_validation_mode = config.RAISE
    config.settings.writing_validation_mode = config.RAISE
    yield
    config.settings.reading_validation_mode, config.settings.writing_validation_mode = before


def keys(*keywords: str) -> Dataset:
    request = Dataset()
    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        request.add_new(tag, dictionary_VR(tag), [] if dictionary_VR(tag) == "SQ" else None)
    return request


def step_keys(*keywords: str) -> Dataset:
    request = Dataset()
    request.ScheduledProcedureStepSequence = [keys(*keywords)]
    return request


def answer(request: Dataset, *, complete: bool = True, implicit_vr: bool = False, **fields: Any) -> Dataset:
    """The decoded answer for the example item with these fields."""
    encoded = Plan(request, implicit_vr=implicit_vr).encode(RECORD | fields)
    assert encoded.complete is complete
    return read(encoded.identifier, implicit_vr=implicit_vr)


def step(request: Dataset, **fields: Any) -> Dataset:
    item: Dataset = answer(request, **fields).ScheduledProcedureStepSequence[0]
    return item


def keywords(dataset: Dataset) -> list[str]:
    return [element.keyword for element in dataset]


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(requests(), st.lists(records, min_size=4, max_size=6))
@pytest.mark.timeout(180)
def test_every_byte_is_as_pydicom_writes_it(request_: Dataset, items: list[dict[str, Any]]) -> None:
    """Row 79 too: each answer is read again with strict validation."""
    for implicit_vr in (False, True):
        request = read(write(request_, implicit_vr=implicit_vr), implicit_vr=implicit_vr)
        plan = Plan(request, implicit_vr=implicit_vr)
        for item in items:
            encoded = plan.encode(item)
            assert encoded == expected(request, item, implicit_vr=implicit_vr)
            read(encoded.identifier, implicit_vr=implicit_vr)
