"""Identifiers are made once, for an item whose writer gave none."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings

from worklist.models import WorklistItem

# Crockford's alphabet: read aloud and typed without mistakes.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS = 5  # of a letter
_STEM_LENGTH = 9  # 45 bits; with the longest prefix 12 of SH's 16 characters

# What an item is known by outside: given once, kept for ever.
MADE_ONCE = ("study_instance_uid", "scheduled_procedure_step_id")
PREFIXES = {
    "accession_number": "A",
    "requested_procedure_id": "RP",
    "scheduled_procedure_step_id": "SPS",
}


def new_uid() -> str:
    """Make a UID under 2.25 (PS3.5 B.2) or the site's own root, at most 64 characters long."""
    return uid_from(uuid.uuid4())


def uid_from(identity: uuid.UUID) -> str:
    """Return the UID of what a UUID identifies, the same one each time."""
    return f"{settings.PYLANTIR_UID_ROOT or '2.25'}.{identity.int}"


def new_stem() -> str:
    return _stem_of(secrets.randbits(_BITS * _STEM_LENGTH))


def stem_from(identity: uuid.UUID) -> str:
    """Return the stem of what a UUID identifies, the same one each time."""
    return _stem_of(identity.int)


def _stem_of(number: int) -> str:
    digits = (number >> (_BITS * place) for place in range(_STEM_LENGTH))
    return "".join(_ALPHABET[digit % len(_ALPHABET)] for digit in digits)


def give_all(item: WorklistItem, stem: str) -> frozenset[str]:
    """Give the item each identifier that it lacks: a new UID, and others made from the stem.

    Return the fields of those others.
    """
    item.study_instance_uid = item.study_instance_uid or new_uid()
    missing = frozenset(field for field in PREFIXES if not getattr(item, field))
    for field in missing:
        setattr(item, field, PREFIXES[field] + stem)
    return missing
