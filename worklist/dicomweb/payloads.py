"""Data sets become a response's payload: JSON or XML, single or in parts (PS3.18 8.6, F.2; PS3.19 A.1)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence

from worklist.answering.compiled import Query
from worklist.answering.remembered import RowCache
from worklist.answering.rows import Row
from worklist.dicom import answer_json, native_xml
from worklist.dicom.answer_json import AnswerReader
from worklist.dicom.character_sets import UTF_8
from worklist.dicom.json_model import DataSet
from worklist.dicomweb.media_types import JSON, RELATED, XML, Form

MOST_REMEMBERED = 16 * 1024 * 1024  # bytes
BESIDE_AN_ANSWER = 500  # bytes that the cache takes for it

_CHARACTER_SET = "00080005"

# A user agent asks the same every few minutes, as a scanner does.
_written: RowCache[Row, bytes] = RowCache(
    most=MOST_REMEMBERED, size=lambda written: BESIDE_AN_ANSWER + len(written)
)


class AnswerWriter:
    """It writes the answers to one query, whose items have many values in common."""

    def __init__(self, query: Query, *, as_xml: bool) -> None:
        self._query = query
        self._as_xml = as_xml
        self._reader = AnswerReader()

    def write(self, row: Row) -> bytes:
        """Return the item's data set, written. Raises what `Query.answer` raises."""
        return _written.get((self._query.number, self._as_xml, row.pk), row, self._write)

    def _write(self, row: Row) -> bytes:
        _, identifier = self._query.answer(row)
        return written(in_utf_8(self._reader.read(identifier)), as_xml=self._as_xml)


def of_identifier(identifier: bytes) -> DataSet:
    """Return the data set of bytes in Explicit VR Little Endian, as it is said in UTF-8."""
    return in_utf_8(answer_json.of_answer(identifier))


def in_utf_8(dataset: DataSet) -> DataSet:
    """Return the data set with the character set that it is written in here, and only at its root.

    It has no other, whatever the bytes that it was read from were in (PS3.18 F.2.2).
    """
    inner = {key: _without_character_sets(element) for key, element in dataset.items()}
    if _CHARACTER_SET in inner:
        inner[_CHARACTER_SET] = {"vr": "CS", "Value": [UTF_8.terms]}
    return inner


def _without_character_sets(element: DataSet) -> DataSet:
    if element["vr"] != "SQ":
        return element
    if not element.get("Value"):
        return {"vr": "SQ"}  # no values, no `Value` (PS3.18 F.2.5)
    items = [
        {key: _without_character_sets(inner) for key, inner in item.items() if key != _CHARACTER_SET}
        for item in element["Value"]
    ]
    return {"vr": "SQ", "Value": items}


def written(dataset: DataSet, *, as_xml: bool) -> bytes:
    if as_xml:
        return native_xml.document(dataset).encode("utf-8")
    return json.dumps(dataset, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def payload(answers: Sequence[bytes], form: Form) -> tuple[bytes, str]:
    """Return the body and its Content-Type.

    An XML document has one data set: several are sent in parts, whoever accepts one document only.
    """
    if form is Form.JSON:
        return b"[" + b",".join(answers) + b"]", JSON
    if form is Form.XML and len(answers) == 1:
        return answers[0], f"{XML}; charset=utf-8"
    return _in_parts(answers, XML if form.is_xml else JSON)


def _in_parts(answers: Iterable[bytes], media_type: str) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    body = b"".join(_parts(answers, media_type, boundary.encode("ascii")))
    return body, f'{RELATED}; type="{media_type}"; boundary={boundary}'


def _parts(answers: Iterable[bytes], media_type: str, boundary: bytes) -> Iterator[bytes]:
    head = b"--" + boundary + b"\r\nContent-Type: " + media_type.encode("ascii") + b"\r\n\r\n"
    before, after = (b"[", b"]\r\n") if media_type == JSON else (b"", b"\r\n")
    for answer in answers:
        yield head + before + answer + after
    yield b"--" + boundary + b"--\r\n"
