"""POSTs to REDCap's API have time-outs, are tried again where time may mend them, and follow no redirect."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError

from pylantir_site import __version__
from sources.errors import (
    ConfigurationError,
    OverloadError,
    SlowError,
    SourceError,
    TooMuchError,
    TransientError,
)
from sources.redcap import answers
from sources.redcap.address import leads_to_link_local
from sources.redcap.limiter import limiter_of

Found = TypeVar("Found")
CHUNK = 65_536
# Some firewalls refuse the name that `requests` gives itself.
USER_AGENT = f"pylantir/{__version__}"
_UNVERIFIED = re.compile(r"certificate verify failed: ([^(\[]{1,120})")


@dataclass(frozen=True)
class Access:
    """It says where and how to ask; times are in seconds, and requests are counted in any minute."""

    url: str
    token: str = field(repr=False)
    ca_bundle: str = ""
    read_timeout: float = 120
    connect_timeout: float = 10
    requests_per_minute: int = 300
    batch_size: int = 100
    attempts: int = 4
    pause: float = 1.0  # before the second attempt; then twice as long each time


class Transport:
    """It is one session with one API. `wait` gets each pause, so that a caller may do more than sleep."""

    def __init__(self, access: Access, wait: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.wait = wait
        self.requests = 0
        self.skew: timedelta | None = None
        self.session = requests.Session()
        self.session.headers["User-Agent"] = USER_AGENT
        self._is_allowed = False

    def close(self) -> None:
        self.session.close()

    def ask(self, asked: str, fields: Mapping[str, str], *, is_divisible: bool = False) -> Any:
        """Return the JSON of the answer. Raises SourceError. `is_divisible`: less can be asked for."""
        return self._with_retries(
            fields,
            lambda status, body: answers.content_of(status, body, asked=asked),
            is_divisible=is_divisible,
        )

    def ask_text(self, asked: str, fields: Mapping[str, str]) -> str:
        return self._with_retries(
            fields, lambda status, body: answers.plain_text_of(status, body, asked=asked)
        )

    def _with_retries(
        self, fields: Mapping[str, str], read: Callable[[int, bytes], Found], *, is_divisible: bool = False
    ) -> Found:
        for attempt in count(1):
            try:
                return read(*self._post(fields))
            except TransientError as error:
                if attempt >= self._attempts(error, is_divisible=is_divisible):
                    if is_divisible:  # the caller goes on, and may have waited for long
                        self.wait(0)
                    raise
            self.wait(self.access.pause * 2 ** (attempt - 1) * random.uniform(1, 1.5))
        raise AssertionError("`count` does not end.")

    def _attempts(self, error: TransientError, *, is_divisible: bool) -> int:
        """Return how often to ask in all: where less can be asked for, that is tried before patience."""
        if isinstance(error, TooMuchError) or (is_divisible and isinstance(error, SlowError)):
            return 1
        if is_divisible and isinstance(error, OverloadError):
            return min(2, self.access.attempts)
        return self.access.attempts

    def _post(self, fields: Mapping[str, str]) -> tuple[int, bytes]:
        """Return status and body. No error of `requests` leaves it, for such an error holds the token."""
        access = self.access
        self._refuse_link_local()
        limiter_of(urlsplit(access.url).netloc).take(access.requests_per_minute, self.wait)
        body = {"token": access.token, "format": "json", "returnFormat": "json", **fields}
        self.requests += 1
        try:
            response = self.session.post(
                access.url,
                data=body,
                timeout=(access.connect_timeout, access.read_timeout),
                allow_redirects=False,
                verify=access.ca_bundle or True,
                stream=True,
            )
            with response:
                self._note_clock(response)
                _refuse_redirect(response, access.url)
                return response.status_code, self._read(response)
        except requests.exceptions.SSLError as error:
            raise _tls_error(str(error)) from None
        except requests.exceptions.ConnectTimeout:
            raise TransientError("The connection to REDCap failed: nobody answers there.") from None
        except (requests.exceptions.Timeout, ReadTimeoutError):
            raise SlowError(f"REDCap did not answer within {access.read_timeout:g} seconds.") from None
        except HTTPError:  # urllib3's, of reading the body
            raise OverloadError("REDCap's answer broke off.") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema):
            raise ConfigurationError("The API URL is not one.") from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise _connection_error(error) from None
        except requests.exceptions.RequestException as error:
            raise TransientError(f"The request to REDCap failed: {type(error).__name__}.") from None
        except OSError:  # requests' own word for a bundle that is not there
            raise ConfigurationError("The CA bundle cannot be read.") from None

    def _read(self, response: requests.Response) -> bytes:
        """Read all of it within the time-out, for a server may send a byte a second."""
        deadline = time.monotonic() + self.access.read_timeout
        parts = []
        while part := response.raw.read1(CHUNK, decode_content=True):
            parts.append(part)
            if time.monotonic() > deadline:
                raise SlowError("REDCap's answer came too slowly.")
        return b"".join(parts)

    def _refuse_link_local(self) -> None:
        """Refuse link-local addresses at each request too, for a name may come to mean one."""
        if not self._is_allowed and leads_to_link_local(self.access.url):
            raise ConfigurationError("The API URL leads to an address of a network link's own use.")
        self._is_allowed = True

    def _note_clock(self, response: requests.Response) -> None:
        try:
            theirs = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError, TypeError):
            return
        if theirs.tzinfo is not None:
            self.skew = theirs - datetime.now(UTC)


def _refuse_redirect(response: requests.Response, url: str) -> None:
    if 300 <= response.status_code < 400:
        location = response.headers.get("Location", "").partition("?")[0]
        target = urljoin(url, location) if location else "another address"
        raise ConfigurationError(
            f"Your API URL redirects to {target}: if that is REDCap's API, enter it instead; "
            "if it is a login page, the API must be let through without one."
        )


def _connection_error(error: requests.exceptions.RequestException) -> TransientError:
    """Tell a server that is not there from one that hung up over the request."""
    if error.args and isinstance(error.args[0], MaxRetryError):
        return TransientError("The connection to REDCap failed.")
    return OverloadError("The connection to REDCap failed before its answer came.")


def _tls_error(said: str) -> SourceError:
    """Return an error with what OpenSSL says, which names certificates and hosts alone."""
    match = _UNVERIFIED.search(said)
    if match:
        return ConfigurationError(
            f"The server's certificate is not trusted ({match[1].strip()}): "
            "if it is the institution's own, name its CA bundle."
        )
    if "EOF" in said:
        return TransientError("The connection to REDCap failed.")
    return ConfigurationError(
        "There is no secure connection: does this URL speak TLS, and the CA bundle hold?"
    )
