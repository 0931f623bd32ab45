"""The pages /docs, /redoc and /openapi.json are made of our own files alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.views import View
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.headers import PAGE, POLICY, header

# ReDoc makes style elements that are empty, which it fills by rules, and one with a text of its own.
REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)
BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
ITS_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"


class _Page(View):
    audited = False
    http_method_names = ["get", "head"]


@extend_schema(exclude=True)
class Schema(SpectacularJSONAPIView):
    audited = False
    http_method_names = ["get", "head"]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(_schema())


@extend_schema(exclude=True)
class SwaggerUI(_Page, SpectacularSwaggerSplitView):
    """It tries an endpoint with the token that is pasted into *Authorize*."""

    template_name = "rest/swagger.html"  # the package's own has its style within


@extend_schema(exclude=True)
class ReDoc(_Page, SpectacularRedocView):
    template_name = "rest/redoc.html"  # the package's own asks another host for fonts

    def get(self, *args: Any, **kwargs: Any) -> Any:
        response = super().get(*args, **kwargs)  # type: ignore[no-untyped-call]
        response[POLICY] = header({**PAGE, "style-src": " ".join((PAGE["style-src"], *REDOC_STYLES))})
        return response


def redoc_script(request: HttpRequest) -> HttpResponse:
    """Serve ReDoc's bundle without its logo, which it fetches from another host."""
    headers = {"Cache-Control": "max-age=86400"}
    return HttpResponse(_without_logo(), content_type="text/javascript", headers=headers)


@cache
def _schema() -> Any:
    """Make the schema once in each process: whoever asks for it need not be signed in."""
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


@cache
def _without_logo() -> bytes:
    bundle = finders.find(BUNDLE)
    return Path(str(bundle)).read_bytes().replace(ITS_LOGO, b"data:,")
