"""An image carries what its scanner took from the worklist, and not what the scanner discards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from worklist.dicom.values import requested_procedure_description

Attributes = Mapping[str, str]  # keyword -> text, "" left out

_OF_FIELDS = {
    "PatientID": "patient_id",
    "PatientName": "patient_name",
    "AccessionNumber": "accession_number",
}
_DESCRIPTIONS = ("study_description", "procedure_description", "protocol_name", "modality")


class Discarded(NamedTuple):
    """A scanner takes no such attribute from the worklist, says its vendor in `source`."""

    attribute: str
    source: str


_GE_MR = (
    Discarded(
        "PatientComments",
        "GE Signa Profile MR conformance statement 2303347 rev. 2.7, p. 65: not used, will be discarded",
    ),
)
# By the preset of a device.
DISCARDED: Mapping[str, tuple[Discarded, ...]] = {"ge_mr": _GE_MR}


def discarded_by(*, preset: str, vendor: str, modality: str) -> tuple[Discarded, ...] | None:
    """Return what a scanner discards, or None where nothing is known of scanners of its kind.

    `preset` is a device's, "" where it has none; then vendor and modality tell.
    """
    if preset in DISCARDED:
        return DISCARDED[preset]
    is_ge = vendor.upper().split()[:1] in (["GE"], ["GEHC"], ["GEMS"])
    return _GE_MR if is_ge and modality.upper() == "MR" else None


def of_session(values: Mapping[str, Any], discarded: Collection[str] = ()) -> Attributes:
    """Return the attributes of an image by which archives file it.

    `values` are a session's, as `sources.contract.Session` has them. Study Description is what this server
    answers in it: Requested Procedure Description, else the next best that the item has.
    """
    described = {name: str(values.get(name, "")) for name in _DESCRIPTIONS}
    found = {
        **{keyword: str(values.get(field, "")) for keyword, field in _OF_FIELDS.items()},
        "StudyDescription": requested_procedure_description(described) or "",
        **{keyword: str(value) for keyword, value in values.get("extra_attributes", {}).items()},
    }
    return {keyword: text for keyword, text in found.items() if text and keyword not in discarded}
