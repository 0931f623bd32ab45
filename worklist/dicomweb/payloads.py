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
from worklist.dicom.json_model import DataSet
from worklist.dicomweb.media_types import JSON, RELATED, XML, Form

MOST_REMEMBERED = 16 * 1024 * 1024  # bytes
BESIDE_AN_ANSWER = 500  # bytes that the cache takes for it

# A user agent asks the same every few minutes, as a scanner does.
_written: RowCache[Row, bytes] = RowCache(
    most=MOST_REMEMBERED, size=lambda written: BESIDE_AN_ANSWER + len(written)
)


class AnswerWriter:
    """It writes the answers to one query, whose items have many values in common."""

    def __init__(self, query: Query, *, as_xml: bool) -> None:
        self._query = query
        self._as_xml = as_xml
        self._in_json = answer_json.JsonWriter(in_utf_8=True)
        self._reader = AnswerReader(in_utf_8=True)

    def write(self, row: Row) -> bytes:
        """Return the item's data set, written. Raises what `Query.parts` raises."""
        return _written.get((self._query.number, self._as_xml, row.pk), row, self._write)

    def _write(self, row: Row) -> bytes:
        answer = self._query.parts(row)
        if self._as_xml:
            return _in_xml(self._reader.read(answer.identifier))
        return self._in_json.write(answer).encode("utf-8")


def of_identifier(identifier: bytes) -> DataSet:
    """Return the data set of bytes in Explicit VR Little Endian, as it is said in UTF-8."""
    return answer_json.of_answer(identifier, in_utf_8=True)


def written(dataset: DataSet, *, as_xml: bool) -> bytes:
    if as_xml:
        return _in_xml(dataset)
    return json.dumps(dataset, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _in_xml(dataset: DataSet) -> bytes:
    return native_xml.document(dataset).encode("utf-8")


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
