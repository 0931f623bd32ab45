"""The subject of a client's certificate, as a device names the one that it is bound to (RFC 4514)."""

from __future__ import annotations

from collections import Counter

from cryptography.x509 import Name


def read(text: str) -> Name:
    """`CN=MR1,O=Hospital`. Raises ValueError with a sentence."""
    try:
        found = Name.from_rfc4514_string(text)
    except ValueError as error:
        raise ValueError(
            "Write the subject as in CN=MR1,O=Hospital: each part a name and a value."
        ) from error
    if not list(found):
        raise ValueError("Write at least one part, as in CN=MR1.")
    return found


def bears(subject: Name | None, wanted: str) -> bool:
    """Whether a certificate's subject has all parts that are wanted; without a certificate it has none."""
    if subject is None:
        return False
    return not Counter(_parts(read(wanted))) - Counter(_parts(subject))


def _parts(name: Name) -> list[tuple[str, str]]:
    return [(part.oid.dotted_string, str(part.value)) for part in name]
