"""A template puts a value together from others: `sub_{study_id}[_fam_{family_id}]`.

Braces hold a name; a part in brackets is left out when one of its names is empty. Doubled, they stand for
themselves: `{{ }} [[ ]]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sources.mapping.names import FIELD
from sources.mapping.problems import UnusableValue

_TOKEN = re.compile(rf"\{{\{{|\}}\}}|\[\[|\]\]|\{{({FIELD})\}}|[{{}}\[\]]|[^{{}}\[\]]+", re.ASCII)


class TemplateError(ValueError):
    """It says what is wrong with a template, for the person who wrote it."""


@dataclass(frozen=True)
class Name:
    name: str


Piece = str | Name


@dataclass(frozen=True)
class Part:
    pieces: tuple[Piece, ...]
    optional: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(piece.name for piece in self.pieces if isinstance(piece, Name))


@dataclass(frozen=True)
class Template:
    parts: tuple[Part, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    def fill(self, value_of: Callable[[str], str]) -> str:
        """Fill it in. Raises UnusableValue where a value outside brackets is empty."""
        return "".join(_filled(part, value_of) for part in self.parts)


def _filled(part: Part, value_of: Callable[[str], str]) -> str:
    values = {name: value_of(name) for name in part.names}
    empty = next((name for name, value in values.items() if not value), None)
    if empty is not None and part.optional:
        return ""
    if empty is not None:
        raise UnusableValue(f"{empty} is empty, and the template needs it.", field=empty)
    return "".join(values[piece.name] if isinstance(piece, Name) else piece for piece in part.pieces)


def read(text: str) -> Template:
    """Read a template. Raises TemplateError."""
    template = Template(tuple(_parts(text)))
    if not template.parts:
        raise TemplateError("A template needs a text, such as sub_{study_id}.")
    return template


def _parts(text: str) -> Iterator[Part]:
    pieces: list[Piece] = []
    optional = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == ("]" if optional else "["):
            yield from _part(pieces, optional=optional)
            pieces, optional = [], not optional
        else:
            pieces.append(_piece(token, match[1]))
    if optional:
        raise TemplateError("A bracket [ is not closed; write [[ for the character itself.")
    yield from _part(pieces, optional=optional)


def _part(pieces: list[Piece], *, optional: bool) -> Iterator[Part]:
    part = Part(tuple(pieces), optional)
    if optional and not part.names:
        raise TemplateError("A part in [brackets] needs a {name} that decides whether it is there.")
    if pieces:
        yield part


def _piece(token: str, name: str | None) -> Piece:
    if name is not None:
        return Name(name)
    if len(token) == 1 and token in "{}[]":  # noqa: S105  (a part of a template)
        raise TemplateError(
            f"{token} stands alone: names are written {{name}} (small letters, digits, _), parts that may be "
            f"left out [in brackets]; write {token}{token} for the character itself."
        )
    return token[0] if token in ("{{", "}}", "[[", "]]") else token
