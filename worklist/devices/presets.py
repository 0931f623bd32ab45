"""Presets hold what is known of vendors' scanners, as rules to start a device from, each with its source."""

from __future__ import annotations

from typing import Any, NamedTuple

from worklist.models import OverMaximum, StationFilter


class PresetRule(NamedTuple):
    """A rule sets a field of `Device`, to None where it limits nothing.

    Without a field it tells what this server does for every device, or what the scanner does.
    """

    why: str
    source: str
    field: str = ""
    value: Any = None


class Preset(NamedTuple):
    key: str
    label: str
    vendor: str
    modality: str
    rules: tuple[PresetRule, ...]

    @property
    def values(self) -> dict[str, Any]:
        own = {rule.field: rule.value for rule in self.rules if rule.field}
        return {"vendor": self.vendor, "modality": self.modality, "preset": self.key, **own}


OPERATORS_LEAVE_IT_OPEN = PresetRule(
    "An operator's own query sends only the filled-in keys, so the station is left open and other scanners' "
    "items would be listed.",
    "DICOM PS3.2 B.4.2.2.3 and N.5",
    "station_filter",
    StationFilter.OWN_OR_ANY,
)
PDU = PresetRule("Its maximum PDU length is kept to, whatever it is.", "Conformance statements: 28,672 bytes")

PRESETS = (
    Preset(
        "ge_mr",
        "GE MR",
        "GE",
        "MR",
        (
            OPERATORS_LEAVE_IT_OPEN,
            PresetRule(
                "An MR console takes 64 characters of Patient's Name, as many as there may be. The 32 of "
                "GE's CT consoles are not its limit.",
                "GE Signa Profile MR conformance statement 2303347 rev. 2.7, p. 65",
                "longest_patient_name",
                None,
            ),
            PresetRule(
                "So it does of Patient ID; the 16 of GE's CT consoles would leave out every longer one.",
                "GE Signa Profile MR conformance statement 2303347 rev. 2.7, p. 65: as from the worklist",
                "longest_patient_id",
                None,
            ),
            PresetRule(
                "It does not take the weight from the worklist: somebody types it at the console, from "
                "which SAR limits follow. What it reports is compared with the item's.",
                "GE MR conformance statements: Patient's Weight is not mapped",
            ),
            PresetRule(
                "A code of this scheme whose value is a protocol's key selects that protocol on the console.",
                "The original pylantir, mwl_server.py",
                "coding_scheme_designator",
                "GEHC",
            ),
            PresetRule(
                "The start time is always six digits, and a code always has its meaning.",
                "GE CT technical reference DOC0500644 rev. 4, p. 92",
            ),
            PresetRule(
                "An entry without name, ID, Study Instance UID, station or start date is rejected: all are "
                "always sent, the station filled in with the scanner's own where an item has none.",
                "GE Brivo XR118 manual, p. 185",
            ),
        ),
    ),
    Preset(
        "siemens_mr",
        "Siemens MR",
        "Siemens",
        "MR",
        (
            OPERATORS_LEAVE_IT_OPEN,
            PresetRule(
                "It needs the Study Instance UID, which is always sent and stays the same.", "fo-dicom #1056"
            ),
            PDU,
        ),
    ),
    Preset(
        "philips_mr",
        "Philips MR",
        "Philips",
        "MR",
        (
            OPERATORS_LEAVE_IT_OPEN,
            PresetRule(
                "Worklist and MPPS are in every release; compare the attributes with its own conformance "
                "statement before the first examination.",
                "Philips Achieva R1.5 and R3.2 conformance statements",
            ),
        ),
    ),
    Preset(
        "canon_mr",
        "Canon (Toshiba) MR",
        "Canon",
        "MR",
        (
            OPERATORS_LEAVE_IT_OPEN,
            PresetRule(
                "It aborts the association after the last answer in place of a release: no error here.",
                "fo-dicom #341",
            ),
        ),
    ),
    Preset(
        "ultrasound",
        "Ultrasound",
        "",
        "US",
        (
            PresetRule(
                "It asks for today's ultrasound items of any station.",
                "pynetdicom #791 (Samsung)",
                "station_filter",
                StationFilter.OWN_OR_ANY,
            ),
            PresetRule(
                "Verification is accepted on any association; some never send MPPS.",
                "fo-dicom-samples #76 (GE LOGIQ P9)",
            ),
        ),
    ),
    Preset(
        "esaote",
        "Esaote MR",
        "Esaote",
        "MR",
        (
            OPERATORS_LEAVE_IT_OPEN,
            PresetRule(
                "Any status but Success and Pending is shown as “query failed”: too many items are cut, "
                "never refused.",
                "Esaote G-scan, S-scan, O-scan DICOM manual (2009), p. 33",
                "over_maximum",
                OverMaximum.TRUNCATE,
            ),
            PresetRule(
                "It proposes Implicit VR Little Endian only, which is accepted.",
                "Esaote G-scan, S-scan, O-scan DICOM manual (2009), p. 33",
            ),
        ),
    ),
)
BY_KEY = {preset.key: preset for preset in PRESETS}
