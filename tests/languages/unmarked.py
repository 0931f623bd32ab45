"""Texts for people that nobody marked are found in templates and in the Python of models and of the admin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from tests.languages.texts import PACKAGES, ROOT

MARKED = re.compile(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", re.DOTALL)
HIDDEN = re.compile(r"{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}", re.DOTALL)
# Blocks of the frame that hold classes for style sheets.
CLASSES = re.compile(r"{%\s*block (?:bodyclass|coltype)\s*%}.*?{%\s*endblock\s*%}", re.DOTALL)
TAGS = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
WORD = re.compile(r"^(?!https?://).*[^\W\d_]{2,}", re.DOTALL)
READ_BY_PEOPLE = {"alt", "aria-label", "aria-description", "label", "placeholder", "title"}
# Names, and words that are the same in every language.
SAME_EVERYWHERE = {
    *("API", "C-ECHO", "CSV", "DICOM", "ID", "MPPS", "PDF", "Pylantir", "REDCap", "REST", "UID", "kg"),
    *("Apple", "Google", "Outlook", "Thunderbird", "Instance", "SOP", "Series"),
}
# Keyword arguments whose values people read.
TEXTS = {
    *("description", "empty_label", "help_text", "index_title", "label", "message", "short_description"),
    *("site_header", "title", "verbose_name", "verbose_name_plural"),
}
FIELD = re.compile(r"(?<!OneToOne)(?<!ManyToMany)Field$")
MESSAGES = {"debug", "error", "info", "success", "warning"}

# Rooms and modules whose texts people read in the admin, and those within them whose texts they do not.
READ = {"admin", "forms", "models", "notices", "overview"}
NOT_READ = {
    *("api", "apps", "checks", "health", "management", "migrations"),
    *("dictionaries", "state"),  # rows that no page shows
}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "code", "pre")
        self._judge(value for name, value in attrs if name in READ_BY_PEOPLE and value)
        if tag == "input" and dict(attrs).get("type") in ("submit", "button"):
            self._judge([dict(attrs).get("value") or ""])

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "code", "pre")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._judge([data])

    def _judge(self, values: Iterator[str] | list[str]) -> None:
        for value in values:
            words = set(re.split(r"[\s.,:;·()]+", value)) - SAME_EVERYWHERE
            if WORD.search(" ".join(words)):
                self.found.append((self.getpos()[0], " ".join(value.split())))


def in_template(source: str) -> list[tuple[int, str]]:
    """Return the texts between tags, and in attributes that people read, with their lines."""
    page = _Page()
    for pattern in (HIDDEN, CLASSES, MARKED, TAGS):
        source = pattern.sub(lambda match: "\n" * match[0].count("\n"), source)
    page.feed(source)
    return page.found


def in_python(source: str) -> list[tuple[int, str]]:
    """Return the constant texts that are given where people read them, with their lines."""
    found = [each for node in ast.walk(ast.parse(source)) for each in _of(node)]
    texts = ((node.lineno, _text(node)) for node in found)
    return [(line, text) for line, text in texts if WORD.search(text) and text not in SAME_EVERYWHERE]


def _of(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from (word.value for word in node.keywords if word.arg in TEXTS)
        if FIELD.search(name) and node.args:
            yield node.args[0]
        if name in MESSAGES and len(node.args) > 1:
            yield node.args[1]
        if name == "message_user" and len(node.args) > 1:
            yield node.args[1]
    elif isinstance(node, ast.ClassDef) and any("Choices" in ast.unparse(base) for base in node.bases):
        for each in node.body:
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Tuple):
                yield each.value.elts[-1]
    elif isinstance(node, ast.Assign) and any(getattr(each, "id", "") in TEXTS for each in node.targets):
        yield node.value


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def templates() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("templates/**/*.html"))


def modules() -> Iterator[Path]:
    """Yield what people read in the admin: models, forms, and the rooms that make its pages."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            rooms = {*path.relative_to(ROOT).parts[:-1], path.stem}
            if rooms & READ and not rooms & NOT_READ:
                yield path
