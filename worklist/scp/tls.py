"""The TLS side of an association."""

from __future__ import annotations

import ssl

from cryptography import x509
from pynetdicom.association import Association


def peer_subject(association: Association) -> x509.Name | None:
    """The subject of the client's certificate, which was verified; None without TLS or without one."""
    transport = association.dul.socket
    connection = transport.socket if transport is not None else None
    if not isinstance(connection, ssl.SSLSocket):
        return None
    encoded = connection.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(encoded).subject if encoded else None
