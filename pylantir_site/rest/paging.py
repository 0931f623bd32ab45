"""Lists are bare, as the original gave them; the headers say how many rows there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

TOTAL = "X-Total-Count"
DEFAULT_LIMIT, MOST = 100, 1000
FURTHEST = 2**31 - 1


class BareList(BasePagination):
    """`limit` (1 to 1000, default 100) and `offset` choose a part; X-Total-Count is the number of all."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        limit = _number(request, "limit", DEFAULT_LIMIT, least=1, most=MOST)
        offset = _number(request, "offset", 0, least=0, most=FURTHEST)
        self.total = len(queryset) if isinstance(queryset, Sequence) else queryset.count()
        return list(queryset[offset : offset + limit])

    def get_paginated_response(self, data: Any) -> Response:
        return Response(data, headers={TOTAL: str(self.total)})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("limit", "How many at most.", minimum=1, maximum=MOST, default=DEFAULT_LIMIT),
            _parameter("offset", "How many to skip.", minimum=0, maximum=FURTHEST, default=0),
        ]


def _number(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    given = request.query_params.get(name, str(default))
    if not given.isascii() or not given.isdigit() or len(given) > 10 or not least <= int(given) <= most:
        raise ValidationError({name: [f"This must be a whole number from {least} to {most}."]})
    return int(given)


def _parameter(name: str, description: str, **bounds: int) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "integer", **bounds},
    }
