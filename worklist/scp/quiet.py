"""The libraries of the DICOM server log nothing of what a peer has sent."""

from __future__ import annotations

import logging

from pydicom import config


def quieten_libraries() -> None:
    """Take no peer's fault for an error of ours: each is told by who finds it, without values."""
    config.settings.reading_validation_mode = config.IGNORE
    for name in ("pynetdicom", "pydicom", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # What no line of the log shows is not looked up for each (Python's Logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
