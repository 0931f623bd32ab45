from __future__ import annotations

from django.urls import re_path

from sources import views

app_name = "sources"
urlpatterns = [
    re_path(
        r"^(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)/trigger/(?P<secret>[^/]+)/?$", views.trigger, name="trigger"
    ),
]
