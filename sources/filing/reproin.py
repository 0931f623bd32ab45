"""ReproIn finds the data set by Study Description, `PI_Student^Study`, and the subject by Patient ID.

HeuDiConv then makes `PI/Student/Study/sub-SUBJECT`. The session is what the names of sequences at the console
say: `anat-scout_ses-01`. Source: HeuDiConv, heudiconv/heuristics/reproin.py, infotoids and fixup_subjectid.
"""

from __future__ import annotations

import re

from sources.filing.filed import Filed, FiledPart, FilingRemark
from sources.filing.images import Attributes

NO_DESCRIPTION = "unknown"
_DESCRIPTION, _PATIENT_ID = "StudyDescription", "PatientID"
_NUMBERED = re.compile(r"sid0*(\d+)", re.ASCII)


def file(attributes: Attributes) -> Filed:
    """File under the locator; `session` is empty, for no attribute of the worklist says it."""
    description = attributes.get(_DESCRIPTION, "")
    patient_id = attributes.get(_PATIENT_ID, "")
    subject = subject_of(patient_id)
    remarks = [FilingRemark.BY_SEQUENCES]
    if not description or not subject:
        remarks.append(FilingRemark.NOT_FILED)
    if subject != patient_id:
        remarks.append(FilingRemark.CHANGED)
    project = FiledPart(locator(description), _DESCRIPTION if description else "")
    return Filed(project, FiledPart(subject, _PATIENT_ID), remarks=tuple(remarks))


def locator(description: str) -> str:
    """Return the data set's folder: divided at the first ^ or space, and before that at the first - or _."""
    if not description:
        return NO_DESCRIPTION
    whose, *study = re.split("[ ^]", description, maxsplit=1)
    return "/".join([*re.split("[-_]", whose, maxsplit=1), *study])


def subject_of(patient_id: str) -> str:
    """Return the label: small letters, without - and _; `sid` and a number has six digits."""
    small = patient_id.lower()
    match = _NUMBERED.fullmatch(small)
    return f"sid{int(match[1]):06d}" if match else re.sub("[-_]", "", small)
