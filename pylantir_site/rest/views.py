"""Every endpoint is built on the base class that is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.permissions import ByRole

PAGES = ("limit", "offset")
UNKNOWN_PARAMETER = "There is no such parameter here."


class ApiView(APIView):
    """An endpoint names for each of its methods the permission it needs (`app_label.codename`).

    With None everyone who is signed in may use it. What the schema says of errors follows from it, too.
    """

    permissions: ClassVar[Mapping[str, str | None]] = {}
    permission_classes: Any = (ByRole,)
    parameters: ClassVar[frozenset[str]] = frozenset()  # beside those of filters and pages

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse unknown parameters: a filter that is misspelt must not show everyone."""
        super().initial(request, *args, **kwargs)
        if request.method in {"GET", "HEAD"}:
            self.check_parameters(request)

    def check_parameters(self, request: Request) -> None:
        """Raise ValidationError for parameters that the endpoint does not know."""
        unknown = sorted(request.query_params.keys() - known_parameters(type(self)))
        if unknown:
            raise ValidationError({name: [UNKNOWN_PARAMETER] for name in unknown})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers out of every cache: they are about participants or accounts."""
        response.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    def note(self, rows: Iterable[int]) -> None:
        """Name the rows that were read or written by their keys, for the audit trail."""
        self.request._request.audited = list(rows)  # type: ignore[attr-defined]


def known_parameters(view: type) -> frozenset[str]:
    """Return the names that may stand in an endpoint's query: those of its filters and of a list's pages."""
    filters = getattr(view, "filterset_class", None)
    pages = PAGES if getattr(view, "pagination_class", None) else ()
    own: frozenset[str] = getattr(view, "parameters", frozenset())
    return own | frozenset(pages) | getattr(filters, "base_filters", {}).keys()


def actor(request: Request) -> str:
    """Return whom the history names."""
    return str(request.user.get_username())
