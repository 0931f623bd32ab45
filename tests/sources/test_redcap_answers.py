"""A table says for each answer of a REDCap server the JSON it holds, or which error it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    OverloadError,
    SlowError,
    SourceError,
    TokenRefused,
    TooMuchError,
    TransientError,
)
from sources.redcap.answers import content_of, plain_text_of

SECRET = "Doe^Jane"
NO_PERMISSION = b'{"error":"You do not have permissions to use the API"}'
OUT_OF_MEMORY = b'{"error":"REDCap ran out of server memory. The request cannot be processed."}'
FATAL = b"<br />\n<b>Fatal error</b>:  Allowed memory size of 268435456 bytes exhausted (tried to allocate"
OUT_OF_TIME = b"<br />\n<b>Fatal error</b>:  Maximum execution time of 300 seconds exceeded in <b>/var"
NOTICE = b'<br />\n<b>Notice</b>: Undefined index <br />[{"record_id":"1","name":"Doe^Jane"}]'
TABS = b"<html><body>multiple browser tabs of the same REDCap page. If that is not the case</body></html>"
BANNED = b"<html><body>Your IP address (10.0.0.1) has been banned. Doe^Jane</body></html>"


def page(title: str) -> bytes:
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>Doe^Jane</body></html>".encode()


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"[]", []),
        (b' [{"record_id":"007"}]\n', [{"record_id": "007"}]),
        (b'\xef\xbb\xbf[{"a":"b"}]', [{"a": "b"}]),
        ('[{"name":"王小明 Zoë"}]'.encode(), [{"name": "王小明 Zoë"}]),
        (b'[{"name":"Zo\\u00eb \\ud83d\\ude00"}]', [{"name": "Zoë 😀"}]),
        (b'[{"weight":61.50,"count":7}]', [{"weight": "61.50", "count": 7}]),
        # What participants say is no error, whatever it says.
        (b'[{"note":"out of server memory"}]', [{"note": "out of server memory"}]),
        (b'[{"note":"IP address banned"}]', [{"note": "IP address banned"}]),
        (b'[{"error":"a field"}]', [{"error": "a field"}]),
        (b'[{"note":"<html><title>Login</title>"}]', [{"note": "<html><title>Login</title>"}]),
    ],
)
def test_the_json_of_a_good_answer_is_read_as_it_was_written(body: bytes, content: Any) -> None:
    assert content_of(200, body, asked="the records") == content


ERRORS = [
    # 200, and yet no answer
    pytest.param(200, b"", OverloadError, "is empty", id="empty"),
    pytest.param(200, b'[{"name":"Doe^Jane"},{', OverloadError, "cut off or damaged", id="truncated"),
    pytest.param(200, b'[{"note":"IP address banned"},{', OverloadError, "cut off", id="no ban"),
    pytest.param(200, NOTICE, TransientError, "a web page", id="PHP notice before JSON"),
    pytest.param(200, TABS, TransientError, "a web page", id="browser tabs"),
    pytest.param(200, page("Sign in"), TransientError, 'titled "Sign in"', id="SSO"),
    pytest.param(200, page("REDCap is offline"), TransientError, 'titled "REDCap is offline"', id="offline"),
    pytest.param(200, page("a" * 500), TransientError, '"a{100}"', id="long title"),
    pytest.param(200, b'[{"name":"Zo\xeb"}]', TransientError, "not UTF-8", id="Latin-1"),
    pytest.param(200, b'[{"name":"\\ud83d"}]', OverloadError, "damaged", id="half a character"),
    pytest.param(200, b'[{"weight":NaN}]', OverloadError, "damaged", id="NaN"),
    pytest.param(200, b"[" * 100_000, OverloadError, "damaged", id="depth"),
    pytest.param(200, b'{"error": "The value is not valid"}', ConfigurationError, "is not valid", id="error"),
    pytest.param(200, NO_PERMISSION, TokenRefused, "permissions", id="refused with 200"),
    # memory
    pytest.param(200, FATAL + OUT_OF_MEMORY, TooMuchError, "memory over the records", id="fatal, then JSON"),
    pytest.param(200, OUT_OF_MEMORY, TooMuchError, "memory", id="out of memory with 200"),
    pytest.param(400, OUT_OF_MEMORY, TooMuchError, "memory", id="out of memory with 400"),
    pytest.param(500, FATAL, TooMuchError, "memory", id="fatal with 500"),
    # redirects
    pytest.param(301, b"", ConfigurationError, "redirects", id="301"),
    pytest.param(302, page("Moved"), ConfigurationError, "redirects", id="302"),
    # what a person must mend
    pytest.param(400, b'{"error":"\'x\' is not valid"}', ConfigurationError, "'x' is not valid", id="400"),
    pytest.param(400, b"", ConfigurationError, r"refuses the records \(400\)", id="400 empty"),
    pytest.param(404, page("404 Not Found"), ConfigurationError, "/api/", id="404"),
    pytest.param(405, b"", ConfigurationError, "405", id="405"),
    pytest.param(406, b"", ConfigurationError, "406", id="406"),
    pytest.param(501, b'{"error":"It is not implemented."}', ConfigurationError, "not impl", id="501"),
    # the token, and a ban
    pytest.param(401, NO_PERMISSION, TokenRefused, "permissions", id="401"),
    pytest.param(403, NO_PERMISSION, TokenRefused, "permissions", id="403"),
    *(
        pytest.param(status, page("No"), TransientError, f'titled "No" came .*{status}', id=f"{status} page")
        for status in (401, 402, 403, 407, 418, 451, 460)
    ),
    pytest.param(403, b"", TransientError, "An empty answer came", id="403 empty"),
    pytest.param(403, b'{"message":"Forbidden"}', TransientError, "in front of", id="403 of a gateway"),
    pytest.param(403, b'{"error":{"code":7}}', TransientError, "in front of", id="403 of another shape"),
    pytest.param(401, b"Unauthorized", TransientError, "has refused nothing", id="401 of a gateway"),
    pytest.param(403, BANNED, AuthorisationError, "banned", id="ban"),
    pytest.param(200, BANNED, AuthorisationError, "banned", id="ban with 200"),
    pytest.param(403, b"Your IP address is banned.", AuthorisationError, "banned", id="ban in plain text"),
    pytest.param(403, b'{"error":"Your IP address was banned"}', AuthorisationError, "banned", id="in JSON"),
    pytest.param(200, b'[{"a":"too much data"},{', OverloadError, "cut off", id="no answer that says so"),
    # what time may mend
    *(
        pytest.param(status, page("Trouble"), TransientError, str(status), id=str(status))
        for status in (408, 425, 429)
    ),
    # what less may mend
    *(
        pytest.param(status, page("Trouble"), OverloadError, str(status), id=str(status))
        for status in (500, 502, 503, 507, 520, 599)
    ),
    pytest.param(504, page("Gateway Time-out"), SlowError, "504", id="504"),
    pytest.param(524, b"", SlowError, "524", id="524"),
    pytest.param(500, b"", OverloadError, "500", id="500 empty"),
    pytest.param(500, b'{"error":"Something"}', OverloadError, "Something", id="500 of REDCap"),
    pytest.param(502, b"\xff\xfe", OverloadError, "502", id="502 of no text"),
    pytest.param(200, '[{"a":"é'.encode()[:-1], OverloadError, "cut off", id="cut off within a character"),
    pytest.param(413, page("Too large"), TooMuchError, "too much", id="413"),
    pytest.param(413, b"", TooMuchError, "too much", id="413 empty"),
    pytest.param(200, b"<p>You asked for too much data.</p>", TooMuchError, "too much", id="a page says so"),
    pytest.param(200, OUT_OF_TIME, TooMuchError, "too much", id="out of time"),
    pytest.param(200, b"<br /><b>Fatal error</b>: Uncaught", OverloadError, "damaged", id="fatal, else"),
]


@pytest.mark.acceptance("RC71", "RC72", "RC73", "RC74", "RC75", "RC76", "RC104", "RC105")
@pytest.mark.parametrize(("status", "body", "kind", "said"), ERRORS)
def test_every_answer_has_its_class(status: int, body: bytes, kind: type[SourceError], said: str) -> None:
    with pytest.raises(SourceError, match=said) as raised:
        content_of(status, body, asked="the records")

    assert type(raised.value) is kind
    assert SECRET not in str(raised.value)
    assert "<" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.acceptance("RC76")
def test_a_ban_is_for_hours() -> None:
    with pytest.raises(AuthorisationError) as raised:
        content_of(403, BANNED, asked="the records")

    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= timedelta(hours=1)


def test_an_error_s_text_is_short_and_plain() -> None:
    body = b'{"error":"<b>Fields</b> &quot;x&quot; ' + b"y" * 5000 + b'"}'

    with pytest.raises(ConfigurationError, match='Fields "x"') as raised:
        content_of(400, body, asked="the records")

    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("body", [b"14.5.5", b" 14.5.5\n", b'"14.5.5"', b"\xef\xbb\xbf14.5.5"])
def test_the_version_is_plain_text(body: bytes) -> None:
    assert plain_text_of(200, body, asked="the version") == "14.5.5"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", OverloadError),
        (200, b"[]", TransientError),
        (200, page("Sign in"), TransientError),
        (403, NO_PERMISSION, TokenRefused),
        (404, page("404 Not Found"), ConfigurationError),
        (503, b"14.5.5", OverloadError),
    ],
)
def test_what_is_no_version_is_an_error(status: int, body: bytes, kind: type[SourceError]) -> None:
    with pytest.raises(SourceError) as raised:
        plain_text_of(status, body, asked="the version")

    assert type(raised.value) is kind
