"""A REDCap server, or something in front of it, fails in these ways: something comes instead of an answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto

from tests.redcap.answers import Answer, in_json

HTML = "text/html; charset=utf-8"
OUT_OF_MEMORY_TEXT = (
    "REDCap ran out of server memory. The request cannot be processed."
    " Please try importing/exporting a smaller amount of data."
)


class Failure(Enum):
    """GZIP, BOM and LATIN1 are the right answer, encoded in an odd but valid way."""

    EMPTY_500 = auto()
    PROXY_502 = auto()
    PROXY_503 = auto()
    PROXY_504 = auto()
    TIMEOUT_408 = auto()
    TOO_MANY_429 = auto()
    BANNED_403 = auto()
    FORBIDDEN_403 = auto()
    UNAUTHORISED_401 = auto()
    LOGIN_PAGE_401 = auto()  # these six are of something in front, not of REDCap
    FIREWALL_PAGE_403 = auto()
    FIREWALL_EMPTY_403 = auto()
    GATEWAY_JSON_403 = auto()
    PROXY_LOGIN_407 = auto()
    UNAVAILABLE_451 = auto()
    TOO_LARGE_413 = auto()
    NOT_FOUND_404 = auto()
    NOT_IMPLEMENTED_501 = auto()
    BAD_REQUEST_400 = auto()
    REDIRECT = auto()
    TABS_BUG = auto()
    SSO_PAGE = auto()
    OFFLINE_PAGE = auto()
    OUT_OF_MEMORY = auto()
    OUT_OF_TIME = auto()  # PHP's own limit
    TOO_MUCH_DATA = auto()  # a page with 200
    ERROR_OBJECT_200 = auto()
    NOT_JSON_200 = auto()
    EMPTY_200 = auto()
    PHP_NOTICE = auto()  # before the right answer
    TRUNCATED_JSON = auto()
    MISSING_ROWS = auto()  # the second half of the rows
    UNEVEN_ROWS = auto()  # the last row lacks its last column
    INVALID_UTF8 = auto()
    GZIP = auto()
    BOM = auto()
    LATIN1 = auto()
    SHORT_BODY = auto()  # less than its Content-Length, then closed
    RESET = auto()  # after the headers
    SLOW_DRIP = auto()  # a byte at a time
    HANG = auto()  # until the server closes


ON_THE_WIRE = frozenset({Failure.SHORT_BODY, Failure.RESET, Failure.SLOW_DRIP, Failure.HANG})


def page(title: str, text: str, status: int) -> Answer:
    head, body = f"<head><title>{title}</title></head>", f"<body><h1>{title}</h1><p>{text}</p></body>"
    return Answer(status, f"<!DOCTYPE html>\n<html>{head}\n{body}</html>\n".encode(), HTML)


def _json(status: int, text: str) -> Answer:
    return Answer(status, in_json({"error": text}).encode(), "application/json; charset=utf-8")


BANNED = page(
    "REDCap",
    "Your IP address (127.0.0.1) has been banned by REDCap due to suspected abuse."
    " If you feel this was in error, contact your REDCap administrator.",
    403,
)
NOT_FOUND = page("404 Not Found", "The requested URL was not found on this server.", 404)
NOT_IMPLEMENTED = _json(501, "The requested method is not implemented.")
OUT_OF_MEMORY = Answer(
    200,
    b"<br />\n<b>Fatal error</b>:  Allowed memory size of 268435456 bytes exhausted"
    b" (tried to allocate 20480 bytes)"
    b" in <b>/var/www/redcap/redcap_v14.5.5/Classes/Records.php</b> on line <b>4711</b><br />\n"
    + in_json({"error": OUT_OF_MEMORY_TEXT}).encode(),
    HTML,
)

INSTEAD: dict[Failure, Answer] = {
    Failure.EMPTY_500: Answer(500),
    Failure.PROXY_502: page("502 Bad Gateway", "nginx", 502),
    Failure.PROXY_503: page("503 Service Unavailable", "No server is available to handle this.", 503),
    Failure.PROXY_504: page("504 Gateway Time-out", "nginx", 504),
    Failure.TIMEOUT_408: page("408 Request Timeout", "Server timeout waiting for the request.", 408),
    Failure.TOO_MANY_429: page("429 Too Many Requests", "Slow down.", 429),
    Failure.BANNED_403: BANNED,
    Failure.FORBIDDEN_403: _json(403, "You do not have permissions to use the API"),
    Failure.UNAUTHORISED_401: _json(401, "You do not have permissions to use the API"),
    Failure.LOGIN_PAGE_401: page("401 Authorization Required", "nginx", 401),
    Failure.FIREWALL_PAGE_403: page("Request Rejected", "Your support ID is: 4711", 403),
    Failure.FIREWALL_EMPTY_403: Answer(403),
    Failure.GATEWAY_JSON_403: Answer(403, b'{"message":"Forbidden"}', "application/json"),
    Failure.PROXY_LOGIN_407: page("407 Proxy Authentication Required", "squid", 407),
    Failure.UNAVAILABLE_451: page("451 Unavailable For Legal Reasons", "Not in your country.", 451),
    Failure.TOO_LARGE_413: page("413 Request Entity Too Large", "nginx", 413),
    Failure.NOT_FOUND_404: NOT_FOUND,
    Failure.NOT_IMPLEMENTED_501: NOT_IMPLEMENTED,
    Failure.BAD_REQUEST_400: _json(
        400, "The following values in the parameter \"fields\" are not valid: 'mri_date'"
    ),
    Failure.REDIRECT: Answer(302, headers=(("Location", "https://redcap.example.org/redcap/api/"),)),
    Failure.TABS_BUG: page(
        "REDCap",
        "It is possible that you have multiple browser tabs of the same REDCap page. If that is not the case,"
        " then please try your request again.",
        200,
    ),
    Failure.SSO_PAGE: page("Sign in to your account", "Example University Single Sign-On", 200),
    Failure.OFFLINE_PAGE: page("REDCap is offline", "REDCap is currently offline for maintenance.", 200),
    Failure.OUT_OF_MEMORY: OUT_OF_MEMORY,
    Failure.OUT_OF_TIME: Answer(
        200,
        b"<br />\n<b>Fatal error</b>:  Maximum execution time of 300 seconds exceeded"
        b" in <b>/var/www/redcap/redcap_v14.5.5/Classes/Records.php</b> on line <b>4711</b><br />\n",
        HTML,
    ),
    Failure.TOO_MUCH_DATA: page("Error", "You have requested too much data.", 200),
    Failure.ERROR_OBJECT_200: _json(200, 'The value of the parameter "content" is not valid'),
    Failure.NOT_JSON_200: Answer(200, b"OK", HTML),
    Failure.EMPTY_200: Answer(200),
}


def spoiled(answer: Answer, failure: Failure) -> Answer:
    """Return what comes instead of the right answer; those ON_THE_WIRE change nothing yet."""
    if failure in INSTEAD:
        return INSTEAD[failure]
    change = CHANGES.get(failure)
    return change(answer) if change else answer


def _after_notice(answer: Answer) -> Answer:
    notice = (
        b"<br />\n<b>Notice</b>:  Undefined index: pid in"
        b" <b>/var/www/redcap/redcap_v14.5.5/Config/init_project.php</b> on line <b>42</b><br />\n"
    )
    return replace(answer, body=notice + answer.body)


def _truncated(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[: max(len(answer.body) * 2 // 3, 1)])


def _without_rows(answer: Answer) -> Answer:
    rows = json.loads(answer.body)
    return replace(answer, body=in_json(rows[: len(rows) // 2]).encode())


def _uneven(answer: Answer) -> Answer:
    rows = json.loads(answer.body)
    rows[-1].popitem()
    return replace(answer, body=in_json(rows).encode())


def _gzipped(answer: Answer) -> Answer:
    return replace(
        answer,
        body=gzip.compress(answer.body),
        headers=(*answer.headers, ("Content-Encoding", "gzip")),
    )


def _latin1(answer: Answer) -> Answer:
    """Encode as Latin-1; what it lacks is escaped, as JSON allows."""
    text = answer.body.decode()
    escaped = "".join(each if ord(each) < 256 else json.dumps(each)[1:-1] for each in text)
    kind = answer.content_type.partition(";")[0]
    return replace(answer, body=escaped.encode("latin-1"), content_type=f"{kind}; charset=iso-8859-1")


CHANGES: dict[Failure, Callable[[Answer], Answer]] = {
    Failure.PHP_NOTICE: _after_notice,
    Failure.TRUNCATED_JSON: _truncated,
    Failure.MISSING_ROWS: _without_rows,
    Failure.UNEVEN_ROWS: _uneven,
    Failure.INVALID_UTF8: lambda answer: replace(_latin1(answer), content_type=answer.content_type),
    Failure.GZIP: _gzipped,
    Failure.BOM: lambda answer: replace(answer, body=b"\xef\xbb\xbf" + answer.body),
    Failure.LATIN1: _latin1,
}
