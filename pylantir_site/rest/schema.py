"""The OpenAPI schema says of every endpoint what follows from the base class of all."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import ListSerializer, Serializer

from pylantir_site.rest.errors import ErrorSerializer, InvalidSerializer
from pylantir_site.rest.paging import TOTAL
from pylantir_site.rest.routes import api_roots
from pylantir_site.rest.views import ApiView

JSON = "application/json"
INVALID, NOBODY, FORBIDDEN, ABSENT, UNOFFERED, UNREADABLE = "400", "401", "403", "404", "406", "415"
MEANING = {
    INVALID: "A value, a field or a parameter is wrong: `errors` names it.",
    NOBODY: "No token, or a dead one.",
    FORBIDDEN: "The role does not allow it.",
    ABSENT: "There is no such thing.",
    UNOFFERED: "Only what is listed here is offered.",
    UNREADABLE: "Only JSON is taken.",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ApiSchema(AutoSchema):
    """It adds the errors that an endpoint's path, method and permissions bring about."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for code in self._errors():
            if code not in bodies:
                bodies[code] = self._error(code, direction)
        return bodies

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Take a list in several forms for a list, too: its filters and its pages belong to it."""
        answers = serializer if serializer is not None else self.get_response_serializers()
        if isinstance(answers, dict) and any(isinstance(code, tuple) for code in answers):
            return any(isinstance(answer, ListSerializer) for answer in answers.values())
        return bool(super()._is_list_view(serializer))

    def get_tags(self) -> list[str]:
        return [_tag(self.path.strip("/").split("/")[0])]

    def _errors(self) -> list[str]:
        has_body = self.method in {"POST", "PUT", "PATCH"}
        errors = [UNOFFERED]
        if self.view.permission_classes:
            errors += [NOBODY]
        if isinstance(self.view, ApiView) and self.view.permissions.get(self.method):
            errors += [FORBIDDEN]
        if "{" in self.path:
            errors += [ABSENT]
        if has_body or self._is_list_view() or self.method == "DELETE":
            errors += [INVALID]
        if has_body:
            errors += [UNREADABLE]
        return sorted(errors)

    def _error(self, code: str, direction: Any) -> Any:
        serializer: type[Serializer] = InvalidSerializer if code == INVALID else ErrorSerializer
        body: dict[str, Any] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, code, media_types=[JSON], direction=direction
        )
        return {**body, "description": MEANING[code]}


def without_twins(endpoints: list[Any]) -> list[Any]:
    """Leave out the paths that only forgive a slash at their end."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def with_totals(result: Any, generator: Any, request: Any, public: bool) -> Any:  # noqa: FBT001 - its hook
    """Let lists say how many there are."""
    for path in result["paths"].values():
        for operation in path.values():
            if any(parameter["name"] == "offset" for parameter in operation.get("parameters", [])):
                description = "How many there are in all."
                header = {"description": description, "schema": {"type": "integer"}}
                operation["responses"]["200"]["headers"] = {TOTAL: header}
    return result


def with_tags(result: Any, generator: Any, request: Any, public: bool) -> Any:  # noqa: FBT001 - its hook
    """List the tags in the order of the routes, which is that of the documents' pages."""
    used = {
        tag for path in result["paths"].values() for operation in path.values() for tag in operation["tags"]
    }
    result["tags"] = [{"name": _tag(root)} for root in api_roots() if _tag(root) in used]
    return result


def _tag(root: str) -> str:
    return root.replace("-", " ")
