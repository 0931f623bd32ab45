"""Whatever bytes a scanner sends, the rules of MPPS answer; what they accept can be stored and given back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pynetdicom.dsutils import decode, encode

from tests.effort import tries
from tests.worklist.hostile_bytes import hostile, written
from worklist.dicom import mpps, performed, representations
from worklist.dicom.mpps import COMPLETED, DISCONTINUED, IN_PROGRESS, Accepted, DataSet, MppsRefused
from worklist.dicom.mpps_attributes import ATTRIBUTES, NOT_IN_N_SET, MppsAttribute
from worklist.dicom.retrieval import retrieve

# As in the server, where pydicom's warnings end nothing.
pytestmark = [
    pytest.mark.usefixtures("values_as_they_come"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(300),
]

Strategy = st.SearchStrategy[Any]
SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

STATUSES = st.sampled_from([IN_PROGRESS, IN_PROGRESS, IN_PROGRESS, COMPLETED, DISCONTINUED])


@st.composite
def hostile_datasets(draw: st.DrawFn, status: bytes | None = None) -> Dataset:
    implicit = draw(st.booleans())
    data = draw(hostile(implicit=implicit))
    if status is not None:
        data = written(0x00400252, "CS", status, implicit=implicit) + data
    try:
        return decode(BytesIO(data), implicit, is_little_endian=True)
    except Exception:  # no data set reaches the rules
        reject()


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():
            yield key
            yield from strings(held)
    elif isinstance(value, list):
        for held in value:
            yield from strings(held)


def assert_storable(accepted: Accepted) -> None:
    json.dumps([accepted.dataset, accepted.deviations], allow_nan=False).encode()
    for text in [*strings(accepted.dataset), *accepted.deviations]:
        assert "\0" not in text
        text.encode()  # no lone surrogate
    assert not accepted.dataset.keys() & {"00080005", "00080016", "00080018"}
    assert all(int(key, 16) >> 16 >= 0x0008 for key in accepted.dataset)


def assert_answerable(refused: MppsRefused) -> None:
    assert refused.status in (0x0106, 0x0110, 0x0120, 0x0121)
    assert len(refused.comment) <= 64
    assert refused.comment.isascii()


def assert_readable(dataset: DataSet) -> None:
    performed.references(dataset)
    performed.series(dataset)
    performed.patient(dataset)
    performed.performed_codes(dataset)
    performed.is_wrong_entry(performed.discontinuation_reason(dataset))
    for attribute in ATTRIBUTES:
        performed.text(dataset, attribute.keyword)
        performed.day(dataset, attribute.keyword)
        performed.moment(dataset, attribute.keyword)


def assert_retrievable(accepted: Accepted) -> None:
    answer, _ = retrieve(accepted.dataset, accepted.status, [])
    for implicit in (True, False):
        assert encode(answer, implicit, is_little_endian=True) is not None


@given(dataset=hostile_datasets(b"IN PROGRESS "), strict=st.booleans())
@settings(SLOW, max_examples=tries(70, nightly=200))
def test_an_n_create_of_any_bytes_is_accepted_or_refused(dataset: Dataset, strict: bool) -> None:
    try:
        accepted = mpps.created(dataset, strict=strict)
    except MppsRefused as refused:
        assert_answerable(refused)
        return
    assert not strict or not accepted.deviations
    assert_storable(accepted)
    assert_readable(accepted.dataset)
    assert_retrievable(accepted)


@given(
    first=hostile_datasets(b"IN PROGRESS "), second=hostile_datasets(), status=STATUSES, strict=st.booleans()
)
@settings(SLOW, max_examples=tries(70, nightly=200))
def test_an_n_set_of_any_bytes_is_accepted_or_refused(
    first: Dataset, second: Dataset, status: str, strict: bool
) -> None:
    try:
        stored = mpps.created(first, strict=False).dataset
    except MppsRefused:
        reject()
    before = json.dumps(stored)
    try:
        accepted = mpps.modified(stored, status, second, strict=strict)
    except MppsRefused as refused:
        assert_answerable(refused)
        assert (refused.status == 0x0110) == (status != IN_PROGRESS)
        return
    finally:
        assert json.dumps(stored) == before
    assert_storable(accepted)
    assert_readable(accepted.dataset)
    assert_retrievable(accepted)
    assert len(accepted.warning) <= 64
    assert all(accepted.dataset.get(key) == stored.get(key) for key in NOT_IN_N_SET)
    assert stored.keys() <= accepted.dataset.keys()


SCRIPTS = {
    "": "ABCxyz019 .-'",
    "ISO_IR 100": "ABCxyz ÄÖÜäöüßéèñø",
    "ISO_IR 192": "ABC äé王小明山田😀김Ж",
    "ISO 2022 IR 87": "ABC 山田太郎やまだタロウ",
}
DAYS = st.dates().map(lambda day: f"{day.year:04}{day.month:02}{day.day:02}")
TIMES = st.times().map(lambda moment: f"{moment:%H%M%S}")
UIDS = st.lists(st.integers(0, 99999).map(str), min_size=2, max_size=8).map(".".join)


def texts(script: str, longest: int) -> Strategy:
    return st.text(st.sampled_from(script), min_size=1, max_size=longest).map(str.strip).filter(bool)


def names(script: str) -> Strategy:
    group = st.lists(texts(script, 6), min_size=1, max_size=5).map("^".join)
    return st.lists(group, min_size=1, max_size=3).map("=".join)


def value_of(attribute: MppsAttribute, script: str) -> Strategy:
    by_vr = {
        "PN": names(script),
        "DA": DAYS,
        "TM": TIMES,
        "UI": UIDS,
        "CS": st.sampled_from(["M", "MR", "YES"]),
        "AE": st.sampled_from(["MR1", "CT_2"]),
        "UR": st.just("urn:oid:1.2.3"),
        "SQ": st.lists(well_formed(attribute.items, script), min_size=1, max_size=2),
    }
    return by_vr.get(attribute.vr) or texts(script, representations.LONGEST.get(attribute.vr, 64) // 4)


@st.composite
def well_formed(draw: st.DrawFn, table: tuple[MppsAttribute, ...], script: str) -> Dataset:
    """Draw all that must be there and something of the rest, by the table."""
    dataset = Dataset()
    for attribute in table:
        if attribute.n_create == "1" or draw(st.integers(0, 2)):
            setattr(dataset, attribute.keyword, draw(value_of(attribute, script)))
        elif attribute.n_create == "2":
            setattr(dataset, attribute.keyword, [] if attribute.vr == "SQ" else None)
    return dataset


@st.composite
def n_creates(draw: st.DrawFn) -> Dataset:
    term, script = draw(st.sampled_from(sorted(SCRIPTS.items())))
    dataset: Dataset = draw(well_formed(ATTRIBUTES, script))
    dataset.PerformedProcedureStepStatus = "IN PROGRESS"
    if term:
        dataset.SpecificCharacterSet = ["", term] if term.startswith("ISO 2022") else term
    return dataset


def sent(dataset: Dataset, *, implicit: bool) -> Dataset:
    encoded = encode(dataset, implicit, is_little_endian=True)
    assert encoded is not None
    return decode(BytesIO(encoded), implicit, is_little_endian=True)


@given(dataset=n_creates(), implicit=st.booleans())
@settings(SLOW, max_examples=tries(15, nightly=40))
def test_a_step_by_the_table_is_accepted_strictly_and_given_back_as_it_was(
    dataset: Dataset, implicit: bool
) -> None:
    accepted = mpps.created(sent(dataset, implicit=implicit), strict=True)

    answer, supported = retrieve(accepted.dataset, accepted.status, [])

    assert accepted.deviations == ()
    assert supported
    again = mpps.created(sent(answer, implicit=not implicit), strict=True)
    assert again.dataset == accepted.dataset
    expected = dataset.to_json_dict()
    expected.pop("00080005", None)
    assert as_pydicom_has_it(accepted.dataset) == as_pydicom_has_it(expected)


def as_pydicom_has_it(value: Any) -> Any:
    """Drop the difference between no value and a list of none."""
    if isinstance(value, dict):
        return {
            key: as_pydicom_has_it(held) for key, held in value.items() if held not in ([], [""], [None], "")
        }
    return [as_pydicom_has_it(held) for held in value] if isinstance(value, list) else value


def test_the_dictionary_has_every_attribute_of_the_table() -> None:
    for attribute in (*ATTRIBUTES, *(nested for each in ATTRIBUTES for nested in each.items)):
        assert dictionary_VR(attribute.tag) == attribute.vr
        assert (attribute.vr == "SQ") or not attribute.items
