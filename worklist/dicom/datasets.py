"""A data set is read from the bytes that a peer has sent, and written for it."""

from __future__ import annotations

import zlib
from io import BytesIO

from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import data_element_generator, read_dataset
from pydicom.filewriter import write_dataset

from worklist.dicom import bounds

UNDEFINED_LENGTH = 0xFFFFFFFF


class Unreadable(Exception):
    """The text says why, without what was sent: `is cut off`, `is too long`, `cannot be decoded` and more."""


def read(encoded: bytes, *, implicit_vr: bool, deflated: bool, longest: int) -> Dataset:
    """Return the data set, whose bytes `longest` bounds when they are inflated. Raises Unreadable."""
    try:
        data = inflate(encoded, longest=longest) if deflated else encoded
        if len(data) > longest:
            raise Unreadable("is too long")
        most = bounds.elements_at_most(len(encoded)) if deflated else bounds.MOST_ELEMENTS
        bounds.check(data, implicit_vr=implicit_vr, most=most)
        check_whole(data, implicit_vr=implicit_vr)
        return read_dataset(BytesIO(data), is_implicit_VR=implicit_vr, is_little_endian=True)
    except Unreadable:
        raise
    except bounds.TooCostly as error:
        raise Unreadable(str(error)) from None
    except Exception as error:  # whatever pydicom's readers raise on bytes that are no data set
        raise Unreadable("cannot be decoded") from error


def check_whole(data: bytes, *, implicit_vr: bool) -> None:
    """Raise Unreadable, or what pydicom raises, for a data set that breaks off.

    `read_dataset` returns the elements before the break: without the others a query matches more than was
    asked for, and a report says less than was reported.
    """
    stream = BytesIO(data)
    end = 0
    for element in data_element_generator(stream, implicit_vr, True):  # noqa: FBT003  it has no keyword
        end = stream.tell()
        if isinstance(element, RawDataElement) and element.length != UNDEFINED_LENGTH:
            end = element.value_tell + element.length
    if end > len(data) or data[end:].strip(b"\0"):
        raise Unreadable("is cut off")


def write(dataset: Dataset, *, implicit_vr: bool, deflated: bool) -> bytes:
    """Return the data set encoded, Little Endian. Raises what pydicom raises for what it cannot write."""
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit_vr, True
    write_dataset(stream, dataset)
    data: bytes = stream.getvalue()
    return deflate(data) if deflated else data


def inflate(encoded: bytes, *, longest: int) -> bytes:
    """Return the inflated bytes.

    Raises Unreadable for what inflates beyond bounds, zlib.error for what is not deflated.
    """
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflating.decompress(encoded, min(longest, bounds.inflated_at_most(len(encoded))))
    if inflating.unconsumed_tail:
        raise Unreadable("is too long")
    return data


def deflate(data: bytes) -> bytes:
    """Return the bytes deflated without a header, a null byte after an odd length (PS3.5 A.5)."""
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = deflating.compress(data) + deflating.flush()
    return deflated + b"\0" * (len(deflated) % 2)
