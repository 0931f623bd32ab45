"""What must not be read from a copy of the database is encrypted with FIELD_ENCRYPTION_KEYS (Fernet).

The first key encrypts, every key decrypts, so that keys can be changed. What no key decrypts is an error and
never a value: ciphertext must not be sent to a server as a token.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """None of the keys is the one that this was encrypted with."""

    def __init__(self) -> None:
        super().__init__(
            "It cannot be decrypted: FIELD_ENCRYPTION_KEYS lacks the key that it was saved with. "
            "Give that key back, or enter the secret again."
        )


def encrypt(secret: str) -> str:
    return encrypt_bytes(secret.encode()).decode("ascii")


def decrypt(cipher: str) -> str:
    """Return the secret. Raises CannotDecrypt."""
    try:
        return decrypt_bytes(cipher.encode("ascii")).decode()
    except UnicodeEncodeError:
        raise CannotDecrypt from None


def encrypt_bytes(content: bytes) -> bytes:
    """Return the content encrypted, in a third more bytes of ASCII."""
    return _keys().encrypt(content)


def decrypt_bytes(cipher: bytes) -> bytes:
    """Return the content. Raises CannotDecrypt."""
    try:
        return _keys().decrypt(cipher)
    except InvalidToken:
        raise CannotDecrypt from None


def digests(purpose: str, *parts: str) -> tuple[str, ...]:
    """Return keyed digests (HMAC, RFC 2104) of a text, by the first key and then by those before it.

    Whoever has the database alone can try out nothing with them.
    """
    text = "\0".join(parts).encode()
    derived = (
        hmac.new(key.encode(), f"pylantir: {purpose}".encode(), hashlib.sha256).digest()
        for key in settings.FIELD_ENCRYPTION_KEYS
    )
    return tuple(hmac.new(key, text, hashlib.sha256).hexdigest() for key in derived)


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])
