"""The base of every endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.permissions import ByRole


class ApiView(APIView):
    """An endpoint that names for each of its methods the permission it needs (`app_label.codename`).

    None is enough for everyone who is signed in. What the schema says of errors follows from it, too.
    """

    permissions: ClassVar[Mapping[str, str | None]] = {}
    permission_classes: Any = (ByRole,)

    def note(self, rows: Iterable[int]) -> None:
        """The keys of the rows that were read or written, for the audit trail."""
        self.request._request.audited = list(rows)  # type: ignore[attr-defined]


def actor(request: Request) -> str:
    """Whom the history names."""
    return str(request.user.get_username())
