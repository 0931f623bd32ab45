"""The server and its associations speak TLS here (PS3.15 B: Secure TransportConnection Connection)."""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509

from pylantir_site.counting import certificates

logger = logging.getLogger(__name__)

SOON = timedelta(days=30)


class ClientCertificate(Enum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


VERIFICATION = {
    ClientCertificate.REQUIRED: ssl.CERT_REQUIRED,
    ClientCertificate.OPTIONAL: ssl.CERT_OPTIONAL,
    ClientCertificate.NONE: ssl.CERT_NONE,
}


class TlsFileUnusable(Exception):
    """A file cannot be used; the sentence says which, and why."""


class TlsFiles(NamedTuple):
    """These are PEM files. Without `key` it is in the certificate's file."""

    certificate: Path
    key: Path | None
    authorities: Path | None


def server_context(files: TlsFiles, client_certificate: ClientCertificate) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and later. Raises TlsFileUnusable."""
    if client_certificate is not ClientCertificate.NONE and files.authorities is None:
        raise TlsFileUnusable(
            "A client certificate is judged by the authorities that are trusted: give --tls-ca."
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # RFC 9325, 3.5; nothing here needs it
    _load_certificate(context, files)
    if files.authorities is not None:
        _load_authorities(context, files.authorities)
    context.verify_mode = VERIFICATION[client_certificate]
    return context


def warn_of_expiry(path: Path) -> datetime | None:
    """Log it where a certificate in the file ends soon; return when that is, None where it cannot be read."""
    ends = certificates.end_of(path)
    if ends is not None and ends < datetime.now(UTC) + SOON:
        has = "has expired" if ends < datetime.now(UTC) else "expires"
        logger.warning("The certificate %s %s on %s.", path, has, f"{ends:%Y-%m-%d}")
    return ends


def subject_of(certificate: bytes | None) -> x509.Name | None:
    """Return the subject of a certificate in DER, which was verified; None without one."""
    return x509.load_der_x509_certificate(certificate).subject if certificate else None


def _load_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    for path in filter(None, (files.certificate, files.key)):
        _readable(path)

    def no_password() -> str:
        raise TlsFileUnusable(
            f"The key {files.key or files.certificate} is encrypted: give one without a password."
        )

    try:
        context.load_cert_chain(files.certificate, files.key, no_password)
    except ssl.SSLError as error:
        key = files.key or files.certificate
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsFileUnusable(
                f"The key {key} is not that of the certificate {files.certificate}."
            ) from error
        raise TlsFileUnusable(
            f"{files.certificate} and {key} must hold a certificate and its key in PEM ({error.reason})."
        ) from error


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    _readable(path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise TlsFileUnusable(
            f"{path} must hold certificates of authorities in PEM ({error.reason})."
        ) from error


def _readable(path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise TlsFileUnusable(f"{path} cannot be read: {error.strerror}.") from error


def why(error: OSError) -> str:
    """Return why a handshake failed. OpenSSL's reasons are fixed words, nothing of what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "it said nothing in time"
    reason: Any = getattr(error, "reason", None)
    return REASONS.get(reason, str(reason or type(error).__name__).replace("_", " ").lower())


REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it sent no certificate",
    "HTTP_REQUEST": "it does not speak TLS",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "RECORD_LAYER_FAILURE": "it does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "it speaks no TLS of version 1.2 or later",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not accept this server's certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept this server's certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept this server's certificate",
}
