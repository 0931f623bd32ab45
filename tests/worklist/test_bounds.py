"""A data set that would cost too much is refused by its bytes, and every report that is meant is not."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from pydicom import Dataset

from worklist.dicom import bounds, datasets
from worklist.dicom.bounds import TooCostly
from worklist.dicom.datasets import Unreadable

UNDEFINED = 0xFFFFFFFF
PADDING = struct.pack("<HHL", 0x0099, 0x0010, bounds.UNJUDGED) + bytes(bounds.UNJUDGED)


def nested(levels: int, *, defined: bool) -> bytes:
    content = b""
    for _ in range(levels):
        length = len(content) + 8 if defined else UNDEFINED
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(content) if defined else UNDEFINED) + content
        ends = b"" if defined else struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        content = struct.pack("<HHL", 0x0040, 0x0340, length) + item + ends
    return content


def report(images: int) -> Dataset:
    step, series = Dataset(), Dataset()
    series.ReferencedImageSequence = [Dataset() for _ in range(images)]
    for number, image in enumerate(series.ReferencedImageSequence):
        image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        image.ReferencedSOPInstanceUID = f"1.2.826.0.1.3680043.9.7.{number}"
    step.PerformedSeriesSequence = [series]
    return step


@pytest.mark.parametrize("defined", [True, False])
def test_sequences_go_so_deep_and_no_deeper(*, defined: bool) -> None:
    bounds.check(nested(bounds.DEEPEST, defined=defined) + PADDING, implicit_vr=True)
    with pytest.raises(TooCostly, match="deeply"):
        bounds.check(nested(bounds.DEEPEST + 1, defined=defined) + PADDING, implicit_vr=True)


def test_siblings_are_not_nested() -> None:
    bounds.check(50 * nested(3, defined=True) + 50 * nested(3, defined=False) + PADDING, implicit_vr=True)


@pytest.mark.parametrize("implicit_vr", [True, False])
def test_a_report_of_many_images_is_counted_and_read(
    monkeypatch: pytest.MonkeyPatch, *, implicit_vr: bool
) -> None:
    images = 2000
    encoded = datasets.write(report(images), implicit_vr=implicit_vr, deflated=False)
    assert len(encoded) > bounds.UNJUDGED
    # The sequence of series, its item and the sequence in it; of each image the item and two references.
    monkeypatch.setattr(bounds, "MOST_ELEMENTS", 3 + 3 * images)
    read = datasets.read(encoded, implicit_vr=implicit_vr, deflated=False, longest=len(encoded))
    assert len(read.PerformedSeriesSequence[0].ReferencedImageSequence) == images
    monkeypatch.setattr(bounds, "MOST_ELEMENTS", 2 + 3 * images)
    with pytest.raises(Unreadable, match="too many elements"):
        datasets.read(encoded, implicit_vr=implicit_vr, deflated=False, longest=len(encoded))


def test_a_deflated_report_is_read_and_what_inflates_like_a_bomb_is_not() -> None:
    deflated = datasets.write(report(5000), implicit_vr=False, deflated=True)
    assert datasets.read(deflated, implicit_vr=False, deflated=True, longest=2**24)
    bomb = datasets.deflate(bytes(8 * 1024 * 1024))
    with pytest.raises(Unreadable, match="too long"):
        datasets.read(bomb, implicit_vr=False, deflated=True, longest=2**24)


@pytest.mark.parametrize("content", [bytes(8), b"\xff" * 9, b"\x08\0\x05\0UN\0\0", b"\xfe\xff\x0d\xe0" * 2])
@pytest.mark.parametrize("implicit_vr", [True, False])
def test_what_is_no_data_set_is_refused_or_left_to_who_decodes_it(
    content: bytes, *, implicit_vr: bool
) -> None:
    with suppress(TooCostly):
        bounds.check(content * (bounds.UNJUDGED // len(content) + 1), implicit_vr=implicit_vr)
