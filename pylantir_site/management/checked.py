"""A command makes those checks of the set-up that look at what it uses.

Those of routes and admins load all that the web server needs.
"""

from __future__ import annotations

from django.core.checks.registry import registry

NEED_ROUTES = frozenset({"admin", "urls"})


def tag_checks() -> None:
    """Give checks without a tag those of the routes, so that each is made: with the last."""
    for check in registry.get_checks():
        if not check.tags:
            registry.register(check, *NEED_ROUTES)


def without_routes() -> list[str]:
    """Return the tags of all other checks: what they look at, a site may have set up wrongly.

    Routes and admins are the same at every site, which is checked by `check` and at every start.
    """
    tag_checks()
    return sorted(registry.tags_available() - NEED_ROUTES)
