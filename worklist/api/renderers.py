"""Items are rendered in other forms than plain JSON."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer

from pylantir_site.outside import spreadsheets
from worklist.items.fields import FIELDS


class DicomJSONRenderer(JSONRenderer):
    """Data sets are rendered as a list in the DICOM JSON Model (PS3.18 F.2), as scanners are answered."""

    media_type = "application/dicom+json"
    format = "dicom"


class CSVRenderer(BaseRenderer):
    """Each item is a line, after a first line of field names (RFC 4180)."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        written = StringIO()
        writer = csv.writer(written)
        writer.writerow(FIELDS)
        writer.writerows([_cell(row[name]) for name in FIELDS] for row in data)
        return written.getvalue()


def _cell(value: Any) -> Any:
    """Keep a cell from being a formula for a spreadsheet (OWASP, CSV injection)."""
    if isinstance(value, str):
        return spreadsheets.guarded(value)
    if isinstance(value, dict):
        return spreadsheets.guarded(json.dumps(value, ensure_ascii=False)) if value else ""
    return value
