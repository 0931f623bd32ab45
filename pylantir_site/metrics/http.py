"""Answers of the web server are counted, by method and status alone: a path may hold what somebody typed."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from pylantir_site.counting import measures

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class CountAnswers:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self._get_response(request)
        method = request.method if request.method in METHODS else measures.OTHER
        measures.HTTP_ANSWERS.add(str(method), str(response.status_code))
        measures.HTTP_SECONDS.observe(time.monotonic() - began, str(method))
        return response
