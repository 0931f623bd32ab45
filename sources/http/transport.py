"""Requests have time-outs, are tried again where time may mend them, and follow no redirect."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError

from pylantir_site import __version__
from pylantir_site.outside import answers as bounded
from pylantir_site.outside.connecting import AddressRefused, PinnedAdapter
from sources.errors import (
    ConfigurationError,
    OverloadError,
    SlowError,
    SourceError,
    TooMuchError,
    TransientError,
)
from sources.http.address import leads_where_nobody_asks
from sources.http.limiter import limiter_of
from sources.http.words import ServerWords

Found = TypeVar("Found")
# Some firewalls refuse the name that `requests` gives itself.
USER_AGENT = f"pylantir/{__version__}"
_UNVERIFIED = re.compile(r"certificate verify failed: ([^(\[]{1,120})")


class ServerAccess(Protocol):
    """It says how to ask a server; times are in seconds, and requests are counted in any minute."""

    @property
    def url(self) -> str: ...
    @property
    def ca_bundle(self) -> str: ...
    @property
    def read_timeout(self) -> float: ...
    @property
    def connect_timeout(self) -> float: ...
    @property
    def requests_per_minute(self) -> int: ...
    @property
    def attempts(self) -> int: ...
    @property
    def pause(self) -> float:
        """Return how long to wait before the second attempt; then it is twice as long each time."""

    @property
    def most_megabytes(self) -> int:
        """Return how large an answer may be, as it came and inflated."""


@dataclass(frozen=True)
class HttpRequest:
    """Its fields and credentials are secrets: no representation shows them."""

    method: str
    url: str
    fields: Mapping[str, str] | None = field(default=None, repr=False)
    credentials: tuple[bytes, bytes] | None = field(default=None, repr=False)  # of HTTP Basic
    accept: str = "*/*"
    bearer: str = field(default="", repr=False)  # a token of RFC 6750

    @property
    def authentication(self) -> AuthBase:
        """Return what says who asks; nothing of a .netrc goes with the request."""
        if self.credentials:
            return HTTPBasicAuth(*self.credentials)
        return BearerAuth(self.bearer)


class BearerAuth(AuthBase):
    """It adds a token, or nothing where there is none."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class HttpTransport:
    """It is one session with one server. `wait` gets each pause, so that a caller may do more than sleep."""

    def __init__(self, access: ServerAccess, server: ServerWords, wait: Callable[[float], None]) -> None:
        self.server = server
        self.wait = wait
        self.requests = 0
        self.skew: timedelta | None = None
        self._access = access
        self.session = requests.Session()
        self.session.headers["User-Agent"] = USER_AGENT
        self.session.headers["Accept-Encoding"] = bounded.ACCEPTED
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, PinnedAdapter())
        self._is_allowed = False

    def close(self) -> None:
        self.session.close()

    def ask_for(
        self, request: HttpRequest, read: Callable[[int, bytes], Found], *, is_divisible: bool = False
    ) -> Found:
        """Return what `read` makes of status and body. Raises SourceError.

        `is_divisible`: less can be asked for.
        """
        for attempt in count(1):
            try:
                return read(*self._send(request))
            except TransientError as error:
                if attempt >= self._attempts(error, is_divisible=is_divisible):
                    if is_divisible:  # the caller goes on, and may have waited for long
                        self.wait(0)
                    raise
            self.wait(self._access.pause * 2 ** (attempt - 1) * random.uniform(1, 1.5))  # noqa: S311  (spread)
        raise AssertionError("`count` does not end.")

    def _attempts(self, error: TransientError, *, is_divisible: bool) -> int:
        """Return how often to ask in all: where less can be asked for, that is tried before patience."""
        if isinstance(error, TooMuchError) or (is_divisible and isinstance(error, SlowError)):
            return 1
        if is_divisible and isinstance(error, OverloadError):
            return min(2, self._access.attempts)
        return self._access.attempts

    def _send(self, request: HttpRequest) -> tuple[int, bytes]:
        """Return status and body. No error of `requests` leaves it, for such an error holds secrets."""
        access, name = self._access, self.server.name
        self._refuse_what_nobody_asks()
        limiter_of(urlsplit(access.url).netloc).take(access.requests_per_minute, self.wait)
        self.requests += 1
        try:
            response = self.session.request(
                request.method,
                request.url,
                data=request.fields,
                auth=request.authentication,
                headers={"Accept": request.accept},
                timeout=(access.connect_timeout, access.read_timeout),
                allow_redirects=False,
                verify=access.ca_bundle or True,
                stream=True,
            )
            with response:
                self._note_clock(response)
                self._refuse_redirect(response, request.url)
                return response.status_code, self._read(response)
        except AddressRefused:
            raise ConfigurationError(self.server.nobody_asks) from None
        except requests.exceptions.SSLError as error:
            raise self._tls_error(str(error)) from None
        except requests.exceptions.ConnectTimeout:
            raise TransientError(f"The connection to {name} failed: nobody answers there.") from None
        except (requests.exceptions.Timeout, ReadTimeoutError):
            raise SlowError(f"{name} did not answer within {access.read_timeout:g} seconds.") from None
        except HTTPError:  # urllib3's, of reading the body
            raise OverloadError(f"{name}'s answer broke off.") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema):
            raise ConfigurationError(f"The {self.server.address} is not one.") from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise self._connection_error(error) from None
        except requests.exceptions.RequestException as error:
            raise TransientError(f"The request to {name} failed: {type(error).__name__}.") from None
        except OSError:  # requests' own word for a bundle that is not there
            raise ConfigurationError("The CA bundle cannot be read.") from None

    def _read(self, response: requests.Response) -> bytes:
        """Read all of it within bounds: a server may send a byte a second, or a gigabyte in a megabyte."""
        access, name = self._access, self.server.name
        try:
            return bounded.read(
                lambda length: response.raw.read1(length, decode_content=False),
                response.headers,
                most=access.most_megabytes * bounded.MEGABYTE,
                ends_at=time.monotonic() + access.read_timeout,
            )
        except bounded.AnswerTooSlow:
            raise SlowError(f"{name}'s answer came too slowly.") from None
        except bounded.AnswerTooLarge:
            raise TooMuchError(
                f"{name}'s answer is larger than {access.most_megabytes} megabytes: nothing of it was "
                f"used. {self.server.less}, or set SOURCE_ANSWER_MEGABYTES."
            ) from None
        except bounded.AnswerDamaged as error:
            raise OverloadError(f"{name}'s answer {error}.") from None

    def _refuse_what_nobody_asks(self) -> None:
        """Refuse such addresses before the first request, too, which a proxy may make."""
        if not self._is_allowed and leads_where_nobody_asks(self._access.url):
            raise ConfigurationError(self.server.nobody_asks)
        self._is_allowed = True

    def _note_clock(self, response: requests.Response) -> None:
        try:
            theirs = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError, TypeError):
            return
        if theirs.tzinfo is not None:
            self.skew = theirs - datetime.now(UTC)

    def _refuse_redirect(self, response: requests.Response, url: str) -> None:
        if 300 <= response.status_code < 400:
            location = response.headers.get("Location", "").partition("?")[0]
            target = urljoin(url, location) if location else "another address"
            raise ConfigurationError(f"Your {self.server.address} redirects to {target}: {self.server.moved}")

    def _connection_error(self, error: requests.exceptions.RequestException) -> TransientError:
        """Tell a server that is not there from one that hung up over the request."""
        if error.args and isinstance(error.args[0], MaxRetryError):
            return TransientError(f"The connection to {self.server.name} failed.")
        return OverloadError(f"The connection to {self.server.name} failed before its answer came.")

    def _tls_error(self, said: str) -> SourceError:
        """Return an error with what OpenSSL says, which names certificates and hosts alone."""
        match = _UNVERIFIED.search(said)
        if match:
            return ConfigurationError(
                f"The server's certificate is not trusted ({match[1].strip()}): "
                "if it is the institution's own, name its CA bundle."
            )
        if "EOF" in said:
            return TransientError(f"The connection to {self.server.name} failed.")
        return ConfigurationError(
            "There is no secure connection: does this URL speak TLS, and the CA bundle hold?"
        )
