"""Flywheel's DICOM Connector reads a routing string: `fw://group/project/subject/session`.

It stands in an attribute that each site chooses, usually Patient Comments. Subject and session may be
missing; the session is then named by Study Description. Source: Flywheel's guides of its DICOM Connector
(docs.flywheel.io), "Advanced Configuration" (fw://{group._id}/{project.label}[/{subject.label}]
[/{session.label}]) and "Hierarchy Mapping".
"""

from __future__ import annotations

import re

from sources.filing.filed import NOTHING, Filed, FiledPart, FilingRemark
from sources.filing.images import Attributes

ROUTING = "PatientComments"
_STRING = re.compile(r"fw://([^/]+)/([^/]+)(?:/([^/]+))?(?:/([^/]+))?")
_DESCRIPTION = "StudyDescription"


def file(attributes: Attributes) -> Filed:
    """File by the routing string; `project` is group and project, which belong together."""
    text = attributes.get(ROUTING, "").strip()
    match = _STRING.fullmatch(text)
    if match is None:
        remarks = (FilingRemark.NOT_FILED, *([FilingRemark.PASSED_OVER] if "fw:" in text.lower() else []))
        return Filed(session=_described(attributes), remarks=remarks)
    group, project, subject, session = match.groups()
    return Filed(
        FiledPart(f"{group}/{project}", ROUTING),
        FiledPart(subject, ROUTING) if subject else NOTHING,
        FiledPart(session, ROUTING) if session else _described(attributes),
        () if subject else (FilingRemark.NOT_FILED,),
    )


def _described(attributes: Attributes) -> FiledPart:
    text = attributes.get(_DESCRIPTION, "")
    return FiledPart(text, _DESCRIPTION) if text else NOTHING
