"""The texts that the code marks for translation are read from Python, templates and JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_javascript, extract_python
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "archives", "pylantir_site", "sources", "worklist")
FOLDER = ROOT / "pylantir_site" / "locale"
DOMAINS = ("django", "djangojs")  # Python and templates; scripts of pages
LANGUAGES = ("de",)
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    **dict.fromkeys(("_lazy", "gettext_noop")),
    **{name: DEFAULT_KEYWORDS[name.removesuffix("_lazy")] for name in ("gettext_lazy", "ngettext_lazy")},
    **{name: DEFAULT_KEYWORDS[name.removesuffix("_lazy")] for name in ("pgettext_lazy", "npgettext_lazy")},
}


class Text(NamedTuple):
    """`message` is a text, or its singular and plural; `context` tells two meanings of one text apart."""

    message: str | tuple[str, str]
    context: str | None
    place: tuple[str, int]


def texts(domain: str) -> Iterator[Text]:
    """Yield what is marked in all files of the domain."""
    for path in files(domain):
        for line, function, arguments, _comments in _calls(path):
            if found := _text(function, arguments, (str(path.relative_to(ROOT)), line)):
                yield found


def files(domain: str) -> Iterator[Path]:
    suffixes = ("*.py", "*.html", "*.txt") if domain == "django" else ("*.js",)
    for package in PACKAGES:
        for suffix in suffixes:
            yield from sorted((ROOT / package).rglob(suffix))


def template_catalog(domain: str) -> Catalog:
    """Return a catalogue of what is marked, without translations."""
    catalog = Catalog(domain=domain, project="Pylantir", charset="utf-8")
    for text in texts(domain):
        catalog.add(text.message, locations=[text.place], context=text.context, flags=_flags(text))
    return catalog


def path_of(language: str, domain: str, suffix: str = "po") -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{domain}.{suffix}"


def _calls(path: Path) -> Iterator[Any]:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        return iter(extract_javascript(BytesIO(source.encode()), KEYWORDS, (), {}))
    if path.suffix != ".py":
        # What is left of a template is calls in a row; only Python would mind where a line begins.
        source = re.sub(r"^[ \t]+", "", templatize(source), flags=re.MULTILINE)
    return iter(extract_python(BytesIO(source.encode()), KEYWORDS, (), {"encoding": "utf-8"}))


def _text(function: str, arguments: Any, place: tuple[str, int]) -> Text | None:
    given = list(arguments) if isinstance(arguments, tuple | list) else [arguments]
    context = given.pop(0) if "pgettext" in function else None
    singular, *more = [each for each in given if isinstance(each, str)] or [""]
    if not singular:
        return None
    is_plural = function.lstrip("p").startswith("n") and more
    return Text((singular, more[0]) if is_plural else singular, context, place)


def _flags(text: Text) -> tuple[str, ...]:
    parts = (text.message,) if isinstance(text.message, str) else text.message
    return ("python-format",) if any("%(" in part for part in parts) else ()
