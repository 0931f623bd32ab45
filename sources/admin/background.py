"""The queue's own pages are not shown: whoever may add a schedule there may have any code run."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin

for name in ("Schedule", "Success", "Failure", "OrmQ"):
    model = apps.get_model("django_q", name)
    if admin.site.is_registered(model):  # its queue has no page where the broker is another
        admin.site.unregister(model)
