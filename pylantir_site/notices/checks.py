"""Notices that cannot go out, or lead nowhere, are told at every start."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from pylantir_site.database.row_checks import row_check
from pylantir_site.notices.models import NoticeWay, Subscription


@row_check
def notices_can_go_out() -> list[CheckMessage]:
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
