"""Random records and requests are drawn here, of every value representation and in many scripts."""

from __future__ import annotations

import string
from datetime import date, time
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag

from worklist.dicom.item_attributes import RECORD_FIELDS, ROOT_ATTRIBUTES, STEP_ATTRIBUTES

RECORD: dict[str, Any] = dict.fromkeys(RECORD_FIELDS, "") | {
    "patient_name": "DOE^JOHN",
    "patient_id": "P1",
    "patient_birth_date": date(1980, 5, 6),
    "patient_sex": "M",
    "patient_weight_kg": Decimal("69.85"),
    "study_instance_uid": "2.25.123",
    "accession_number": "A1",
    "requested_procedure_id": "R1",
    "scheduled_procedure_step_id": "S1",
    "modality": "MR",
    "scheduled_station_aetitle": "MR1",
    "scheduled_start_date": date(2026, 1, 10),
    "scheduled_start_time": time(9, 30),
    "performed_procedure_step_status": "SCHEDULED",
    "extra_attributes": {},
}

SCRIPTS = (
    string.ascii_letters + string.digits + ".-'",
    string.ascii_letters + "ÄÖÜäöüßéèñø",
    "ČŠŽčšžąłĄŁ",
    "Люкceмбypг",
    "山田太郎やまだタロウ",
    "홍길동金",
    "王小明张東",
    "ab😀ü王",
)


def texts(longest: int, *, between: str = "") -> st.SearchStrategy[str]:
    """Draw up to one character less than the VR allows.

    pydicom counts the padding when it checks the length.
    """
    return (
        st.sampled_from(SCRIPTS)
        .flatmap(lambda script: st.text(st.sampled_from(script + between), min_size=1, max_size=longest))
        .map(str.strip)
        .filter(bool)
    )


def _name_groups() -> st.SearchStrategy[str]:
    return st.lists(texts(8), min_size=1, max_size=5).map("^".join)


names = st.lists(_name_groups(), min_size=1, max_size=3).map("=".join)
days = st.dates(date(1850, 1, 1), date(2150, 12, 31))
ae_titles = st.text(st.sampled_from(string.ascii_uppercase + "_-1"), min_size=1, max_size=16)
codes = st.text(st.sampled_from(string.ascii_uppercase + "_1"), min_size=1, max_size=16)
uids = st.lists(st.integers(0, 2**40), min_size=1, max_size=4).map(
    lambda parts: "1.2." + ".".join(map(str, parts))
)


def _whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(low, high), st.sampled_from([low, 0, high]))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "AE": ae_titles,
    "AS": st.integers(0, 999).map(lambda age: f"{age:03}Y"),
    "AT": st.integers(0x00080000, 0xFFFFFFFF).map(lambda tag: f"{tag:08X}"),
    "CS": codes,
    "DA": days.map(lambda day: day.strftime("%Y%m%d")),
    "DS": st.one_of(st.integers(-999, 999), st.sampled_from([1.75, -0.5, "1e5", "+3.", 12.125])),
    "DT": st.sampled_from(["2026", "202601101230", "20260110123000.123456+0100"]),
    "FD": st.floats(allow_nan=False, allow_infinity=False),
    "FL": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "IS": st.one_of(_whole(-(2**31), 2**31 - 1), st.just("007")),
    "LO": texts(63, between=" "),
    "LT": texts(90, between=" \\\r\n"),
    "PN": names,
    "SH": texts(15),
    "SL": _whole(-(2**31), 2**31 - 1),
    "SS": _whole(-(2**15), 2**15 - 1),
    "ST": texts(70, between=" \\"),
    "SV": _whole(-(2**63), 2**63 - 1),
    "TM": st.sampled_from(["09", "0930", "093000", "093000.125"]),
    "UC": texts(80, between=" "),
    "UI": uids,
    "UL": _whole(0, 2**32 - 1),
    "UR": st.just("https://example.org/a?b=c"),
    "US": _whole(0, 2**16 - 1),
    "UT": texts(200, between=" \\\t\n"),
    "UV": _whole(0, 2**64 - 1),
}

# (0072,00xx) has an attribute of nearly every VR, most of them of several values.
MULTIPLE = tuple(f"Selector{vr}Value" for vr in VALUES if vr not in {"LT", "ST", "UR", "UT"})
SINGLE = ("PatientComments", "InstitutionAddress", "RetrieveURL", "TextValue", "PatientAge", "EthnicGroup")
CODE = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning", "CodingSchemeVersion", "LongCodeValue")
NESTED = (*CODE, "ReferencedSOPInstanceUID", "PatientID", "PersonName", "NumericValue", "SelectorFDValue")
TABLE = tuple(a for a in (*ROOT_ATTRIBUTES, *STEP_ATTRIBUTES) if a.field is None and a.items == ())
SEQUENCES = tuple(a.keyword for a in (*ROOT_ATTRIBUTES, *STEP_ATTRIBUTES) if a.vr == "SQ")[1:]
OTHER_SEQUENCES = ("PatientBreedCodeSequence", "ReasonForRequestedProcedureCodeSequence")


def _value(keyword: str) -> st.SearchStrategy[Any]:
    if keyword == "PatientSize":
        return st.sampled_from([1.75, "0.25", "2.", "1.8e0"])
    one = VALUES[dictionary_VR(keyword)]
    return st.one_of(one, st.lists(one, min_size=1, max_size=3)) if keyword in MULTIPLE else one


def _subset(keywords: tuple[str, ...], most: int) -> st.SearchStrategy[dict[str, Any]]:
    """Draw some of the attributes, each with a value."""
    chosen = st.lists(st.sampled_from(keywords), unique=True, max_size=most)
    return chosen.flatmap(
        lambda those: st.fixed_dictionaries({keyword: _value(keyword) for keyword in those})
    )


@st.composite
def items(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    item = draw(_subset(NESTED, 5))
    if depth and draw(st.integers(0, 3)) == 0:
        inner = draw(st.lists(items(depth - 1), max_size=2))
        item[draw(st.sampled_from(("ConceptNameCodeSequence", "ProtocolContextSequence")))] = inner
    return item


@st.composite
def extra_attributes(draw: st.DrawFn) -> dict[str, Any]:
    plain = tuple(a.keyword for a in TABLE if a.vr != "SQ")
    extra = draw(_subset((*plain, *MULTIPLE, *SINGLE), 8))
    for keyword in draw(st.lists(st.sampled_from(SEQUENCES + OTHER_SEQUENCES), unique=True, max_size=3)):
        extra[keyword] = draw(st.lists(items(), max_size=2))
    return extra


def _perhaps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(""), values)


DRAWN: dict[str, st.SearchStrategy[Any]] = {
    "patient_name": names,
    "patient_id": texts(63),
    "patient_birth_date": st.none() | days,
    "patient_sex": st.sampled_from(["", "F", "M", "O"]),
    "patient_weight_kg": st.none() | st.decimals("0.3", "650", places=2),
    "study_instance_uid": uids,
    "accession_number": texts(15),
    "requested_procedure_id": texts(15),
    "scheduled_procedure_step_id": texts(15),
    "study_description": _perhaps(texts(63, between=" ")),
    "procedure_description": _perhaps(texts(63)),
    # One of 16 characters is a Code Value, whose padding pydicom would count.
    "protocol_name": _perhaps(texts(30).filter(lambda text: len(text) != 16)),
    "hisris_coding_designator": st.sampled_from(["", "GEHC", "99X"]),
    "referring_physician_name": _perhaps(names),
    "requesting_physician": _perhaps(names),
    "modality": codes,
    "scheduled_station_aetitle": st.lists(ae_titles, max_size=3).map("\\".join),
    "station_name": _perhaps(texts(15)),
    "scheduled_procedure_step_location": _perhaps(texts(15)),
    "scheduled_start_date": days,
    "scheduled_start_time": st.times().map(lambda moment: moment.replace(microsecond=0)),
    "performing_physician": _perhaps(names),
    "performed_procedure_step_status": st.sampled_from(
        ["SCHEDULED", "IN_PROGRESS", "COMPLETED", "DISCONTINUED", "CANCELLED"]
    ),
    "extra_attributes": extra_attributes(),
}
records = st.fixed_dictionaries(DRAWN)

# With code extensions pydicom departs from the standard: see test_code_extensions.py.
CHARACTER_SETS: tuple[str, ...] = (
    "",
    "ISO_IR 100",
    "ISO_IR 101",
    "ISO_IR 144",
    "ISO_IR 192",
    "GB18030",
)


@st.composite
def key_items(draw: st.DrawFn, depth: int = 2) -> list[Dataset]:
    """Draw what a request has in a sequence: nothing, an empty item, or an item of keys."""
    shape = draw(st.integers(0, 4))
    if shape < 2:
        return [Dataset()] * shape
    item = Dataset()
    for keyword in draw(st.lists(st.sampled_from(NESTED), unique=True, max_size=6)):
        item.add_new(Tag(keyword), dictionary_VR(keyword), None)
    if depth and shape == 4:
        item.ConceptNameCodeSequence = draw(key_items(depth - 1))
        item.add_new(0x00091001, "UN", None)
    return [item]


def _add_keys(draw: st.DrawFn, request: Dataset, keywords: list[str]) -> None:
    for keyword in keywords:
        vr = dictionary_VR(keyword)
        request.add_new(Tag(keyword), vr, draw(key_items()) if vr == "SQ" else None)


ODD = (
    (0x00080000, "UL", 10),
    (0x00080001, "UL", None),
    (0x00080052, "CS", None),
    (0x00080060, "CS", None),
    (0x00090010, "LO", "ACME"),
    (0x00091001, "LO", None),
    (0x00101000, "LO", None),
    (0x00280106, "US", None),
)
ODD_IN_STEP = (
    (0x00091001, "UN", None),
    (0x00100010, "PN", None),
    (0x00104000, "LT", None),
    (0x00400000, "UL", 0),
)


@st.composite
def requests(draw: st.DrawFn) -> Dataset:
    request = Dataset()
    request.SpecificCharacterSet = draw(st.sampled_from(CHARACTER_SETS))
    root = [a.keyword for a in ROOT_ATTRIBUTES[1:]] + [*MULTIPLE, *SINGLE, *OTHER_SEQUENCES]
    _add_keys(draw, request, draw(st.lists(st.sampled_from(root), unique=True, max_size=30)))
    for tag, vr, value in draw(st.lists(st.sampled_from(ODD), unique=True, max_size=2)):
        request.add_new(tag, vr, value)
    shape = draw(st.integers(0, 5))
    if shape:
        request.ScheduledProcedureStepSequence = [Dataset()] if shape > 1 else []
    if shape > 2:
        step = request.ScheduledProcedureStepSequence[0]
        keywords = [a.keyword for a in STEP_ATTRIBUTES]
        _add_keys(draw, step, draw(st.lists(st.sampled_from(keywords), unique=True)))
        for tag, vr, value in draw(st.lists(st.sampled_from(ODD_IN_STEP), unique=True, max_size=1)):
            step.add_new(tag, vr, value)
    return request
