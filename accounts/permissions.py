"""The API asks the table of roles here. Settings name the class, so this module imports no views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

CHANGE_FIRST = "The password was made up and is written down: change it by POST /auth/password first."


class ByRole(BasePermission):
    """It asks for the permission that the endpoint names for the method (`pylantir_site.rest.views`)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if request.method == "OPTIONS":
            return True
        needed: Mapping[str, str | None] = view.permissions
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in needed:
            raise MethodNotAllowed(method)
        permission = needed[method]
        if permission is None:
            return True
        if request.user.must_change_password:
            raise PermissionDenied(CHANGE_FIRST)
        return request.user.has_perm(permission)
