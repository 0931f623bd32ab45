"""A request's body is read here as the bytes of the data set that it is (PS3.18 8.6, 8.7.3)."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType

from pylantir_site.outside import strict_json
from pylantir_site.rest.parsing import BodyTooLarge
from worklist.dicom import json_encoding, native_xml
from worklist.dicom.json_encoding import DataSetRefused
from worklist.dicom.native_xml import XmlRefused
from worklist.dicomweb.media_types import JSON, PLAIN_JSON, XML, of_header

LONGEST_BODY = 8 * 1024 * 1024  # bytes: some fifty thousand images
MOST = strict_json.Most(objects=400_000, values=2_000_000)
NOT_ONE = "One data set is expected, alone or as the only one of a list."


def data_set(read: Callable[[int], bytes], content_type: str) -> bytes:
    """Return the data set in Explicit VR Little Endian.

    Raises UnsupportedMediaType, BodyTooLarge and ParseError, which says what is wrong where.
    """
    media_type, parameters = of_header(content_type)
    if media_type not in (JSON, PLAIN_JSON, XML):
        raise UnsupportedMediaType(media_type)
    body = read(LONGEST_BODY + 1)
    if len(body) > LONGEST_BODY:
        raise BodyTooLarge
    try:
        found = _xml(body) if media_type == XML else _json(body, parameters.get("charset", "utf-8"))
        return json_encoding.encoded(found)
    except (DataSetRefused, XmlRefused, strict_json.JsonRefused) as error:
        raise ParseError(str(error)) from error


def _json(body: bytes, charset: str) -> Any:
    if not _is_utf_8(charset):
        raise UnsupportedMediaType(f"{JSON}; charset={charset[:40]}")
    found = strict_json.loads(body, most=MOST)
    if isinstance(found, list):
        if len(found) != 1:
            raise ParseError(NOT_ONE)
        return found[0]
    return found


def _is_utf_8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in ("utf-8", "ascii")
    except LookupError:
        return False


def _xml(body: bytes) -> Any:
    return native_xml.read(body)
