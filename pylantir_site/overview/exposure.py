"""Whoever runs Pylantir hears of it where others reach the admin without a proxy that speaks TLS."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.http import HttpRequest
from django.http.request import split_domain_port

from accounts.roles import Role
from pylantir_site.overview.checks import LOOPBACK, Apps


def is_exposed(request: HttpRequest) -> bool:
    """Tell whether an administrator has come by plain HTTP, and under a name that others may use, too."""
    host, _ = split_domain_port(request.get_host())
    is_administrator = getattr(request.user, "role", None) == Role.ADMIN
    return is_administrator and not settings.BEHIND_TLS_PROXY and host not in LOOPBACK


@register(Tags.security)
def others_come_by_a_proxy(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    elsewhere = [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]
    if settings.BEHIND_TLS_PROXY or not elsewhere:
        return []
    return [
        Warning(
            f"Others may reach this server as {', '.join(elsewhere)} without TLS.",
            hint="Passwords and participants' names can be read on their way: put a proxy in front "
            "(deploy/nginx.conf) and set BEHIND_TLS_PROXY=true.",
            id="pylantir.W020",
        )
    ]
