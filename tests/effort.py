"""This says how much is tried of what a test could try for ever: examples, rounds, records.

A usual run tries what finds faults soon; `make nightly` (NIGHTLY=1) tries the rest as well. What a test holds
is the same in both.
"""

from __future__ import annotations

import os

IS_NIGHTLY = os.environ.get("NIGHTLY", "0") != "0"


def tries(usual: int, *, nightly: int) -> int:
    return nightly if IS_NIGHTLY else usual
