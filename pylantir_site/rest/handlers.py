"""Where no endpoint answers, JSON is said below the API's paths, and Django's pages are shown elsewhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults

from pylantir_site.rest.routes import is_api

NOT_FOUND = "There is no such endpoint, or no such thing."
FAILED = "The server failed. Its log says where."
UNREADABLE = "The request cannot be read."


def bad_request(request: HttpRequest, exception: Exception, **kwargs: Any) -> HttpResponseBase:
    if is_api(request.path_info):
        return JsonResponse({"detail": UNREADABLE, "errors": {}}, status=400)
    return defaults.bad_request(request, exception, **kwargs)


def not_found(request: HttpRequest, exception: Exception, **kwargs: Any) -> HttpResponseBase:
    if is_api(request.path_info):
        return JsonResponse({"detail": NOT_FOUND}, status=404)
    return defaults.page_not_found(request, exception, **kwargs)


def server_error(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    if is_api(request.path_info):
        return JsonResponse({"detail": FAILED}, status=500)
    return defaults.server_error(request, **kwargs)
