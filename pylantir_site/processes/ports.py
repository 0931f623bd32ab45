"""Before anything is started, this module asks whether a server may listen where it was told to."""

from __future__ import annotations

import socket


def why_not_free(host: str, port: int) -> str:
    """Return what keeps a server from listening there; "" if nothing does."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        return f"{host} is not an address of this machine ({error.strerror})"
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as listener:
        # As servers do: a port whose last connections are still being closed is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(1)
        except OSError as error:
            return f"{host}:{port} cannot be used ({error.strerror})"
    return ""
