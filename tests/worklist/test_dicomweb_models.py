"""Data sets are the same after JSON and XML, whatever their values (PS3.18 F.2, PS3.19 A.1)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword

from tests.effort import tries
from tests.worklist.encoding_examples import VALUES
from worklist.dicom import json_encoding, native_xml, report_reading
from worklist.dicom.json_encoding import DataSetRefused
from worklist.dicom.native_xml import XmlRefused
from worklist.dicomweb import media_types, payloads
from worklist.dicomweb.media_types import Form

# An attribute of several values for each value representation, whose items are drawn by `VALUES`.
OF_VR = {
    "AE": "RetrieveAETitle",
    "AT": "FrameIncrementPointer",
    "CS": "ImageType",
    "DA": "CalibrationDate",
    "DS": "ImagePositionPatient",
    "DT": "DateTime",
    "FD": "DiffusionGradientOrientation",
    "IS": "ReferencedFrameNumber",
    "LO": "OtherPatientNames",
    "LT": "PatientComments",
    "PN": "OperatorsName",
    "SH": "AccessionNumber",
    "ST": "InstitutionAddress",
    "TM": "CalibrationTime",
    "UI": "ReferencedSOPClassUID",
    "UL": "SimpleFrameList",
    "US": "PregnancyStatus",
    "UT": "TextValue",
}
ONE = frozenset({"LT", "ST", "UT", "SH", "US", "DT", "UI"})


def elements(vr: str) -> st.SearchStrategy[dict[str, Any]]:
    one = VALUES[vr].map(_name if vr == "PN" else _in_json)
    values = st.lists(one, min_size=1, max_size=1 if vr in ONE else 3)
    return st.one_of(st.just({"vr": vr}), values.map(lambda given: {"vr": vr, "Value": given}))


def _name(text: str) -> dict[str, str]:
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    return {name: group for name, group in groups if group}


def _in_json(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else str(value)


DRAWN = sorted(OF_VR.keys() & VALUES.keys())


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    found = {}
    for vr in draw(st.lists(st.sampled_from(DRAWN), max_size=5, unique=True)):
        element = draw(elements(vr))
        tag = tag_for_keyword(OF_VR[vr])
        found[f"{tag:08X}"] = {"vr": "PN", **element} if vr == "PN" else element
    if depth and draw(st.booleans()):
        items = draw(st.lists(data_sets(depth - 1), max_size=2))
        found["00400340"] = {"vr": "SQ", "Value": items}
    return dict(sorted(found.items()))


def as_kept(dataset: dict[str, Any]) -> dict[str, Any]:
    return dict(
        report_reading.read(
            json_encoding.encoded(dataset), implicit_vr=False, deflated=False, longest=10**7
        ).dataset
    )


@pytest.mark.acceptance("CL189")
@given(data_sets())
@settings(max_examples=tries(100, nightly=2000), deadline=None, suppress_health_check=list(HealthCheck))
def test_a_data_set_is_the_same_after_json_and_after_xml(dataset: dict[str, Any]) -> None:
    kept = as_kept(dataset)
    assert kept.keys() == dataset.keys()
    assert as_kept(kept) == kept
    assert as_kept(native_xml.read(native_xml.document(kept).encode())) == kept


@pytest.mark.parametrize("vr", DRAWN)
def test_each_value_representation_keeps_its_values(vr: str) -> None:
    @given(elements(vr))
    @settings(max_examples=tries(15, nightly=300), deadline=None)
    def holds(element: dict[str, Any]) -> None:
        key = f"{tag_for_keyword(OF_VR[vr]):08X}"
        (kept,) = as_kept({key: element}).values()
        assert values_of(kept) == values_of(element)

    holds()


def values_of(element: dict[str, Any]) -> list[Any]:
    """Return the values as numbers where they are numbers, however they are written."""
    found = element.get("Value", [])
    if element["vr"] in ("DS", "IS"):
        return [pytest.approx(float(value), rel=1e-9) for value in found]
    return [value.rstrip(" ") if isinstance(value, str) else value for value in found]


def test_bytes_and_private_attributes_are_kept() -> None:
    dataset = {
        "00090010": {"vr": "LO", "Value": ["MAKER & SON"]},
        "00091001": {"vr": "OB", "InlineBinary": "AAEC/w=="},
        "00091002": {"vr": "UN", "InlineBinary": "AAE="},
    }
    document = native_xml.document(dataset)
    assert '<DicomAttribute tag="00091001" vr="OB" privateCreator="MAKER &amp; SON">' in document
    assert native_xml.read(document.encode()) == dataset
    assert as_kept(dataset) == dataset


def test_xml_escapes_and_replaces_what_it_cannot_say() -> None:
    document = native_xml.document({"00104000": {"vr": "LT", "Value": ["a<b>&\"'\r\n\x01\ufffe"]}})
    assert native_xml.read(document.encode())["00104000"]["Value"] == ["a<b>&\"'\r\n\ufffd\ufffd"]


def test_a_name_of_many_carets_is_written_whole() -> None:
    dataset = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B^C^D^E"}, {"Phonetic": "^B"}]}}
    assert native_xml.read(native_xml.document(dataset).encode()) == dataset


@given(st.binary(max_size=200))
@settings(max_examples=tries(100, nightly=5000), deadline=None)
def test_any_bytes_are_xml_or_refused(body: bytes) -> None:
    for each in (body, b"<NativeDicomModel>" + body + b"</NativeDicomModel>"):
        try:
            native_xml.read(each)
        except XmlRefused as error:
            assert len(str(error)) < 300


def test_deep_sequences_are_refused() -> None:
    dataset: dict[str, Any] = {}
    for _ in range(20):
        dataset = {"00400340": {"vr": "SQ", "Value": [dataset]}}
    with pytest.raises(DataSetRefused, match="nested too deeply"):
        json_encoding.encoded(dataset)


def test_more_elements_than_are_meant_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_xml, "MOST", 3)
    with pytest.raises(XmlRefused, match="more than 3 elements"):
        native_xml.read(b"<NativeDicomModel>" + b'<DicomAttribute tag="00100020" vr="LO"/>' * 3)


def test_a_value_longer_than_its_vr_is_refused() -> None:
    with pytest.raises(DataSetRefused, match=r"\(0010,0020\) is longer than LO may be"):
        json_encoding.encoded({"00100020": {"vr": "LO", "Value": ["a" * 70_000]}})


@given(st.text(max_size=80))
@settings(max_examples=tries(200, nightly=5000), deadline=None)
def test_any_text_of_accept_is_negotiated_or_not(accepted: str) -> None:
    assert media_types.negotiated(accepted) in (*Form, None)


def test_no_results_in_parts_end_at_once() -> None:
    body, content_type = payloads.payload([], Form.JSON_PARTS)
    assert body == f"--{content_type.rpartition('=')[2]}--\r\n".encode()
