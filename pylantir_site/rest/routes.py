"""What follows from the API's paths is here: where CORS holds, what a log may say, the schema's tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, path

TYPED = "…"


def route(at: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """Make the path, and the same with a slash at its end, which the schema leaves out."""
    return [path(at, view, name=name), path(f"{at}/", view)]


def is_api(path_info: str) -> bool:
    """Tell whether the path lies below the first word of an endpoint's, such as `/worklist/7/nothing`."""
    return path_info.startswith("/") and path_info.split("/")[1] in api_roots()


@cache
def api_roots() -> tuple[str, ...]:
    """Return the first word of every endpoint's path, each once, in the order of the routes."""
    roots = (_words(at)[0] for at, view in _routes(get_resolver()) if _is_endpoint(view))
    return tuple(dict.fromkeys(roots))


def without_what_was_typed(path_info: str) -> str:
    """Return the path with `…` for each word that no route has there.

    Where an endpoint takes an id or a secret, somebody may have typed a participant's name.
    Paths that are not the API's come back as they are.
    """
    if not is_api(path_info):
        return path_info
    words = path_info.split("/")
    shown = (word if word in ("", *_literals(place)) else TYPED for place, word in enumerate(words[1:]))
    return "/".join(["", *shown])


@cache
def _literals(place: int) -> frozenset[str]:
    """Return the words that routes below the API's roots have at that place, counted from 0."""
    found = (_words(at) for at, _ in _routes(get_resolver()))
    known = (words[place] for words in found if words[0] in api_roots() and len(words) > place)
    return frozenset(word for word in known if "<" not in word)


def _routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in resolver.url_patterns:
        at = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, at)
        else:
            yield at, pattern.callback


def _words(at: str) -> list[str]:
    return at.strip("/").split("/")


def _is_endpoint(view: Callable[..., Any]) -> bool:
    """Tell whether it is a view of Django REST framework's that answers a program, not a browser."""
    shown = getattr(view, "cls", None)
    return shown is not None and all(renderer.format != "html" for renderer in shown.renderer_classes)
