"""Paths need no trailing slash, and forgive one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path


def route(at: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """Return the path, and the same with a slash at its end, which the schema leaves out."""
    return [path(at, view, name=name), path(f"{at}/", view)]
