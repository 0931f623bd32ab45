"""The log says this of a request that was refused."""

from __future__ import annotations

import logging

from pylantir_site.rest.routes import without_what_was_typed


class WithoutWhatWasTyped(logging.Filter):
    """Shortens the paths that Django logs when it refuses one."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_what_was_typed(arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True
