"""A connection goes to an address that was looked at: a name is looked up once, and cannot change after."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from pylantir_site.outside.addresses import is_never_asked


class AddressRefused(Exception):
    """The host's name leads to an address that no client of ours asks. It is no OSError: nobody retries."""


def connected(host: str, port: int, *, timeout: float | None = None) -> socket.socket:
    """Return a connection to one of the host's addresses, of which none may be one that is never asked.

    `timeout` is in seconds, for all addresses together. Raises AddressRefused and OSError.
    """
    ends_at = None if timeout is None else time.monotonic() + timeout
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if any(is_never_asked(str(address[0])) for *_, address in found):
        raise AddressRefused
    last: OSError = OSError("The name has no address.")
    for place, (family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            # Of what is left each address has its share: the first may be one where nobody answers.
            left = None if ends_at is None else (ends_at - time.monotonic()) / (len(found) - place)
            sock.settimeout(None if left is None else max(0.001, left))
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last


class PinnedAdapter(HTTPAdapter):
    """Sessions of `requests` connect through it. Raises AddressRefused, besides what `requests` raises.

    A proxy that the environment names is the site's own choice, and looks names up itself.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class _Pinned(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        """Connect as urllib3 does, with its errors."""
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        try:
            sock = connected(self._dns_host, self.port or self.default_port, timeout=timeout)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "The connection timed out.") from error
        except OSError as error:
            raise NewConnectionError(self, "A new connection failed.") from error
        for option in self.socket_options or ():
            with contextlib.suppress(OSError):
                sock.setsockopt(*option)
        sock.settimeout(timeout)
        return sock


class _SecurePinned(_Pinned, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Pinned


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecurePinned
