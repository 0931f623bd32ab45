"""When certificates in a file end is read from the file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509


def end_of(path: Path) -> datetime | None:
    """Return when the first of the certificates in a PEM file ends that has not ended; None if unreadable.

    Where all have ended it is when the last did: a bundle of many authorities may hold some that are over.
    """
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):  # OpenSSL may take what this library does not
        return None
    ends = [each.not_valid_after_utc for each in found]
    coming = [end for end in ends if end > datetime.now(UTC)]
    return min(coming) if coming else max(ends, default=None)
