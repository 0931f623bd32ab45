"""What must not reach a log."""

from __future__ import annotations

import logging
import re
import traceback

_TYPED = re.compile(
    r"(/sources/[^/]+/trigger/|^/(?:attention|performed-steps|sources|users|worklist)/)[^/?]+"
)


class WithoutWhatWasTyped(logging.Filter):
    """Shortens the paths that Django logs when it refuses one.

    Where a Data Entry Trigger has its secret, or the API an id, someone may have typed a name.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _TYPED.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


def traceback_of(error: Exception) -> str:
    """Type and traceback; an exception's own text may hold a participant's data."""
    return "".join([type(error).__name__, "\n", *traceback.format_tb(error.__traceback__)]).rstrip()
