"""What is said on the pages about filing, for people."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from pydicom.datadict import dictionary_description, tag_for_keyword

from sources.filing.filed import FilingRemark

REMARKS: dict[FilingRemark, Any] = {
    FilingRemark.NOT_FILED: gettext_lazy("Nothing says where it belongs: somebody has to file it by hand."),
    FilingRemark.CHANGED: gettext_lazy("A label is another than what was sent: some characters are changed."),
    FilingRemark.PASSED_OVER: gettext_lazy(
        "An attribute names project, subject or session in a way that the archive does not read."
    ),
    FilingRemark.PHANTOM: gettext_lazy("It is taken for a phantom: the name has PHA or TEST in it."),
    FilingRemark.BY_CANDIDATE: gettext_lazy("The archive knows the project by the candidate."),
    FilingRemark.BY_SEQUENCES: gettext_lazy(
        "The session is what the names of the sequences at the console say: _ses-01."
    ),
}
WARNS = frozenset({FilingRemark.NOT_FILED, FilingRemark.PASSED_OVER, FilingRemark.PHANTOM})
PARTS: dict[str, Any] = {
    "project": gettext_lazy("Project"),
    "group": gettext_lazy("Group"),
    "subject": gettext_lazy("Subject"),
    "session": gettext_lazy("Session"),
    "pscid": gettext_lazy("PSCID"),
    "candid": gettext_lazy("CandID"),
    "visit": gettext_lazy("Visit label"),
    "investigator": gettext_lazy("Principal investigator"),
    "experimenter": gettext_lazy("Student or assistant"),
    "study": gettext_lazy("Study"),
}
SCHEMES: dict[str, Any] = {
    "xnat": gettext_lazy("XNAT"),
    "xnat_custom": gettext_lazy("XNAT with routing rules for Study Description"),
    "loris": gettext_lazy("LORIS"),
    "flywheel": gettext_lazy("Flywheel, its routing string in Patient Comments"),
    "reproin": gettext_lazy("ReproIn (HeuDiConv)"),
}
NOTES: dict[str, Any] = {
    "xnat_comments": gettext_lazy(
        "A session's label is one for the whole project: let it have the subject in it. The project must be "
        "in XNAT already."
    ),
    "xnat_attributes": gettext_lazy(
        "Patient's Name becomes the subject and Patient ID the session, so both are replaced. A way for "
        "scanners that discard Patient Comments."
    ),
    "xnat_custom": gettext_lazy(
        "XNAT reads it once its administrator has entered these rules. Study Description takes 64 characters."
    ),
    "loris": gettext_lazy(
        "Both identifiers of the candidate and the visit, divided by _, so none of them has one. Name and "
        "ID are replaced."
    ),
    "flywheel": gettext_lazy(
        "Ask Flywheel's administrator which attribute the connector reads, and whether an opt-in text "
        "belongs to it."
    ),
    "reproin": gettext_lazy(
        "The subject is the patient ID as it is, in small letters and without - and _. Exam cards at the "
        "console name the sessions."
    ),
}


def attribute_name(keyword: str) -> str:
    """Return what DICOM calls an attribute."""
    tag = tag_for_keyword(keyword)
    return dictionary_description(tag) if tag is not None else keyword
