"""Numbers are read as people type them and as REDCap calculates them, and rounded where they are stored."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.contract import Stance
from sources.mapping import conditions, numbers
from sources.mapping.problems import UnusableValue
from sources.mapping.rules import Rule, SessionKind, SessionLayout
from tests.sources.projects import REPEATING, a_booking, a_person, a_plan
from tests.sources.test_evaluate import session as only

LONG = [
    "36.2877619522816",
    "18.4572895277207",
    "49,895160370000001",
    "61.5",
    "1.0E-5",
    "1e-7",
    "6.15e1",
    "+.5",
    "12345678901.25",
    "0." + "3" * 60,
]
NONE = [
    "",
    ".",
    "1.",
    "12 kg",
    "1,234.5",
    "1.2.3",
    "e5",
    "1e",
    "1e9999",
    "NaN",
    "INF",
    "0x1F",
    "1_0",
    "٣",
    "1" * 65,
]


@pytest.mark.acceptance("RC103")
@pytest.mark.parametrize("text", LONG)
def test_a_number_may_have_any_number_of_decimals(text: str) -> None:
    assert numbers.number(text) == Decimal(text.replace(",", "."))


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert not numbers.is_number(text)
    with pytest.raises(UnusableValue, match="not a number"):
        numbers.number(text)


@pytest.mark.acceptance("RC103")
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_every_float_that_redcap_calculates_is_read_and_fits_a_decimal_string(value: float) -> None:
    text = repr(value)

    assert float(numbers.number(text)) == value
    assert len(numbers.decimal_string(text)) <= 16
    assert float(numbers.decimal_string(text)) == pytest.approx(value, rel=1e-8)


@pytest.mark.acceptance("RC103")
@pytest.mark.parametrize(
    ("text", "stored"),
    [("36.2877619522816", "36.29"), ("61,5", "61.5"), ("80.0049999999999999", "80"), ("7.05E1", "70.5")],
)
def test_a_weight_is_stored_to_ten_grams(text: str, stored: str) -> None:
    assert numbers.weight(text) == stored


@pytest.mark.parametrize("text", ["1e300", "9" * 40, "1e-300"])
def test_a_number_that_is_no_weight_is_refused_as_one(text: str) -> None:
    with pytest.raises(UnusableValue, match="plausible"):
        numbers.weight(text)


@pytest.mark.acceptance("RC103")
def test_a_calculated_height_is_rounded_to_what_dicom_holds() -> None:
    rule = Rule("PatientSize", "weight", transforms="centimetres to metres")
    session = only([a_person(), a_booking(weight="172.54321987654321987")], a_plan(rule), REPEATING)

    assert session.values["extra_attributes"]["PatientSize"] == "1.72543219876543"
    assert not session.problems


@pytest.mark.acceptance("RC103")
@pytest.mark.parametrize(
    ("line", "value", "holds"),
    [
        ("age >= 18", "18.4572895277207", True),
        ("age >= 18", "17.9999999999999", False),
        ("age < 18.4572895277208", "18.4572895277207", True),
        ("ratio > 0", "1.0E-5", True),
    ],
)
def test_a_calculated_value_is_compared_as_a_number(line: str, value: str, holds: bool) -> None:
    [condition] = conditions.parse(line)

    assert condition.holds((value,)) is holds


@pytest.mark.acceptance("RC103")
def test_a_calculated_age_lets_the_session_in() -> None:
    layout = SessionLayout(SessionKind.REPEATING_INSTRUMENT, instrument="mri", conditions="weight >= 18")
    session = only([a_person(), a_booking(weight="18.4572895277207")], a_plan(sessions=layout), REPEATING)

    assert session.stance is Stance.WANTED
