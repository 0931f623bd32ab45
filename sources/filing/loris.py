"""LORIS reads its candidate's two IDs and the visit label from Patient's Name: `PSCID_CandID_VisitLabel`.

Source: LORIS-MRI, dicom-archive/profileTemplate.pl, getSubjectIDs. The candidate tells site and project.
A name with PHA or TEST in it, in capitals or not, is taken for a phantom's or a test's.
"""

from __future__ import annotations

import re

from sources.filing.filed import Filed, FiledPart, FilingRemark
from sources.filing.images import Attributes

_IDS = re.compile(r"([^_]+)_(\d+)_([^_]+)", re.ASCII)
_PHANTOM = re.compile(r"PHA|TEST", re.IGNORECASE)
_NAME = "PatientName"


def file(attributes: Attributes) -> Filed:
    """File under the candidate; `subject` is the PSCID and the CandID, as LORIS keeps both of one person."""
    name = attributes.get(_NAME, "")
    if _PHANTOM.search(name):
        return Filed(session=FiledPart(name.strip(), _NAME), remarks=(FilingRemark.PHANTOM,))
    match = _IDS.search(name)
    if match is None:
        return Filed(remarks=(FilingRemark.NOT_FILED,))
    subject = f"{match[1].strip()}_{match[2]}"
    return Filed(
        subject=FiledPart(subject, _NAME),
        session=FiledPart(match[3].strip(), _NAME),
        remarks=(FilingRemark.BY_CANDIDATE,),
    )
