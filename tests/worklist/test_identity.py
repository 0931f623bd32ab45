"""The scanner's patient is another than the worklist's, or is not, by these rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.worklist.conftest import make_item
from worklist.attention import identity
from worklist.dicom.performed import Patient
from worklist.models import DERIVED, Device

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
        pytest.param({"weight": Decimal(170)}, id="D205: a weight, which is not identity"),
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
    ],
)
def test_each_difference_is_told_with_both_values(values: dict[str, Any], sentence: str) -> None:
    assert list(identity.differences(make_item(1, **ITEM), patient(**values))) == [sentence]


def test_what_the_worklist_does_not_know_is_not_contradicted() -> None:
    unknown = make_item(
        1, **{**ITEM, "patient_birth_date": None, "patient_sex": "", "patient_weight_kg": None}
    )
    assert list(identity.differences(unknown, patient(weight=Decimal(80)))) == []
    assert identity.weight_difference(unknown, patient(weight=Decimal(80)), tolerance=Decimal(0)) == ""


@pytest.mark.acceptance("D205")
@pytest.mark.parametrize(
    ("reported", "tolerance", "differs"),
    [
        pytest.param(None, "0.5", False, id="not measured"),
        pytest.param("70.5", "0.5", False, id="as much as may be"),
        pytest.param("69.5", "0.5", False, id="less by as much as may be"),
        pytest.param("70.51", "0.5", True, id="more than may be"),
        pytest.param("70.01", "0", True, id="no tolerance"),
        pytest.param("70.004", "0", False, id="finer than an item keeps it"),
        pytest.param("72", "2", False, id="a wide tolerance"),
        pytest.param("1e300", "2", True, id="beyond all measure"),
    ],
)
def test_a_weight_differs_beyond_the_tolerance(reported: str | None, tolerance: str, differs: bool) -> None:
    weight = Decimal(reported) if reported else None
    told = identity.weight_difference(
        make_item(1, **ITEM), patient(weight=weight), tolerance=Decimal(tolerance)
    )
    assert told == (f"Weight (kg): 70.00 in the worklist, {weight} at the scanner." if differs else "")


@pytest.mark.django_db
@pytest.mark.acceptance("D205")
def test_the_tolerance_is_the_devices_else_the_sites(settings: Any) -> None:
    settings.MPPS_WEIGHT_TOLERANCE_KG = Decimal(3)
    Device.objects.create(ae_title="MR1", weight_tolerance_kg=Decimal(0))
    Device.objects.create(ae_title="MR2")
    tolerances = [identity.weight_tolerance(title) for title in ("MR1", "MR2", "MR3")]
    assert tolerances == [Decimal(0), Decimal(3), Decimal(3)]
    Device.objects.create(ae_title="*", weight_tolerance_kg=Decimal("1.5"))
    assert identity.weight_tolerance("MR3") == Decimal("1.5")


def test_every_field_that_names_the_patient_is_part_of_the_identity() -> None:
    named = {field.name for field in make_item()._meta.get_fields() if field.name.startswith("patient_")}
    assert named - set(DERIVED) <= identity.IDENTITY_FIELDS
