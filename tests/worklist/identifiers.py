"""Identifiers of queries are made as a scanner sends them.

They are encoded, and read back without a look at their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

Values = Mapping[str, Any]


def data_set(values: Values) -> Dataset:
    found = Dataset()
    for keyword, value in values.items():
        vr = dictionary_VR(keyword)
        found.add(DataElement(Tag(keyword), vr, value, validation_mode=config.IGNORE))
    return found


def make_identifier(
    root: Values | None = None, step: Values | None = None, *, charset: str = "ISO_IR 192"
) -> Dataset:
    """Make an identifier with keys at the root and in one step item, not yet decoded.

    It has no step item where `step` is None.
    """
    identifier = data_set({"SpecificCharacterSet": charset, **(root or {})})
    if step is not None:
        identifier.ScheduledProcedureStepSequence = Sequence([data_set(step)])
    return over_the_wire(identifier)


def over_the_wire(identifier: Dataset) -> Dataset:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, identifier, identifier.get("SpecificCharacterSet", "ISO_IR 6"))
    return read_dataset(BytesIO(stream.getvalue()), is_implicit_VR=False, is_little_endian=True)
