"""This says how much is tried of what a test could try for ever: examples, rounds, records.

A usual run tries what finds faults soon; `make nightly` (NIGHTLY=1) tries the rest as well, and
`make torture` (TORTURE=1) breaks things as often as a bad year does. What a test holds is the same in all.
"""

from __future__ import annotations

import os

IS_TORTURE = os.environ.get("TORTURE", "0") != "0"
IS_NIGHTLY = os.environ.get("NIGHTLY", "0") != "0"


def tries(usual: int, *, nightly: int) -> int:
    return nightly if IS_NIGHTLY else usual


def rounds(usual: int, *, torture: int) -> int:
    """Return how often something is broken: once or twice in a usual run, many times in `make torture`."""
    return torture if IS_TORTURE or IS_NIGHTLY else usual
