"""A response's media type is chosen by what the user agent accepts (PS3.18 8.7, RFC 9110 12.5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from enum import Enum

JSON, XML = "application/dicom+json", "application/dicom+xml"
RELATED = "multipart/related"
PLAIN_JSON = "application/json"
MOST_RANGES = 50
CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "*"})


class Form(Enum):
    """A response has one of these forms, the default first (PS3.18 Table 14.1.3-1)."""

    JSON = JSON
    XML = XML
    JSON_PARTS = f'{RELATED}; type="{JSON}"'
    XML_PARTS = f'{RELATED}; type="{XML}"'

    @property
    def is_xml(self) -> bool:
        return self in (Form.XML, Form.XML_PARTS)

    @property
    def is_in_parts(self) -> bool:
        return self in (Form.JSON_PARTS, Form.XML_PARTS)


@dataclass(frozen=True)
class MediaRange:
    """A user agent accepts this with a weight from 0 to 1; parameters have names in small letters."""

    name: str
    parameters: dict[str, str]
    weight: float

    def fit(self, form: Form) -> int:
        """Return how closely the range names the form: 0 where it does not."""
        if self._has_another_charset:
            return 0
        if self.name == RELATED:
            wanted = self.parameters.get("type", "").lower()
            return 3 if form.is_in_parts and f'{RELATED}; type="{wanted}"' == form.value else 0
        if self.name == PLAIN_JSON:
            return 2 if form is Form.JSON else 0
        if form.is_in_parts:
            return 1 if self.name in ("*/*", "multipart/*") else 0
        if self.name == form.value:
            return 3
        return {"application/*": 2, "*/*": 1}.get(self.name, 0)

    @property
    def _has_another_charset(self) -> bool:
        return self.parameters.get("charset", "utf-8").lower() not in CHARSETS


def negotiated(accepted: str) -> Form | None:
    """Return the best form for the value of Accept, empty for anything; None where there is none."""
    ranges = parsed(accepted) or [MediaRange("*/*", {}, 1.0)]
    best, most = None, 0.0
    for form in Form:
        closest = max(ranges, key=lambda each: (each.fit(form), each.weight))
        weight = closest.weight if closest.fit(form) else 0.0
        if weight > most:
            best, most = form, weight
    return best


def parsed(accepted: str) -> list[MediaRange]:
    """Return the ranges in order; what is no media range is left out."""
    parts = re.findall(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+', accepted)[:MOST_RANGES]
    return [found for part in parts if (found := _range(part.strip())) is not None]


def _range(written: str) -> MediaRange | None:
    name, parameters = of_header(written)
    if not re.fullmatch(r"[^\s/;,\"]+/[^\s/;,\"]+", name):
        return None
    weight = parameters.pop("q", "1")
    is_weight = re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", weight)
    return MediaRange(name, parameters, float(weight) if is_weight else 0.0)


def of_header(written: str) -> tuple[str, dict[str, str]]:
    """Return the media type in small letters, and its parameters without quotes."""
    message = Message()
    message["Content-Type"] = " ".join(written.split())
    pairs = message.get_params(failobj=[], unquote=True) or [("", "")]
    return pairs[0][0].strip().lower(), {str(name).lower(): str(value) for name, value in pairs[1:]}
