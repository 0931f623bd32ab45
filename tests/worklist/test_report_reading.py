"""What is read of a report straight from its bytes is what pydicom and `json_model` read of it.

Bytes are drawn at random, and reports of scanners are damaged at random.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.effort import tries
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import make_item
from tests.worklist.hostile_bytes import hostile, written
from worklist.dicom import bounds, datasets, image_references, json_model, neighbours, report_reading
from worklist.dicom.datasets import Unreadable
from worklist.dicom.json_model import Reading
from worklist.dicom.mpps_attributes import printed

# As in the server, where pydicom's warnings end nothing.
pytestmark = [
    pytest.mark.usefixtures("values_as_they_come"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(300),
]
SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
LONGEST = 2**24
SERIES, IMAGES, OTHERS = 0x00400340, 0x00081140, 0x00400220
MR = b"1.2.840.10008.5.1.4.1.1.4"


def by_pydicom(data: bytes, *, implicit: bool, deflated: bool = False) -> Reading:
    return json_model.read(datasets.read(data, implicit_vr=implicit, deflated=deflated, longest=LONGEST))


def here(data: bytes, *, implicit: bool, deflated: bool = False) -> Reading | None:
    return report_reading._read(data, implicit_vr=implicit, deflated=deflated, longest=LONGEST)


def assert_same(data: bytes, *, implicit: bool, deflated: bool = False) -> None:
    """Hold that what is read here is what pydicom reads, where it is read here at all."""
    found = here(data, implicit=implicit, deflated=deflated)
    if found is not None:
        expected = by_pydicom(data, implicit=implicit, deflated=deflated)
        assert image_references.unpacked(found.dataset) == expected.dataset
        assert [tuple(each.path) for each in found.doubtful] == [
            tuple(each.path) for each in expected.doubtful
        ]
        assert [each.sentence for each in found.doubtful] == [each.sentence for each in expected.doubtful]


def reports() -> Iterator[Dataset]:
    item = make_item(1, patient_name="MÜLLER^JÖRG=王^小东", patient_weight_kg=72)
    for charset in ("ISO_IR 192", "GB18030"):
        yield steps.begun(item, charset=charset, PatientWeight="71.5", RequestedContrastAgent="")
    yield steps.progress(steps.series(images=2), TotalNumberOfExposures=3)
    yield steps.completed(steps.series(1, images=40), steps.series(2, images=0))
    yield steps.discontinued(reason=steps.WRONG_ENTRY)
    yield Dataset()


@pytest.mark.acceptance("WR1")
@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("implicit", [False, True])
def test_what_scanners_send_is_read_without_pydicom(implicit: bool, deflated: bool) -> None:
    for report in reports():
        data = datasets.write(report, implicit_vr=implicit, deflated=deflated)
        assert here(data, implicit=implicit, deflated=deflated) is not None
        assert_same(data, implicit=implicit, deflated=deflated)


@pytest.mark.acceptance("WR1")
@given(data=st.data(), implicit=st.booleans())
@settings(SLOW, max_examples=tries(150, nightly=5000))
def test_any_bytes_are_read_as_pydicom_reads_them(data: st.DataObject, implicit: bool) -> None:
    assert_same(data.draw(hostile(implicit=implicit)), implicit=implicit)


@st.composite
def damaged_reports(draw: st.DrawFn) -> tuple[bytes, bool]:
    """Draw a report in either encoding, with sequences open or not, and damage it or not."""
    implicit = draw(st.booleans())
    images = draw(st.integers(0, 30))
    first = draw(st.sampled_from([0, 5, 95, 10**20]))
    kinds = [draw(st.booleans()) for _ in range(images)] if draw(st.booleans()) else [False] * images
    classes = st.sampled_from([MR, b"1.2", b"1.02", b"", b"x", b"9" * 65])
    instances = st.sampled_from([b"1.2.3", b"1.2.4\0", b"2.25.0", b"0", b"1..2", b"7", b"1.2.3 ", b"1.2.5"])
    usual = draw(st.booleans())
    items = [
        reference(
            MR if usual else draw(classes),
            f"1.2.{number}".encode() if usual else draw(instances),
            implicit=implicit,
            is_open=is_open,
        )
        for number, is_open in enumerate(kinds, start=first)
    ]
    of_series = b"".join(
        sequence(tag, found, implicit=implicit, is_open=draw(st.booleans()))
        for tag, found in ((IMAGES, items), (OTHERS, items[:1]))
    )
    series = item(of_series, is_open=draw(st.booleans()))
    data = sequence(SERIES, [series], implicit=implicit, is_open=draw(st.booleans()))
    for place, value in draw(
        st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=2)
    ):
        data = data[:place] + bytes([value]) + data[place + 1 :]
    return data[: draw(st.sampled_from([len(data)] * 3 + [len(data) // 2]))], implicit


def sequence(tag: int, items: list[bytes], *, implicit: bool, is_open: bool) -> bytes:
    value = b"".join(items)
    if not is_open:
        return written(tag, "SQ", value, implicit=implicit)
    end = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return written(tag, "SQ", value, implicit=implicit, length=0xFFFFFFFF) + end


def item(value: bytes, *, is_open: bool) -> bytes:
    if not is_open:
        return struct.pack("<HHL", 0xFFFE, 0xE000, len(value)) + value
    end = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
    return struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + value + end


def reference(sop_class: bytes, instance: bytes, *, implicit: bool, is_open: bool) -> bytes:
    uids = ((0x00081150, sop_class), (0x00081155, instance))
    value = b"".join(written(tag, "UI", padded(uid), implicit=implicit) for tag, uid in uids)
    return item(value, is_open=is_open)


def padded(uid: bytes) -> bytes:
    return uid + b"\0" * (len(uid) % 2)


@pytest.mark.acceptance("WR1")
@given(report=damaged_reports())
@example(report=(sequence(SERIES, [b""], implicit=True, is_open=False), True))
@settings(SLOW, max_examples=tries(150, nightly=5000))
def test_a_damaged_report_is_read_as_pydicom_reads_it(report: tuple[bytes, bool]) -> None:
    data, implicit = report
    assert_same(data, implicit=implicit)


@pytest.mark.acceptance("WR1")
@pytest.mark.parametrize(
    ("vr", "value"), [("OB", b"\0"), ("OB", b"\1"), ("SQ", b""), ("SQ", item(b"", is_open=False))]
)
def test_a_character_set_that_is_no_code_is_left_to_pydicom(vr: str, value: bytes) -> None:
    assert here(written(0x00080005, vr, value, implicit=False), implicit=False) is None


@pytest.mark.acceptance("WR1")
@pytest.mark.parametrize("value", [b"\0\1", b"ISO_IR\xa0100", b"ISO\0IR 100", b"\x1bB"])
@pytest.mark.parametrize("implicit", [False, True])
def test_a_character_set_that_nobody_can_type_is_left_to_pydicom(value: bytes, implicit: bool) -> None:
    assert here(written(0x00080005, "CS", value, implicit=implicit), implicit=implicit) is None


@pytest.mark.acceptance("WR1")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(written(0x00100020, "LO", b"A", implicit=True, length=3), id="cut off"),
        pytest.param(written(0x00400280, "ST", b"12", implicit=True, length=LONGEST), id="too long"),
    ],
)
def test_what_is_not_whole_is_refused_as_before(data: bytes) -> None:
    with pytest.raises(Unreadable, match="is cut off"):
        report_reading.read(data, implicit_vr=True, deflated=False, longest=LONGEST)


@pytest.mark.acceptance("WR2")
def test_more_elements_than_are_meant_are_refused_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the bound with fewer elements, and that one element less is read here."""
    images = 2000
    report = steps.completed(steps.series(images=images))
    data = datasets.write(report, implicit_vr=True, deflated=False)
    assert len(data) > bounds.UNJUDGED
    low, high = 0, 10 * images
    while low < high:  # the smallest bound that suffices, by halves
        most = (low + high) // 2
        monkeypatch.setattr(bounds, "MOST_ELEMENTS", most)
        low, high = (most + 1, high) if here(data, implicit=True) is None else (low, most)
    bounds.check(data, implicit_vr=True, most=low)
    with pytest.raises(bounds.TooCostly):
        bounds.check(data, implicit_vr=True, most=low - 1)


