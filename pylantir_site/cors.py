"""A site says which pages of other hosts a browser may let ask the API (Fetch, CORS protocol).

The configuration file's `api` object goes before the environment, as with the other settings of that file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from corsheaders.conf import conf
from corsheaders.middleware import ACCESS_CONTROL_ALLOW_HEADERS, CorsMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from pylantir_site.environment import env
from pylantir_site.rest.routes import is_api

# As the original documents them.
ORIGINS = ("http://localhost:3000", "http://localhost:8080")
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
ANY = "*"
EXPOSED = ("ETag", "Location", "Retry-After", "Warning", "X-Total-Count")
EVERY_METHOD = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# As a browser sends it: without a path, a user or a wildcard, in lower case.
_ORIGIN = re.compile(r"https?://([a-z0-9_-][a-z0-9_.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def cors_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of django-cors-headers.

    Raises ImproperlyConfigured, which names the key or variable.
    """
    api = config.get("api") or {}
    if not isinstance(api, dict):
        raise ImproperlyConfigured("PYLANTIR_CONFIG: api must be an object.")
    origins = [_origin(given, name) for given, name in _words(api, "cors_allowed_origins", ORIGINS)]
    methods = [_token(given, name).upper() for given, name in _words(api, "cors_allow_methods", METHODS)]
    headers = [_token(given, name) for given, name in _words(api, "cors_allow_headers", (ANY,))]
    return {
        "CORS_ALLOWED_ORIGINS": [origin for origin in origins if origin != ANY],
        "CORS_ALLOW_ALL_ORIGINS": ANY in origins,
        "CORS_ALLOW_CREDENTIALS": _boolean(api, "cors_allow_credentials"),
        "CORS_ALLOW_METHODS": EVERY_METHOD if ANY in methods else methods,
        "CORS_ALLOW_HEADERS": headers,
        "CORS_EXPOSE_HEADERS": EXPOSED,
    }


class ApiCors(CorsMiddleware):
    """It holds for the API's paths alone, and with `*` allows every header that is asked for by name.

    Browsers take a `*` in the answer for a header of that name when credentials are allowed.
    """

    def is_enabled(self, request: HttpRequest) -> bool:
        return is_api(request.path_info)

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().add_response_headers(request, response)
        if ACCESS_CONTROL_ALLOW_HEADERS in response and ANY in conf.CORS_ALLOW_HEADERS:
            asked = request.headers.get("Access-Control-Request-Headers", "")
            names = [name.strip() for name in asked.split(",")]
            response[ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(filter(_TOKEN.fullmatch, names))
        return response


def _words(api: Mapping[str, Any], key: str, default: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each word with the name of what holds it."""
    words = api.get(key)
    if words is None:
        return [(word, key.upper()) for word in env.words(key.upper(), default)]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ImproperlyConfigured(f"PYLANTIR_CONFIG: api.{key} must be a list of texts.")
    return [(word, f"PYLANTIR_CONFIG: api.{key}") for word in words]


def _boolean(api: Mapping[str, Any], key: str) -> bool:
    value = api.get(key)
    if value is None:
        return env.boolean(key.upper(), default=True)
    if not isinstance(value, bool):
        raise ImproperlyConfigured(f"PYLANTIR_CONFIG: api.{key} must be true or false.")
    return value


def _origin(given: str, name: str) -> str:
    origin = given.removesuffix("/").lower()
    if origin != ANY and not _ORIGIN.fullmatch(origin):
        raise ImproperlyConfigured(
            f"{name}: {given} must be an origin such as https://dashboard.example.org."
        )
    return origin


def _token(given: str, name: str) -> str:
    if not _TOKEN.fullmatch(given):
        raise ImproperlyConfigured(f"{name}: {given} is no name of a method or a header.")
    return given
