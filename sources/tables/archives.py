"""A workbook is an archive of XML parts; what it says of itself is bounded before anything is unpacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from struct import error as StructError
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as DeflateError

from sources.tables.bounds import Bounds
from sources.tables.errors import Malformed

MOST_PARTS = 5_000
LARGEST_PART = 4 * 1024 * 1024  # of those that openpyxl holds whole: styles, lists of sheets
MOST_ELEMENTS = 60_000  # of these parts: openpyxl makes an object of each
DEEPEST = 64
_AT_ONCE = 64 * 1024
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1
SAVE_ANEW = "open it in a spreadsheet program and save it anew as .xlsx."
DAMAGED = f"the workbook is damaged or cut off: {SAVE_ANEW}"
_DAMAGED = (BadZipFile, DeflateError, EOFError, OSError, StructError, NotImplementedError)
Start = Callable[[str, Mapping[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


class WorkbookArchive(ZipFile):
    """Its parts are read whole only where they are small, and never where they declare entities."""

    def __init__(self, data: bytes, bounds: Bounds) -> None:
        """Open it. Raises Malformed where it is no archive, or unpacks to more than the bounds."""
        if data.count(_ENTRY) > MOST_PARTS:
            raise Malformed(f"the workbook has more than {MOST_PARTS} parts: {SAVE_ANEW}")
        try:
            super().__init__(BytesIO(data))
        except (*_DAMAGED, ValueError):
            raise Malformed(DAMAGED) from None
        self._refuse_odd(bounds)

    def _refuse_odd(self, bounds: Bounds) -> None:
        parts = self.infolist()
        if len({part.filename for part in parts}) != len(parts):
            raise Malformed(f"the workbook has two parts of one name: {SAVE_ANEW}")
        if any(part.flag_bits & _ENCRYPTED for part in parts):
            raise Malformed("the workbook is encrypted: save it without a password.")
        if any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for part in parts):
            raise Malformed(f"the workbook is packed in an unusual way: {SAVE_ANEW}")
        if sum(part.file_size for part in parts) > bounds.unpacked:
            size = bounds.unpacked // (1024 * 1024)
            raise Malformed(f"the workbook unpacks to more than {size} MiB: save the sheet alone, or as CSV.")

    def read(self, name: str | ZipInfo, pwd: bytes | None = None) -> bytes:
        """Return a small part that was looked through. Raises Malformed, or KeyError where there is none."""
        info = name if isinstance(name, ZipInfo) else self.getinfo(name)
        if info.file_size > LARGEST_PART:
            raise Malformed(f"the workbook's part {info.filename[:60]} is too large: {SAVE_ANEW}")
        with self._part(info) as part:
            found = _unpacked(part.read)
        with BytesIO(found) as part:
            walk(part, most=MOST_ELEMENTS)
        return found

    def walk(self, name: str, *, start: Start, end: End, text: Text, most: int) -> None:
        """Stream a part of any size through the handlers. Raises Malformed."""
        with self._part(name) as part:
            walk(part, start=start, end=end, text=text, most=most)

    def _part(self, name: str | ZipInfo) -> IO[bytes]:
        try:
            return self.open(name)
        except (*_DAMAGED, KeyError, ValueError, RuntimeError):
            raise Malformed(DAMAGED) from None


def _unpacked(read: Callable[[], bytes]) -> bytes:
    """Return what is read of a part. Raises Malformed where it was packed in another way than is said."""
    try:
        return read()
    except _DAMAGED:
        raise Malformed(DAMAGED) from None


def walk(
    part: IO[bytes],
    *,
    start: Start | None = None,
    end: End | None = None,
    text: Text | None = None,
    most: int,
) -> None:
    """Stream XML through the handlers: no entities, at most so many elements, and these not deep."""
    parser = ParserCreate()
    parser.buffer_text = True
    depth = elements = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > DEEPEST or elements > most:
            raise Malformed(f"the workbook has more XML in it than a table needs: {SAVE_ANEW}")
        if start is not None:
            start(name, attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name)

    def declared(*_of_doctype: object) -> None:
        raise Malformed(f"the workbook declares a document type, which no workbook has: {SAVE_ANEW}")

    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.StartDoctypeDeclHandler = declared
    parser.CharacterDataHandler = text
    try:
        while chunk := _unpacked(lambda: part.read(_AT_ONCE)):
            parser.Parse(chunk)
        parser.Parse(b"", True)  # noqa: FBT003  (takes no names)
    except (ExpatError, LookupError):
        raise Malformed(f"the workbook has XML that is not well formed: {SAVE_ANEW}") from None
