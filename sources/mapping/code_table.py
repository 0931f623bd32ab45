"""A table of codes on one line, `1=M, 2=F, 9=`: in quotation marks what has a comma, = or quotes in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TEXT = r'(?:"((?:[^"]|"")*)"|([^=,"]*?))'
_PAIR = re.compile(rf"\s*{_TEXT}\s*=\s*{_TEXT}\s*(?:,|$)")
_NEEDS_QUOTES = re.compile(r'[=,"]|^\s|\s$')


def read(text: str) -> dict[str, str]:
    """Raises ValueError that says what is expected."""
    table: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if not match:
            raise ValueError('Pairs of code and value are expected: 1=M, 2=F, "a, b"=O.')
        code = _unquoted(match[1], match[2])
        if not code or code in table:
            raise ValueError(f"The code {code} is given twice." if code else "A code is empty.")
        table[code] = _unquoted(match[3], match[4])
        position = match.end()
    if not table:
        raise ValueError("Pairs of code and value are expected: 1=M, 2=F, 3=O.")
    return table


def write(table: Mapping[str, str]) -> str:
    """The line that `read` reads back."""
    return ", ".join(f"{_quoted(code)}={_quoted(value)}" for code, value in table.items())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _unquoted(quoted: str | None, plain: str | None) -> str:
    return quoted.replace('""', '"') if quoted is not None else (plain or "")
