"""Bytes become text: in UTF-8 or UTF-16 as they show themselves, in Windows' or Latin-1 as stated."""

from __future__ import annotations

import codecs
import re

from sources.tables.errors import Malformed

ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")  # that may be stated
_ONE_BYTE = ("cp1252", "latin-1")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, ""),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAY = "save it as “CSV UTF-8”, or state its encoding: cp1252 for Windows in Western Europe, or latin-1."
_NEVER_TYPED = re.compile(r"[\x00\x80-\x9f]")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def is_marked(data: bytes) -> bool:
    """Tell whether the file begins with a byte order mark."""
    return any(data.startswith(mark) for mark, _ in _MARKS)


def decoded(data: bytes, stated: str = "") -> str:
    """Return the text without its byte order mark. Raises Malformed, naming the first line that is wrong."""
    if stated and stated not in ENCODINGS:
        raise Malformed(
            f"the encoding {stated} is not known. One of these is expected: {', '.join(ENCODINGS)}."
        )
    encoding = _encoding(data, stated)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Malformed(_undecodable(data, error, encoding)) from None
    found = _NEVER_TYPED.search(text)
    if found:
        raise Malformed(_unprintable(text, found, encoding))
    return text


def _encoding(data: bytes, stated: str) -> str:
    mark = next((found for found in _MARKS if data.startswith(found[0])), None)
    if mark is not None and not mark[1]:
        raise Malformed("it is in UTF-32, which is not read: save it as “CSV UTF-8”.")
    if mark is not None:
        if stated and not mark[1].startswith(stated):
            raise Malformed(f"it begins as {mark[1][:6]}, but {stated} is stated: leave the encoding empty.")
        return mark[1]
    if stated in _ONE_BYTE and not data.isascii() and _is_utf8(data):
        raise Malformed(f"it is in UTF-8, but {stated} is stated: leave the encoding empty.")
    if stated == "utf-16":
        raise Malformed(f"it does not begin as UTF-16 does, with a byte order mark: {_SAY}")
    return stated or "utf-8"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _undecodable(data: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    if encoding == "utf-16":
        return "it begins as UTF-16 and does not go on so: it may be cut off. Save it anew as “CSV UTF-8”."
    line = len(_LINE_ENDS.findall(data[: error.start].decode("latin-1"))) + 1
    if encoding in _ONE_BYTE:
        return f"line {line} has a byte that {encoding} does not know: save it as “CSV UTF-8”."
    return f"line {line} is not in UTF-8: {_SAY}"


def _unprintable(text: str, found: re.Match[str], encoding: str) -> str:
    line = len(_LINE_ENDS.findall(text[: found.start()])) + 1
    if found[0] == "\0":
        return f"line {line} has a zero byte, which no text has: save the table anew as “CSV UTF-8”."
    if encoding == "latin-1":
        return f"line {line} has characters that Latin-1 does not have: state cp1252."
    return f"line {line} has control characters: its encoding is another, or they have to be removed."
