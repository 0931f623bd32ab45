"""The log says this of a request that was refused."""

from __future__ import annotations

import logging
from http import HTTPStatus

from pylantir_site.rest.routes import without_what_was_typed


class OneLineEach(logging.Filter):
    """A request that is refused is one line in the log: what a client sends is no failure of the server's.

    It stands at a handler, for a logger's filter does not hear what comes from the loggers below it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", None)
        if not isinstance(status, int) or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return True
        record.exc_info = record.exc_text = None
        request = getattr(record, "request", None)
        if not record.name.startswith("django.security"):
            return not getattr(request, "is_told", False)
        if request is not None:
            request.is_told = True  # Django will tell of the answer, too, and with less
        return True


class WithoutWhatWasTyped(logging.Filter):
    """Shortens the paths that Django logs when it refuses one."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_what_was_typed(arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True
