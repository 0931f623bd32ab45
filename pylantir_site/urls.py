from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from pylantir_site.metrics.views import metrics
from pylantir_site.overview.health import Health, Live, Ready
from pylantir_site.rest.docs import ReDoc, Schema, SwaggerUI, redoc_script
from pylantir_site.rest.routes import route

admin.autodiscover()  # for the routes that follow
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include("accounts.oidc.urls")),  # before the admin, which takes whatever lies below it
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("worklist.urls")),
    path("", include("sources.urls")),
    path("", include("archives.urls")),
    *route("health", Health.as_view(), "health"),
    *route("health/live", Live.as_view(), "live"),
    *route("health/ready", Ready.as_view(), "ready"),
    *route("metrics", metrics, "metrics"),
    *route("openapi.json", Schema.as_view(), "schema"),
    *route("docs", SwaggerUI.as_view(), "docs"),
    path("redoc/script.js", redoc_script, name="redoc-script"),
    *route("redoc", ReDoc.as_view(), "redoc"),
]

handler400 = "pylantir_site.overview.error_pages.bad_request"
handler403 = "pylantir_site.overview.error_pages.forbidden"
handler404 = "pylantir_site.overview.error_pages.not_found"
handler500 = "pylantir_site.overview.error_pages.server_error"
