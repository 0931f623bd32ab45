r"""XNAT takes project, subject and session of an image each from the first attribute that says it.

In order: what its administrator's own rules find; `Project:P Subject:S Session:E` within Patient Comments,
Study Comments or Additional Patient History; then one attribute for each. Sources: XNAT's page "How XNAT
Scans DICOM to Map to Project/Subject/Session" (wiki.xnat.org), and its classes ClassicDicomObjectIdentifier,
Xnat15DicomProjectIdentifier, ContainedAssignmentExtractor and Labels.

A value of an assignment has letters, digits, _ and - alone; anything else, and the assignment is passed over.
A project must be there already: of several attributes the first that names one is taken. Which are there
cannot be known here, so the first that has a value counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sources.filing.filed import NOTHING, Filed, FiledPart, FilingRemark
from sources.filing.images import Attributes

COMPOSITES = ("PatientComments", "StudyComments", "AdditionalPatientHistory")
_SINGLE = {
    "Project": ("StudyDescription", "AccessionNumber"),
    "Subject": ("PatientName",),
    "Session": ("PatientID",),
}
# As Java's `.`, which ends at each of these.
_ANY = r"[^\n\r\u0085\u2028\u2029]*"
_ASSIGNMENTS = {
    part: re.compile(rf"(?:{_ANY}[\s,;])?{part}\s*:\s*([\w-]*)(?:[\s,;]{_ANY})?", re.IGNORECASE | re.ASCII)
    for part in _SINGLE
}
_NAMED = {part: re.compile(rf"\b{part}\s*:", re.IGNORECASE) for part in _SINGLE}
_NO_LABEL = re.compile(r"[^\w-]", re.ASCII)


class RoutingRule(NamedTuple):
    """An administrator enters it as `text`; it looks into an attribute, and its first group is the label."""

    part: str
    attribute: str
    tag: str
    expression: str

    @property
    def text(self) -> str:
        """Return it as XNAT's page of custom DICOM routing takes it."""
        return f"{self.tag}:{self.expression}:1"


# What an administrator of XNAT enters for Study Descriptions such as `Project:P Subject:S Session:E`.
CUSTOM_RULES = tuple(
    RoutingRule(part, "StudyDescription", "(0008,1030)", rf".*\b{part}:\s*([A-Za-z0-9_-]+).*")
    for part in ("Project", "Subject", "Session")
)


def file(attributes: Attributes) -> Filed:
    return _file(attributes, ())


def file_by_custom_rules(attributes: Attributes) -> Filed:
    """File as an XNAT does whose administrator has entered CUSTOM_RULES."""
    return _file(attributes, CUSTOM_RULES)


def _file(attributes: Attributes, rules: Sequence[RoutingRule]) -> Filed:
    project = _part("Project", attributes, rules)
    found = [_part(part, attributes, rules) for part in ("Subject", "Session")]
    subject, session = (each._replace(label=_NO_LABEL.sub("_", each.label)) for each in found)
    remarks = []
    if not project.label:
        remarks.append(FilingRemark.NOT_FILED)
    if [subject, session] != found:
        remarks.append(FilingRemark.CHANGED)
    if any(_is_passed_over(part, attributes) for part in _SINGLE):
        remarks.append(FilingRemark.PASSED_OVER)
    return Filed(project, subject, session, tuple(remarks))


def _part(part: str, attributes: Attributes, rules: Sequence[RoutingRule]) -> FiledPart:
    return next(_said(part, attributes, rules), NOTHING)


def _said(part: str, attributes: Attributes, rules: Sequence[RoutingRule]) -> Iterator[FiledPart]:
    """Yield what each attribute says of the part, in XNAT's order."""
    for rule in rules:
        match = re.fullmatch(rule.expression, attributes.get(rule.attribute, ""))
        if match and rule.part == part:
            yield FiledPart(match[1], rule.attribute)
    for keyword in COMPOSITES:
        match = _ASSIGNMENTS[part].fullmatch(attributes.get(keyword, ""))
        if match and match[1]:
            yield FiledPart(match[1], keyword)
    for keyword in _SINGLE[part]:
        text = attributes.get(keyword, "").strip()
        if text:
            yield FiledPart(text, keyword)


def _is_passed_over(part: str, attributes: Attributes) -> bool:
    """Tell whether an attribute names the part in a way that XNAT does not read."""
    texts = (attributes.get(keyword, "") for keyword in COMPOSITES)
    return any(
        _NAMED[part].search(text) and not ((match := _ASSIGNMENTS[part].fullmatch(text)) and match[1])
        for text in texts
    )
