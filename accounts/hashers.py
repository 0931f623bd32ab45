"""Accounts that were imported from the original keep their password as it hashed it, until they sign in."""

from __future__ import annotations

import re

from django.contrib.auth.hashers import BCryptPasswordHasher

_HASH = re.compile(r"\$2[aby]\$(\d\d)(\$[./A-Za-z0-9]{53})", re.ASCII)
_ROUNDS = range(4, 17)  # each more doubles the time of a sign-in: 16 take some four seconds
_LONGEST = 72  # bytes: bcrypt sees no more


class OriginalBCryptHasher(BCryptPasswordHasher):
    """It cuts a password at 72 bytes, as the original did, where newer libraries refuse a longer one."""

    def encode(self, password: str, salt: str | bytes) -> str:
        library = self._load_library()  # type: ignore[attr-defined]
        hashed = library.hashpw(password.encode()[:_LONGEST], salt)
        return f"{self.algorithm}${hashed.decode('ascii')}"


def encoded(original: str) -> str:
    """Return the original's hash as an account keeps it. Raises ValueError for what is none."""
    match = _HASH.fullmatch(original)
    if not match or int(match[1]) not in _ROUNDS:
        raise ValueError
    # 2a and 2y are what other libraries wrote for the same; one alone comes back from a check.
    return f"{OriginalBCryptHasher.algorithm}$$2b${match[1]}{match[2]}"
