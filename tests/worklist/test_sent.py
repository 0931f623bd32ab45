"""What a device was sent differs from what is stored by its rules: its report is no contradiction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worklist import reported
from tests.worklist.performed_steps import begun, code
from worklist.admin import comparison
from worklist.attention import as_sent
from worklist.models import AttentionKind, Device, PerformedStep, WorklistItem

pytestmark = pytest.mark.django_db

PLAIN = {"specific_character_set": "ISO_IR 6", "misfit": "plain"}


def kinds(step: PerformedStep) -> list[str]:
    return sorted(step.attention.open().values_list("kind", flat=True))


def a_device(**rules: Any) -> None:
    device = Device(ae_title="MR1", **rules)
    device.full_clean()
    device.save_as("test")


@pytest.mark.parametrize(
    ("rules", "name", "found"),
    [
        (PLAIN, "MULLER^JORG", []),
        (PLAIN, "MÜLLER^JÖRG", []),
        (PLAIN, "MILLER^JORG", [AttentionKind.IDENTITY]),
        ({"specific_character_set": "ISO_IR 6"}, "MULLER^JORG", [AttentionKind.IDENTITY]),
        (
            {"specific_character_set": "ISO_IR 100", "misfit": "plain"},
            "MULLER^JORG",
            [AttentionKind.IDENTITY],
        ),
        ({}, "MULLER^JORG", [AttentionKind.IDENTITY]),
    ],
)
def test_a_name_that_comes_back_as_it_was_sent_does_not_differ(
    rules: dict[str, Any], name: str, found: list[AttentionKind]
) -> None:
    a_device(**rules)
    item = reported.an_item(patient_name="MÜLLER^JÖRG")
    step = reported.reported(begun(item, PatientName=name, charset="ISO_IR 192"))
    assert kinds(step) == found
    (row,) = [row for row in comparison.rows(item, step) if row.label == "Name"]
    assert row.differs is bool(found)


@pytest.mark.parametrize(
    ("performed", "found"),
    [
        (("12", "GEHC"), []),
        (("T1", "99X"), [AttentionKind.PROTOCOL]),
        (("13", "GEHC"), [AttentionKind.PROTOCOL]),
    ],
)
def test_a_protocols_code_that_comes_back_as_it_was_sent_does_not_differ(
    performed: tuple[str, str], found: list[AttentionKind]
) -> None:
    a_device(protocol_codes="T1 = 12 | GEHC | T1 sagittal")
    item = reported.an_item(protocol_name="T1", hisris_coding_designator="99X")
    value, scheme = performed
    step = reported.reported(begun(item, PerformedProtocolCodeSequence=[code(value, "T1", scheme)]))
    assert kinds(step) == found


@pytest.mark.parametrize(
    ("rules", "codes"),
    [
        ({}, {("T1", "99X")}),
        ({"protocol_codes_sent": "none"}, set()),
        ({"longest_patient_id": 1}, {("T1", "99X")}),
        ({"time_zone": "Nowhere/Land"}, {("T1", "99X")}),
    ],
)
def test_the_codes_that_were_sent_follow_the_rules(
    rules: dict[str, Any], codes: set[tuple[str, str]]
) -> None:
    Device(ae_title="MR1", **rules).save_as("test")
    item = reported.an_item(patient_id="P12", protocol_name="T1", hisris_coding_designator="99X")
    assert as_sent.codes(item, as_sent.rules_of("MR1")) == codes


@pytest.mark.parametrize(
    "broken", [{"ScheduledProtocolCodeSequence": "T1"}, {"ScheduledProtocolCodeSequence": ["T1"]}, []]
)
def test_codes_that_were_written_past_intake_stop_no_report(broken: Any) -> None:
    item = WorklistItem(protocol_name="T1", hisris_coding_designator="", extra_attributes=broken)
    assert as_sent.codes(item, as_sent.rules_of("MR1")) == set()


def test_a_name_without_a_plain_form_was_sent_as_it_is() -> None:
    a_device(**PLAIN)
    rules = as_sent.rules_of("MR1")
    assert as_sent.name(WorklistItem(patient_name="王^小明"), rules) == "王^小明"
    assert as_sent.name(WorklistItem(patient_name="Yamada^Tarou=山田^太郎"), rules) == "Yamada^Tarou"
