"""The log tells a fault of the database at once, and then each minute how often it came again."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Lock

from pylantir_site.database import faults
from pylantir_site.environment.logs import traceback_of

WINDOW = 60.0  # seconds


@dataclass
class _FaultTold:
    """A sentence was told in a window, and has come so many times since."""

    logger: logging.Logger
    sentence: str
    until: float
    again: int = 0


class FaultLog:
    """A fault log tells the same sentence once in a window, and at the window's end how often it came."""

    def __init__(self, *, window: float = WINDOW) -> None:
        self._window = window
        self._lock = Lock()
        self._told: dict[tuple[str, str], _FaultTold] = {}

    def tell(self, logger: logging.Logger, what: str, error: BaseException) -> None:
        """Tell what cannot be done and why, or count it: "WHAT: the database is locked."."""
        self.sweep()
        sentence = f"{what}: {faults.told(error)}"
        with self._lock:
            told = self._told.get((logger.name, sentence))
            if told is not None:
                told.again += 1
                return
            self._told[logger.name, sentence] = _FaultTold(logger, sentence, time.monotonic() + self._window)
        logger.error("%s.", sentence)

    def tell_failure(self, logger: logging.Logger, what: str, error: Exception) -> None:
        """Tell a fault as `tell` does, and of anything else where in the code it was raised, each time."""
        if faults.fault_of(error):
            self.tell(logger, what, error)
        else:
            logger.error("%s: %s", what, traceback_of(error))

    def sweep(self) -> None:
        """Tell how often each came again whose window is over; ask it now and then.

        A window in which it came again is followed by another, for the fault may last.
        """
        if not self._told:  # as nearly always
            return
        now = time.monotonic()
        with self._lock:
            over = {key: told for key, told in self._told.items() if told.until <= now}
            for key, told in over.items():
                del self._told[key]
                if told.again:
                    self._told[key] = _FaultTold(told.logger, told.sentence, now + self._window)
        for told in over.values():
            if told.again:
                told.logger.error("%s; %d more times within %.0f s.", told.sentence, told.again, self._window)


class WithoutFaults(logging.Filter):
    """Leaves out what Django says of a request that failed for the database's sake: it is told already."""

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(getattr(record, "request", None), "database_fault"):  # by overview.unavailable
            return False
        error = record.exc_info[1] if record.exc_info else None
        return faults.fault_of(error) is None


class FaultsInWords(logging.Filter):
    """Tells a fault that a library would log with its traceback, whose text may name hosts, as we do."""

    def filter(self, record: logging.LogRecord) -> bool:
        raised = record.msg if isinstance(record.msg, BaseException) else None
        error = record.exc_info[1] if record.exc_info else raised
        if error is None or faults.fault_of(error) is None:
            return True
        what = "It failed" if raised else record.getMessage()
        log.tell(logging.getLogger(record.name), what, error)
        return False


log = FaultLog()
