"""KeyedPseudonyms are made from a key (HMAC, RFC 2104), so that each export of a site gives the same ones.

Whoever has the key can tell whose a known ID's pseudonym is; without it nothing leads back.
"""

from __future__ import annotations

import hmac
import uuid
from functools import lru_cache

from django.conf import settings

from pylantir_site.environment.secret_key import kept_export_key

SHIFT_DAYS = 365  # at most, to either side
# Crockford's alphabet, for people read them aloud; all capitals, for some file systems do not tell case.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 16  # of 5 bits: among a million participants two share one with a chance of 4 in 10**13
_REMEMBERED = 10_000


class KeyedPseudonyms:
    """These are the pseudonyms under one key; an empty value has none."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        # A participant, and a study, has many rows.
        self.participant = lru_cache(_REMEMBERED)(self._participant)
        self.uid = lru_cache(_REMEMBERED)(self._uid)
        self.days = lru_cache(_REMEMBERED)(self._days)

    @classmethod
    def of_this_site(cls) -> KeyedPseudonyms:
        """Return those of this site. Raises ImproperlyConfigured where its key cannot be read or made."""
        return cls((settings.EXPORT_KEY or kept_export_key(settings.DATA_DIR)).encode())

    @property
    def order(self) -> bytes:
        """Return what an order of rows is made from that tells nothing of them."""
        return self._digest("order", "")

    def _participant(self, patient_id: str) -> str | None:
        """Return `P` and 16 letters and digits: no program takes it for a number."""
        return self._written("P", "participant", patient_id) if patient_id else None

    def key(self, table: str, key: int) -> str:
        """Return the pseudonym of a row's key, beginning with the first letter of the table's name."""
        return self._written(table[0].upper(), table, str(key))

    def _uid(self, uid: str) -> str | None:
        """Return a UID under 2.25, of a UUID of version 8 (PS3.5 B.2, RFC 9562 5.8)."""
        if not uid:
            return None
        bits = int.from_bytes(self._digest("uid", uid)[:16])
        bits = bits & ~(0xF << 76) | (8 << 76)
        bits = bits & ~(0x3 << 62) | (2 << 62)
        return f"2.25.{uuid.UUID(int=bits).int}"

    def _days(self, patient_id: str) -> int:
        """Return by how many days the participant's dates are shifted: 1 to 365, to either side."""
        chosen = int.from_bytes(self._digest("days", patient_id)[:8]) % (2 * SHIFT_DAYS)
        return chosen - SHIFT_DAYS if chosen < SHIFT_DAYS else chosen - SHIFT_DAYS + 1

    def _written(self, prefix: str, kind: str, value: str) -> str:
        bits = int.from_bytes(self._digest(kind, value)[:10])
        return prefix + "".join(_ALPHABET[bits >> 5 * place & 31] for place in range(_LENGTH))

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{value}".encode(), "sha256")
