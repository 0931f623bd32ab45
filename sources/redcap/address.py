"""The address of a REDCap API."""

from __future__ import annotations


def normalise_url(text: str) -> str:
    return text