@pytest.mark.acceptance("WR48")
@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("first", [5, 95, 9995, 10**30])
def test_neighbours_are_read_many_at_once_as_one_after_the_other(
    first: int, is_open: bool, implicit: bool
) -> None:
    """Hold it for any byte of one of them, whatever it is instead."""
    numbers = range(first, first + 3 * neighbours.FEWEST)
    items = [
        reference(MR, f"1.2.{number}".encode(), implicit=implicit, is_open=is_open) for number in numbers
    ]
    damaged = 2 * neighbours.FEWEST
    for place in range(len(items[damaged])):
        for byte in {items[damaged][place] ^ 1, ord("0"), ord("."), 0}:
            changed = items[damaged][:place] + bytes([byte]) + items[damaged][place + 1 :]
            images = sequence(
                IMAGES,
                [*items[:damaged], changed, *items[damaged + 1 :]],
                implicit=implicit,
                is_open=is_open,
            )
            series = item(images, is_open=is_open)
            assert_same(sequence(SERIES, [series], implicit=implicit, is_open=is_open), implicit=implicit)


def report_of(instances: Iterable[str]) -> bytes:
    items = [reference(MR, each.encode(), implicit=True, is_open=False) for each in instances]
    images = sequence(IMAGES, items, implicit=True, is_open=False)
    return sequence(SERIES, [item(images, is_open=False)], implicit=True, is_open=False)


@pytest.mark.acceptance("WR48")
def test_neighbours_cost_no_step_of_python_each(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[None] = []
    agrees = report_reading._agrees

    def agrees_watched(found: re.Match[bytes]) -> bool:
        looked_at.append(None)
        return agrees(found)

    monkeypatch.setattr(report_reading, "_agrees", agrees_watched)
    images = 2000

    found = here(report_of(f"1.2.{number}" for number in range(images)), implicit=True)

    assert found is not None
    assert json_model.count_items(found.dataset["00400340"]["Value"][0]["00081140"]) == images
    assert len(looked_at) < images / 50


@pytest.mark.acceptance("WR2", "WR48")
@pytest.mark.parametrize(
    ("uid", "at_once"),
    [
        pytest.param("1.2.{}", neighbours.MOST, id="neighbours"),
        pytest.param("1.2.{}.1", report_reading.AT_ONCE // 3, id="strangers"),
    ],
)
def test_a_large_report_gives_others_their_turn_while_it_is_read(
    uid: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[None] = []
    monkeypatch.setattr(image_references, "let_others_run", lambda: turns.append(None))
    images = 4000
    data = report_of(map(uid.format, range(images)))

    assert len(data) > bounds.UNJUDGED
    assert here(data, implicit=True) is not None
    assert len(turns) >= images // at_once


def test_a_path_is_named_by_its_tags() -> None:
    data = written(0x00100010, "PN", b"M\xdcLLER", implicit=True)
    found = here(data, implicit=True)
    assert found is not None
    assert [printed(tag) for each in found.doubtful for tag in each.path] == ["(0010,0010)"]
