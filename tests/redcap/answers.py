"""The stand-in REDCap's API takes parameters, and gives errors and answers in JSON, CSV and XML."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from html import escape
from typing import Literal
from urllib.parse import parse_qsl

Rows = Sequence[Mapping[str, object]]


class ApiError(Exception):
    """REDCap itself answers with this error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class OutOfMemory(Exception):
    """The answer is larger than the server's memory."""


DateRangeRows = Literal["all", "changed_only"]
RecordsPlusDateRange = Literal["and", "ignores_range", "ignores_records"]


@dataclass(frozen=True)
class Switches:
    """Nobody has written down which way REDCap does these: a client must work with all of them."""

    # Which rows of a changed record a date range gives.
    daterange_rows: DateRangeRows = "all"
    # What records[] and a date range mean together.
    records_plus_daterange: RecordsPlusDateRange = "and"
    # Whether a date range finds a deleted instance, a renamed record, another Data Access Group.
    quiet_changes: Literal["unseen", "seen"] = "unseen"
    # A checkbox on a form that was never opened.
    blank_checkbox: Literal["0", ""] = "0"
    # The rows of a record when nothing but the record ID field is asked for.
    id_only_rows: Literal["all", "first"] = "all"
    unknown_token_status: int = 403
    content_type: str = "application/json; charset=utf-8"


@dataclass
class Limits:
    """The server can take no more than this; None is no limit. They may be changed while it serves.

    `ban_over` is in requests per minute of the server's clock. An answer of more than `memory_limit` rows
    times columns, or to more than `record_limit` records with more than their IDs, ends in PHP running out of
    memory. Records in `dropped` are silently missing wherever records are asked for by ID, and columns in
    `left_out` wherever they are exported.
    """

    ban_over: int | None = None
    memory_limit: int | None = None
    record_limit: int | None = None
    dropped: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Parameters:
    """A request has a form: names are case sensitive, arrays in PHP's notation (`fields[]`, `fields[3]`)."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def parsed(cls, body: bytes) -> Parameters:
        return cls(tuple(parse_qsl(body.decode(errors="replace"), keep_blank_values=True)))

    def get(self, name: str, default: str = "") -> str:
        return self._by_name.get(name, default)

    def has(self, name: str) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return dict(self.pairs)

    def flag(self, name: str) -> bool:
        return self.get(name).lower() in {"true", "1"}

    def values(self, name: str) -> list[str]:
        """Return an array; a plain parameter is split at its commas."""
        array = [value for each, value in self.pairs if re.fullmatch(rf"{name}\[\w*\]", each)]
        return array or [value.strip() for value in self.get(name).split(",") if value.strip()]

    def date(self, name: str, *, strict: bool = True) -> datetime | None:
        """Return the server's wall time, or None where it is not given."""
        if not self.has(name):
            return None
        text = self.get(name)
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text):
                return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
        except ValueError:
            pass
        if not strict:
            return None
        raise ApiError(400, f'The value of the parameter "{name}" is not valid')

    def without_token(self) -> Parameters:
        return Parameters(tuple(pair for pair in self.pairs if pair[0] != "token"))

    @property
    def format(self) -> str:
        return self.get("format", "xml")

    @property
    def return_format(self) -> str:
        return self.get("returnFormat") or self.format


def in_json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def encoded(content: Rows | Mapping[str, object], form: str, *, item: str = "item") -> str:
    """Encode rows, or one object, in the format that was asked for."""
    if form == "json":
        return in_json(content)
    rows = [content] if isinstance(content, Mapping) else content
    return _csv(rows) if form == "csv" else _xml(rows, item)


def error(error: ApiError, form: str) -> str:
    match form:
        case "json":
            return in_json({"error": error.text})
        case "csv":
            return f"ERROR: {error.text}"
        case _:
            text = escape(error.text, quote=False)
            return f'<?xml version="1.0" encoding="UTF-8" ?><hash><error>{text}</error></hash>'


def _csv(rows: Rows) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]) if rows else [], lineterminator="\n")
    if rows:
        writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def _xml(rows: Rows, item: str) -> str:
    items = ("".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in row.items()) for row in rows)
    body = "".join(f"<{item}>{each}</{item}>" for each in items)
    return f'<?xml version="1.0" encoding="UTF-8" ?><records>{body}</records>'
