"""A webhook is a signed POST to one address: no redirect and no proxy is followed, and time is bounded."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pylantir_site import __version__
from pylantir_site.notices.undelivered import Undelivered
from pylantir_site.outside.addresses import is_never_asked
from pylantir_site.outside.connecting import AddressRefused, connected

SECONDS = 10.0  # for all of it, from the connection to the answer's status
PORTS = {"http": 80, "https": 443}
REFUSED_ADDRESS = "The webhook's URL leads to an address that is never asked: link-local or a cloud's own."
UNREACHABLE = "The webhook's server cannot be reached."
TOO_SLOW = f"The webhook's server did not answer within {SECONDS:g} seconds."


def checked(url: str) -> SplitResult:
    """Return the URL's parts. Raises ValueError, which says what is wrong."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in PORTS and parts.hostname and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or re.search(r"[^!-~]|\\", url):
        raise ValueError("This must be a URL such as https://hooks.example.org/pylantir.")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("The URL must hold neither a user name nor a password nor #.")
    if parts.hostname and is_never_asked(parts.hostname):
        raise ValueError(REFUSED_ADDRESS)
    return parts


def signature(secret: str, timestamp: str, body: bytes) -> str:
    signed = timestamp.encode("ascii") + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def post(url: str, payload: dict[str, Any], *, secret: str, uid: str, now: datetime) -> None:
    """Send it. Raises Undelivered unless the answer's status is one of success."""
    body = json.dumps(payload).encode()
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"pylantir/{__version__}",
        "X-Pylantir-Delivery": uid,
        "X-Pylantir-Timestamp": timestamp,
        "X-Pylantir-Signature": signature(secret, timestamp, body),
        "Connection": "close",
    }
    try:
        status = _status_of_answer(checked(url), body, headers)
    except ssl.SSLCertVerificationError:
        raise Undelivered("The certificate of the webhook's server is not trusted.") from None
    except TimeoutError:
        raise Undelivered(TOO_SLOW) from None
    except ssl.SSLError:
        raise Undelivered("There is no secure connection to the webhook's server.") from None
    except OSError:
        raise Undelivered(UNREACHABLE) from None
    except (http.client.HTTPException, ValueError):
        raise Undelivered("The webhook's server did not answer as HTTP asks for.") from None
    if 300 <= status < 400:
        raise Undelivered(f"The webhook's server redirects ({status}): enter the address itself.")
    if not 200 <= status < 300:
        raise Undelivered(f"The webhook's server answered {status}.")


def _status_of_answer(parts: SplitResult, body: bytes, headers: dict[str, str]) -> int:
    host = parts.hostname or ""
    with _connected(host, parts.port or PORTS[parts.scheme]) as plain:
        sock = _secured(plain, host) if parts.scheme == "https" else plain
        with contextlib.closing(sock), _deadline(sock):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            # It is given its socket, so that what was looked at is what is spoken with.
            connection = http.client.HTTPConnection(host, parts.port)
            connection.sock = sock
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, {"Host": parts.netloc, **headers})
            return connection.getresponse().status


def _connected(host: str, port: int) -> socket.socket:
    """Connect to an address of the host, of which none may be one that is never asked."""
    try:
        return connected(host, port, timeout=SECONDS)
    except AddressRefused:
        raise Undelivered(REFUSED_ADDRESS) from None


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


@contextlib.contextmanager
def _deadline(sock: socket.socket) -> Iterator[None]:
    """End the connection after SECONDS: a server may send a byte now and then for ever."""
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # of TCP, for TLS would wait

    timer = threading.Timer(SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        if not is_over.is_set():
            raise
    finally:
        timer.cancel()
    if is_over.is_set():  # what was read of the answer by then may look whole
        raise TimeoutError
