"""A backup or a restore ends in a sentence for the person who asked for it."""

from __future__ import annotations


class BackupError(Exception):
    """It says what is wrong and what to do; it holds no value of a row and no key."""
