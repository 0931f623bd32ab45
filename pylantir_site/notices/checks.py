"""Notices that cannot go out, or lead nowhere, are told at every start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connections

from pylantir_site.notices.models import NoticeWay, Subscription


@register(Tags.database)
def notices_can_go_out(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check where a database is named, as at every start."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or not _has_table():
        return []
    ways = set(Subscription.objects.filter(enabled=True).order_by().values_list("way", flat=True).distinct())
    found: list[CheckMessage] = []
    if NoticeWay.MAIL in ways and not settings.EMAIL_HOST:
        found.append(
            Warning(
                "People asked for notices by mail, and no mail server is set.",
                hint="Set EMAIL_HOST, or switch these notices off.",
                id="pylantir.W012",
            )
        )
    if ways and not settings.PUBLIC_URL:
        found.append(
            Warning(
                "Notices go out without a link.",
                hint="Set PUBLIC_URL to the address by which browsers reach the admin.",
                id="pylantir.W013",
            )
        )
    return found


def _has_table() -> bool:
    return Subscription._meta.db_table in connections[DEFAULT_DB_ALIAS].introspection.table_names()
