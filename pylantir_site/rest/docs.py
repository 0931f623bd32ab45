"""/docs, /redoc and /openapi.json, all from our own files."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerView


@extend_schema(exclude=True)
class Schema(SpectacularJSONAPIView):
    audited = False


@extend_schema(exclude=True)
class SwaggerUI(SpectacularSwaggerView):
    audited = False


@extend_schema(exclude=True)
class ReDoc(SpectacularRedocView):
    audited = False
    template_name = "rest/redoc.html"  # the package's own asks another host for fonts
