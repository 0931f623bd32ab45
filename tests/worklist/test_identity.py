"""The scanner's patient is another than the worklist's, or is not, by these rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.worklist.conftest import make_item
from worklist.attention import identity
from worklist.dicom.performed import Patient

ITEM = {
    "patient_name": "Müller^Jörg",
    "patient_id": "P1",
    "patient_birth_date": date(1990, 1, 31),
    "patient_sex": "M",
    "patient_weight_kg": Decimal("70.00"),
}


def patient(**values: Any) -> Patient:
    same = Patient("Müller^Jörg", "P1", date(1990, 1, 31), "M", None)
    return Patient(**{**vars(same), **values})


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({}, id="the same"),
        pytest.param({"name": "MÜLLER^JÖRG^^"}, id="D97: case and trailing delimiters"),
        pytest.param({"name": "Mu\u0308ller^Jo\u0308rg"}, id="composed otherwise"),
        pytest.param({"name": "Müller^Jörg=穆勒"}, id="a group more"),
        pytest.param({"name": ""}, id="no name"),
        pytest.param({"patient_id": ""}, id="D98: no patient ID"),
        pytest.param({"birth_date": None, "sex": "", "weight": None}, id="nothing else"),
        pytest.param({"weight": Decimal("70.4")}, id="a weight that was rounded"),
    ],
)
def test_what_contradicts_nothing_is_no_difference(values: dict[str, Any]) -> None:
    assert list(identity.differences(make_item(1, **ITEM), patient(**values))) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "Muller^Jorg"}, "Name: Müller, Jörg in the worklist, Muller, Jorg at the scanner."),
        (
            {"name": "穆勒=Müller^Jörg"},
            "Name: Müller, Jörg in the worklist, 穆勒 Müller, Jörg at the scanner.",
        ),
        ({"name": "Müller, Jörg"}, "Name: Müller^Jörg in the worklist, Müller, Jörg at the scanner."),
        ({"patient_id": "p1"}, "Patient ID: P1 in the worklist, p1 at the scanner."),
        (
            {"birth_date": date(1990, 1, 30)},
            "Birth date: 1990-01-31 in the worklist, 1990-01-30 at the scanner.",
        ),
        ({"sex": "F"}, "Sex: M in the worklist, F at the scanner."),
        ({"weight": Decimal(170)}, "Weight (kg): 70.00 in the worklist, 170 at the scanner."),
    ],
)
def test_each_difference_is_told_with_both_values(values: dict[str, Any], sentence: str) -> None:
    assert list(identity.differences(make_item(1, **ITEM), patient(**values))) == [sentence]


def test_what_the_worklist_does_not_know_is_not_contradicted() -> None:
    unknown = make_item(
        1, **{**ITEM, "patient_birth_date": None, "patient_sex": "", "patient_weight_kg": None}
    )
    assert list(identity.differences(unknown, patient(weight=Decimal(80)))) == []


def test_every_field_that_names_the_patient_is_part_of_the_identity() -> None:
    named = {field.name for field in make_item()._meta.get_fields() if field.name.startswith("patient_")}
    groups = {f"patient_name_{group}" for group in ("alphabetic", "ideographic", "phonetic")}
    assert named - groups <= identity.IDENTITY_FIELDS
