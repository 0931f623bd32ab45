"""The base of every endpoint."""

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
    """An endpoint that names for each of its methods the permission it needs (`app_label.codename`).

    None is enough for everyone who is signed in. What the schema says of errors follows from it, too.
    """

    permissions: ClassVar[Mapping[str, str | None]] = {}
    permission_classes: Any = (ByRole,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A filter that is misspelt must not show everyone."""
        super().initial(request, *args, **kwargs)
        if request.method in {"GET", "HEAD"}:
            unknown = sorted(request.query_params.keys() - known_parameters(type(self)))
            if unknown:
                raise ValidationError({name: [UNKNOWN_PARAMETER] for name in unknown})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What is answered is about participants or accounts: no cache keeps it."""
        response.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    def note(self, rows: Iterable[int]) -> None:
        """The keys of the rows that were read or written, for the audit trail."""
        self.request._request.audited = list(rows)  # type: ignore[attr-defined]


def known_parameters(view: type) -> frozenset[str]:
    """The names that may stand in the query of an endpoint: its filters, and those of pages of a list."""
    filters = getattr(view, "filterset_class", None)
    pages = PAGES if getattr(view, "pagination_class", None) else ()
    return frozenset(pages) | getattr(filters, "base_filters", {}).keys()


def actor(request: Request) -> str:
    """Whom the history names."""
    return str(request.user.get_username())
