"""A device may have been sent an item otherwise than it is stored, and its report says that back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worklist.devices import offers, stored
from worklist.devices.offers import DeviceUnusable
from worklist.dicom import character_sets, values
from worklist.dicom.answer_elements import EncodingError
from worklist.dicom.character_sets import Transliterating
from worklist.dicom.item_attributes import RECORD_FIELDS
from worklist.dicom.output_rules import PROTOCOL_CODES, OutputRules
from worklist.models import WorklistItem
from worklist.models.statements import RawRow


def rules_of(ae_title: str) -> OutputRules:
    """Return the device's output rules as they are now. Raises django.db.Error."""
    return rules_by(stored.row_of(ae_title), ae_title)


def rules_by(row: RawRow | None, ae_title: str) -> OutputRules:
    """Return the output rules by the device's row as it was read."""
    try:
        return offers.offer_by(row, ae_title).output
    except DeviceUnusable:
        return OutputRules()


def name(item: WorklistItem, rules: OutputRules) -> str:
    """Return the patient's name as sent: without accents for a device that has no letters with them."""
    stored = item.patient_name
    if not rules.transliterates or not rules.character_set:
        return stored
    for each in character_sets.candidates_of_a_device(rules.character_set, transliterates=True):
        try:
            each.name(stored)
        except UnicodeEncodeError:
            continue
        return each.rewritten_name(stored) if isinstance(each, Transliterating) else stored
    return stored


def codes(item: WorklistItem, rules: OutputRules) -> set[tuple[str, str]]:
    """Return value and coding scheme of each scheduled protocol code as it was sent."""
    record = {field: getattr(item, field) for field in RECORD_FIELDS}
    try:
        sent = rules.applied(record)
    except EncodingError:  # it was not sent at all
        sent = record
    stored = sent["extra_attributes"]
    own = stored.get(PROTOCOL_CODES) if isinstance(stored, Mapping) else None
    own = values.with_own_scheme(sent, own)
    items = own if isinstance(own, list) and own else values.scheduled_protocol_codes(sent)
    return {
        (_value(code), str(code.get("CodingSchemeDesignator", "")))
        for code in items
        if isinstance(code, Mapping)
    }


def _value(code: Mapping[str, Any]) -> str:
    return str(code.get("CodeValue") or code.get("LongCodeValue") or "")
