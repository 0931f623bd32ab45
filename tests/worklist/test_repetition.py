"""What is sent again is the same where it means the same, however it is written."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worklist.dicom import repetition
from worklist.dicom.json_model import DataSet

pytestmark = pytest.mark.acceptance("D209")


def element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def name(alphabetic: str, **groups: str) -> dict[str, Any]:
    return element("PN", {"Alphabetic": alphabetic, **groups})


def binary(text: bytes) -> dict[str, Any]:
    return {"vr": "UN", "InlineBinary": base64.b64encode(text).decode()}


def items(*each: DataSet) -> dict[str, Any]:
    return element("SQ", *each)


CODE = {"00080100": element("SH", "BRAIN"), "00080102": element("SH", "99SITE")}
MEANT = {**CODE, "00080104": element("LO", "Brain")}
OTHER = {**CODE, "00080100": element("SH", "KNEE")}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param(element("LO", "P1"), element("LO", "P1"), id="equal"),
        pytest.param(element("LO", "P1 "), element("LO", " P1"), id="padded"),
        pytest.param(element("UI", "1.2.3\0"), element("UI", "1.2.3"), id="padded with null"),
        pytest.param(element("LO"), element("LO", "P1"), id="empty contradicts nothing"),
        pytest.param(element("LO"), None, id="empty where nothing is"),
        pytest.param(element("LO", None), element("LO"), id="null and absent"),
        pytest.param(element("LO", "P1", None), element("LO", "P1"), id="an empty value behind it"),
        pytest.param(element("LO", "P1"), element("SH", "P1"), id="another VR"),
        pytest.param(binary(b"P1 "), element("LO", "P1"), id="as UN"),
        pytest.param(binary("Schädel".encode()), element("LO", "Schädel"), id="as UN, UTF-8"),
        pytest.param(binary(b"Sch\xe4del"), element("LO", "Schädel"), id="as UN, Latin 1"),
        pytest.param(binary(b"A\\B"), element("LO", "A", "B"), id="as UN, several values"),
        pytest.param(element("LO", "Mu\u0308ller"), element("LO", "Müller"), id="composed otherwise"),
        pytest.param(name("Doe^John^^"), name("Doe^John"), id="trailing delimiters"),
        pytest.param(name("Doe ^ John"), name("Doe^John"), id="spaces in a name"),
        pytest.param(element("LO", "Doe^John^"), name("Doe^John"), id="a name as text"),
        pytest.param(name("A^B", Ideographic="山"), name("A^B", Ideographic="山^"), id="another group"),
        pytest.param(element("DA", "2026.01.10"), element("DA", "20260110"), id="a day of ACR-NEMA"),
        pytest.param(element("LO", "20260110"), element("DA", "2026.01.10"), id="a day as text"),
        pytest.param(element("TM", "1015"), element("TM", "101500.000"), id="a time to the minute"),
        pytest.param(element("TM", "10:15:00"), element("TM", "101500"), id="a time with colons"),
        pytest.param(element("DS", 70.0), element("DS", 70), id="a number as float"),
        pytest.param(element("LO", "70.00"), element("DS", 70), id="a number as text"),
        pytest.param(element("IS", "+7"), element("IS", 7), id="a number with its sign"),
        pytest.param(element("FD", "NaN"), element("FD", "NaN"), id="no number at all"),
        pytest.param(items(), items(CODE), id="a sequence without items"),
        pytest.param(items({}), None, id="an empty item"),
        pytest.param(items({"00080100": element("SH")}), items(), id="an item of empty values"),
        pytest.param(items(CODE), items(CODE, {}), id="an empty item is stored"),
        pytest.param(items(CODE), items(MEANT), id="an item with less said"),
        pytest.param(items(CODE, OTHER), items(OTHER, CODE), id="items in another order"),
        pytest.param(items({"0040A043": items(CODE)}), items({"0040A043": items(MEANT)}), id="nested"),
    ],
)
def test_what_means_the_same_repeats_it(sent: Any, kept: Any) -> None:
    assert repetition.repeats(sent, kept)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param(element("LO", "P2"), element("LO", "P1"), id="another value"),
        pytest.param(element("LO", "p1"), element("LO", "P1"), id="another case"),
        pytest.param(element("LO", "P1"), None, id="a value where none is"),
        pytest.param(element("LO", "P1"), element("LO"), id="a value where an empty one is"),
        pytest.param(element("LO", "P1", "P2"), element("LO", "P1"), id="one more value"),
        pytest.param(element("LO", "P1"), element("LO", "P1", "P2"), id="one value less"),
        pytest.param(element("LO", None, "P1"), element("LO", "P1"), id="an empty value before it"),
        pytest.param(element("LO", "007"), element("LO", "7"), id="zeros of an ID"),
        pytest.param(element("LO", "P 1"), element("LO", "P1"), id="a space within"),
        pytest.param(name("Doe^Jane"), name("Doe^John"), id="another name"),
        pytest.param(name("Doe^^John"), name("Doe^John"), id="another component"),
        pytest.param(name("A^B", Ideographic="山"), name("A^B"), id="a group more"),
        pytest.param(element("DA", "20260111"), element("DA", "20260110"), id="another day"),
        pytest.param(element("DA", "yesterday"), element("DA", "20260110"), id="no day"),
        pytest.param(element("TM", "101501"), element("TM", "1015"), id="a second later"),
        pytest.param(element("DS", 70.1), element("DS", 70), id="another number"),
        pytest.param(binary(b"P2"), element("LO", "P1"), id="another value as UN"),
        pytest.param(items(CODE), items(OTHER), id="another code"),
        pytest.param(items(MEANT), items(CODE), id="an item with more said"),
        pytest.param(items(CODE, CODE), items(CODE), id="an item twice"),
        pytest.param(items(CODE), items(CODE, OTHER), id="an item less"),
        pytest.param(items(CODE, CODE), items(CODE, OTHER), id="one item in place of another"),
        pytest.param(items(CODE), element("LO", "BRAIN"), id="a sequence where a text is"),
        pytest.param(element("LO", "BRAIN"), items(CODE), id="a text where a sequence is"),
        pytest.param(items({"0040A043": items(OTHER)}), items({"0040A043": items(CODE)}), id="nested"),
    ],
)
def test_what_says_something_else_does_not(sent: Any, kept: Any) -> None:
    assert not repetition.repeats(sent, kept)


VALUES = st.none() | st.text(max_size=4) | st.integers() | st.floats()
ELEMENTS: Any = st.recursive(
    st.builds(
        lambda vr, values: element(vr, *values),
        st.sampled_from(["LO", "UI", "DA", "TM", "DS", "IS", "FD", "UN", "AT"]),
        st.lists(VALUES, max_size=3),
    ),
    lambda inner: st.builds(
        lambda each: items(*each),
        st.lists(st.dictionaries(st.sampled_from(["00080100", "00080102"]), inner), max_size=3),
    ),
    max_leaves=8,
)


@given(ELEMENTS)
def test_everything_repeats_itself(sent: Any) -> None:
    assert repetition.repeats(sent, sent)
