"""The DICOM server uses the cores that the machine gives it."""

from __future__ import annotations

import os

MOST = 4  # of more the database is what limits


def serving_processes() -> int:
    """Return how many processes of the DICOM server run unless a site says otherwise: one for each core."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    return min(cores, MOST)
