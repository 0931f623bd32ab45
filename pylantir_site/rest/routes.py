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
    After the first word of a path with a secret, wherever that stands, nothing is shown.
    Other paths that are not the API's come back as they are.
    """
    words = path_info.split("/")
    for place, word in enumerate(words):
        if word in _roots_of_secrets():
            return "/".join([*words[: place + 1], TYPED])
    if not is_api(path_info):
        return path_info
    shown = (word if word in ("", *_literals(place)) else TYPED for place, word in enumerate(words[1:]))
    return "/".join(["", *shown])


def with_a_secret(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose path holds a secret: no log shows it."""
    view.has_secret_path = True  # type: ignore[attr-defined]
    return view


@cache
def _roots_of_secrets() -> frozenset[str]:
    routes = _routes(get_resolver())
    return frozenset(_words(at)[0] for at, view in routes if getattr(view, "has_secret_path", False))


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
