"""Files of other kinds are refused by name, with what to do."""

from __future__ import annotations

import re

from sources.tables.errors import Malformed

TEXTS = (".csv", ".tsv", ".txt")
WORKBOOK = ".xlsx"
KINDS = f"{', '.join(TEXTS)} or {WORKBOOK}"
_SAVE = "save it as .xlsx, or as “CSV UTF-8”."
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|meta|table|body)", re.I | re.S
)
_BEGINNINGS = (
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a text document"),
    (b"\x1f\x8b", "packed by gzip"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_ENDINGS = {
    ".xls": "an old .xls workbook",
    ".xlsb": "a binary workbook",
    ".xlsm": "a workbook with macros",
    ".ods": "an OpenDocument spreadsheet",
    ".numbers": "a Numbers spreadsheet",
    ".pdf": "a PDF",
}


def is_workbook(data: bytes, name: str) -> bool:
    """Tell a workbook from a text by the file's ending, which its content must not contradict.

    Raises Malformed for every other kind of file.
    """
    what = _what(data, name.lower())
    if what:
        raise Malformed(f"it is {what}, which is not read: {_SAVE}")
    is_archive = data.startswith(b"PK\x03\x04")
    if name.lower().endswith(WORKBOOK):
        if not is_archive:
            raise Malformed(f"it is no workbook, whatever its ending says: {_SAVE}")
        return True
    if is_archive:
        raise Malformed(
            f"it is an archive or a workbook, and not a text as its ending says: name it {WORKBOOK}."
        )
    return False


def _what(data: bytes, name: str) -> str:
    if not data.strip():
        return "empty"
    if data.startswith(_OLE):
        return "encrypted with a password" if _ENCRYPTED in data else "an old .xls workbook"
    if _HTML.match(data[:4096]):
        return "a web page, whatever its ending says"
    if data.startswith(b"<?xml"):
        return "XML, whatever its ending says"
    if data.startswith(b"PK\x03\x04"):
        return _archive(data, name)
    named = next((what for beginning, what in _BEGINNINGS if data.startswith(beginning)), "")
    return named or _by_ending(name)


def _archive(data: bytes, name: str) -> str:
    if b"mimetypeapplication/vnd.oasis" in data[:200]:
        return _ENDINGS[".ods"]
    if b"xl/workbook.bin" in data:
        return _ENDINGS[".xlsb"]
    return _ENDINGS[".numbers"] if b"Index/Document.iwa" in data else _by_ending(name)


def _by_ending(name: str) -> str:
    ending = next((each for each in _ENDINGS if name.endswith(each)), "")
    if not ending and not name.endswith((*TEXTS, WORKBOOK)):
        return f"no {KINDS} by its ending"
    return _ENDINGS.get(ending, "")
