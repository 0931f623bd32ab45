"""Data sets are drawn here as bytes that a peer may send, right or wrong."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from worklist.dicom import representations
from worklist.dicom.mpps_attributes import ATTRIBUTES, BY_KEY

CHARACTER_SETS = st.sampled_from(
    [
        *(b"", b"ISO_IR 100", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"ISO 2022 IR 6\\ISO 2022 IR 149"),
        *(
            b"GB18030",
            b"ISO IR 100",
            b"utf_16",
            b"unicode_escape",
            b"\xff\xfe",
            b"ISO_IR 192\\ISO 2022 IR 87",
        ),
    ]
)
LONG_LENGTH = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
SHORT_LENGTH = ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI")
VRS = st.sampled_from([*LONG_LENGTH, *representations.BINARY, *SHORT_LENGTH, "ZZ", "??"])
CONTENTS = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            *(
                b"",
                b" ",
                b"\0",
                b"\\",
                b"A\\B",
                b"1\\\\2",
                b"20260101",
                b"0930",
                b"1.2.3",
                b"IN PROGRESS ",
                b"COMPLETED",
            ),
            *(
                b"NaN",
                b"1e999",
                b"-inf",
                b"1_0",
                b"DOE^JOHN",
                b"=\xe7\x8e\x8b",
                b"a=b=c=d=e",
                b"M\xdcLLER",
                b"A\0B",
            ),
            *(b"\xed\xa0\x80", b"\x1b$B;3ED\x1b(B", b"\x1b$)C\xb1\xe8", b"\x1b", "王\ufffd".encode()),
            struct.pack("<d", float("nan")),
            struct.pack("<f", float("-inf")),
        ]
    ),
)
TAGS = st.one_of(
    st.sampled_from([attribute.tag for attribute in ATTRIBUTES]),
    st.sampled_from([nested.tag for attribute in ATTRIBUTES for nested in attribute.items]),
    st.sampled_from(
        [0x00080005, 0x00080016, 0x00100000, 0x00091001, 0x00090010, 0x00100009, 0x0040A30A, 0x00280106]
    ),
    st.integers(0x00080000, 0xFFFFFFFF),
)


def written(tag: int, vr: str, value: bytes, *, implicit: bool, length: int | None = None) -> bytes:
    """Write an element as it is sent; `length` may lie."""
    group, element = tag >> 16, tag & 0xFFFF
    size = len(value) if length is None else length
    if implicit:
        return struct.pack("<HHL", group, element, size) + value
    if vr in LONG_LENGTH:
        return struct.pack("<HH2sHL", group, element, vr.encode(), 0, size) + value
    return struct.pack("<HH2sH", group, element, vr.encode(), size & 0xFFFF) + value


@st.composite
def hostile(draw: st.DrawFn, *, implicit: bool, depth: int = 0) -> bytes:
    """Draw elements in ascending order, as they come."""
    parts = []
    if draw(st.booleans()):
        parts.append(written(0x00080005, "CS", draw(CHARACTER_SETS), implicit=implicit))
    for tag in sorted(draw(st.sets(TAGS, max_size=5))):
        known = BY_KEY.get(f"{tag:08X}")
        vr = known.vr if known is not None and draw(st.booleans()) else draw(VRS)
        value = draw(CONTENTS)
        if vr == "SQ" and depth < 3 and draw(st.integers(0, 3)):
            items = draw(st.lists(hostile(implicit=implicit, depth=depth + 1), max_size=3))
            value = b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item for item in items)
        length = draw(st.sampled_from([None, None, None, None, None, 0xFFFFFFFF, len(value) + 2]))
        parts.append(written(tag, vr, value, implicit=implicit, length=length))
    return b"".join(parts)
