"""A session that cannot be written does not undo what a request has done."""

from __future__ import annotations

import logging

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import Error
from django.http import HttpRequest, HttpResponse

from pylantir_site.database import fault_log
from pylantir_site.database.faults import fault_of

log = logging.getLogger(__name__)


class SessionsOfAnyDatabase(SessionMiddleware):
    """Django's own, but that the answer goes out where a known session cannot be written.

    It then loses its last message, or the moment of its last use; a session that is new, as that of a
    sign-in, fails the request as ever.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        was_known = request.COOKIES.get(settings.SESSION_COOKIE_NAME) == request.session.session_key
        try:
            return super().process_response(request, response)
        except Error as error:
            if not was_known or fault_of(error) is None:
                raise
            fault_log.log.tell(log, "A session cannot be written", error)
            return response
