from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from pylantir_site.overview.health import Health, Ready
from pylantir_site.rest.docs import ReDoc, Schema, SwaggerUI, redoc_script
from pylantir_site.rest.routes import route

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("worklist.urls")),
    path("", include("sources.urls")),
    *route("health", Health.as_view(), "health"),
    *route("health/ready", Ready.as_view(), "ready"),
    *route("openapi.json", Schema.as_view(), "schema"),
    *route("docs", SwaggerUI.as_view(), "docs"),
    path("redoc/script.js", redoc_script, name="redoc-script"),
    *route("redoc", ReDoc.as_view(), "redoc"),
]

handler400 = "pylantir_site.rest.handlers.bad_request"
handler404 = "pylantir_site.rest.handlers.not_found"
handler500 = "pylantir_site.rest.handlers.server_error"
