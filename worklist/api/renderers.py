"""Items are rendered in other forms than plain JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer

from pylantir_site.outside import spreadsheets
from worklist.items.fields import FIELDS


class WrittenAnswers(list[str]):
    """Data sets, each written as a JSON object."""


class DicomJSONRenderer(JSONRenderer):
    """Data sets are rendered as a list in the DICOM JSON Model (PS3.18 F.2), as scanners are answered."""

    media_type = "application/dicom+json"
    format = "dicom"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        if isinstance(data, WrittenAnswers):
            return f"[{','.join(data)}]".encode()
        rendered: bytes = super().render(data, accepted_media_type, renderer_context)
        return rendered


class CSVRenderer(BaseRenderer):
    """Each item is a line, after a first line of field names (RFC 4180)."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        written = StringIO()
        writer = csv.writer(written)
        writer.writerow(FIELDS)
        columns = [_cells([row[name] for row in data]) for name in FIELDS]
        writer.writerows(zip(*columns, strict=True))
        return written.getvalue()


def _cells(values: Sequence[Any]) -> Sequence[Any]:
    """Keep each cell of a column from being a formula for a spreadsheet (OWASP, CSV injection).

    Of a column's kinds there are one or two, and of its texts few: they are looked at, and not each cell.
    """
    if any(issubclass(kind, dict) for kind in set(map(type, values))):
        values = [_as_text(value) if isinstance(value, dict) else value for value in values]
    texts = {cell for cell in set(values) if isinstance(cell, str)}
    if not spreadsheets.may_run("".join(texts)):
        return values
    guarded = {text: spreadsheets.guarded(text) for text in texts}
    return [guarded[cell] if isinstance(cell, str) else cell for cell in values]


def _as_text(attributes: dict[str, Any]) -> str:
    return json.dumps(attributes, ensure_ascii=False) if attributes else ""
