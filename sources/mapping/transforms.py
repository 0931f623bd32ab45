"""Transforms change a value on its way from REDCap to its target: one a line, in order.

Lines `else FIELD` stand before them: they change nothing, but name other fields to take the value from. A
value that a transform does not fit is a problem, never passed on as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import ClassVar, NamedTuple, Protocol

from sources.mapping import codes, dates, numbers, templates
from sources.mapping.names import FIELD, spelled
from sources.mapping.patterns import InvalidPattern, Pattern
from sources.mapping.problems import UnusableValue

BETWEEN_CHOICES = ", "  # of a checkbox: its checked codes, and what they become
_ALTERNATIVE = re.compile(rf"else\s+({FIELD}|\{{[a-z][a-z0-9_]*\}})", re.IGNORECASE | re.ASCII)


class TransformError(ValueError):
    """A line is no transform; the text names it, and says what is expected."""


class TransformContext(Protocol):
    """It holds what a transform may ask beside the value itself."""

    choices: Mapping[str, str]  # code to label, of the rule's field
    is_checkbox: bool

    def value_of(self, name: str) -> str:
        """Return the value of a name in a template. Raises UnusableValue."""


class Origin(Enum):
    """It tells whose text a value is: only a mapping's own ^ divides family from given name."""

    RECORD = "record"
    TABLE = "table"  # of codes, of the dictionary's labels, or the default
    TEMPLATE = "template"
    DICOM = "dicom"  # the participant's, as DICOM writes it


@dataclass(frozen=True)
class Transform:
    """A transform sets `origin` where its result is not the participant's own text any more."""

    origin: ClassVar[Origin | None] = None

    def apply(self, value: str, context: TransformContext) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class PlainTransform(Transform):
    """This transform looks at nothing but the value."""

    change: Callable[[str], str]
    is_of_measures: bool = False

    def apply(self, value: str, context: TransformContext) -> str:
        return self.change(value)


@dataclass(frozen=True)
class TemplateTransform(Transform):
    template: templates.Template
    origin = Origin.TEMPLATE

    def apply(self, value: str, context: TransformContext) -> str:
        return self.template.fill(lambda name: value if name == "value" else context.value_of(name))


@dataclass(frozen=True)
class PatternTransform(Transform):
    pattern: Pattern
    group: int | str

    def apply(self, value: str, context: TransformContext) -> str:
        return self.pattern.group(value, self.group)


@dataclass(frozen=True)
class LabelTransform(Transform):
    origin = Origin.TABLE

    def apply(self, value: str, context: TransformContext) -> str:
        return _for_each_code(value, context, context.choices, "This code is not among the field's choices.")


@dataclass(frozen=True)
class CodesTransform(Transform):
    table: Mapping[str, str]
    origin = Origin.TABLE

    def apply(self, value: str, context: TransformContext) -> str:
        return _for_each_code(value, context, self.table, "This code is not in the table of codes.")


def _for_each_code(value: str, context: TransformContext, table: Mapping[str, str], otherwise: str) -> str:
    chosen = [value] if value in table or not context.is_checkbox else value.split(BETWEEN_CHOICES)
    if any(code not in table for code in chosen):
        raise UnusableValue(otherwise)
    return BETWEEN_CHOICES.join(table[code] for code in chosen)


class Lines(NamedTuple):
    alternatives: tuple[str, ...]  # fields, and named values in braces
    transforms: tuple[Transform, ...]


def parse(text: str) -> tuple[Transform, ...]:
    """Read one transform a line. Raises TransformError."""
    return read(text).transforms


@lru_cache(maxsize=1024)  # a plan's few texts are asked for with every record
def read(text: str) -> Lines:
    """Read the lines `else FIELD`, and after them one transform a line. Raises TransformError."""
    alternatives: list[str] = []
    transforms: list[Transform] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.split()[0].lower() != "else":
            transforms.append(_line(line))
        elif transforms:
            raise TransformError(
                f"“{line}” comes too late: the lines with else stand first, for what follows them changes "
                "the value of whichever field gives it."
            )
        else:
            alternatives.append(_alternative(line))
    return Lines(tuple(alternatives), tuple(transforms))


def _alternative(line: str) -> str:
    match = _ALTERNATIVE.fullmatch(line)
    if not match:
        raise TransformError(f"“{line}”: one field is expected, or a named value: else weight, else {{own}}.")
    return spelled(match[1])


def _line(line: str) -> Transform:
    keyword, _, rest = line.partition(" ")
    plain = _WHOLE_LINES.get(" ".join(line.lower().split()))
    if plain is not None:
        return plain
    reader = _WITH_MORE.get(keyword.lower())
    if reader is None:
        raise TransformError(f"“{line}” is not known. One of these is expected: {', '.join(FORMS)}.")
    try:
        return reader(rest.strip())
    except ValueError as error:
        raise TransformError(f"“{line}”: {error}") from error


def _template(rest: str) -> Transform:
    return TemplateTransform(templates.read(rest))


def _pattern(rest: str) -> Transform:
    group, _, expression = rest.partition(" ")
    try:
        pattern = Pattern(expression.strip())
    except InvalidPattern as error:
        raise ValueError(f"The regular expression is not valid: {error}.") from error
    found = int(group) if _is_whole(group) else group
    if found not in (*range(pattern.groups + 1), *pattern.groupindex) or not expression.strip():
        raise ValueError("A group of the expression and the expression are expected: pattern 1 ^([A-Z]+)-.")
    return PatternTransform(pattern, found)


def _part(rest: str) -> Transform:
    match = re.fullmatch(r"(\d{1,3}|last)\s+of\s+(\S+)", rest, re.ASCII | re.IGNORECASE)
    if not match or match[1] == "0":
        raise ValueError("A position and a separator are expected: part 2 of -, part last of space.")
    position = -1 if match[1].lower() == "last" else int(match[1]) - 1
    separator = " " if match[2].lower() == "space" else match[2]

    def part(value: str) -> str:
        parts = value.split(separator)
        if len(parts) < 2 or position >= len(parts):
            raise UnusableValue("This does not have the part that is wanted.")
        return parts[position].strip()

    return PlainTransform(part)


def _pad(rest: str) -> Transform:
    if not _is_whole(rest) or not 1 <= int(rest) <= 64:
        raise ValueError("A length is expected, which zeros fill up: pad 4.")
    return PlainTransform(lambda value: value.rjust(int(rest), "0"))


def _characters(rest: str) -> Transform:
    match = re.fullmatch(r"(\d{1,3})\s*-\s*(\d{1,3})?", rest, re.ASCII)
    first, last = (int(match[1]), int(match[2] or 0)) if match else (0, 0)
    if first < 1 or (last and last < first):
        raise ValueError("The first and the last position are expected: characters 1-4, characters 3-.")

    def characters(value: str) -> str:
        if len(value) < max(first, last):
            raise UnusableValue("This is shorter than the characters that are wanted.")
        return value[first - 1 : last or None].strip()

    return PlainTransform(characters)


def _codes(rest: str) -> Transform:
    return CodesTransform(codes.read(rest))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3


def _without_lone_year(value: str) -> str:
    return "" if dates.is_year(value) else value


def _first_of_january(value: str) -> str:
    return f"{value}-01-01" if dates.is_year(value) else value


_WHOLE_LINES: Mapping[str, Transform] = {
    "upper": PlainTransform(str.upper),
    "lower": PlainTransform(str.lower),
    "strip": PlainTransform(str.strip),
    "label": LabelTransform(),
    "pounds to kilograms": PlainTransform(numbers.kilograms_from_pounds, is_of_measures=True),
    "centimetres to metres": PlainTransform(numbers.metres_from_centimetres, is_of_measures=True),
    "centimeters to meters": PlainTransform(numbers.metres_from_centimetres, is_of_measures=True),
    "year only empty": PlainTransform(_without_lone_year),
    "year only 0101": PlainTransform(_first_of_january),
}
_WITH_MORE: Mapping[str, Callable[[str], Transform]] = {
    "template": _template,
    "pattern": _pattern,
    "part": _part,
    "pad": _pad,
    "characters": _characters,
    "codes": _codes,
}
# As help for people: every form a line may have.
FORMS = (
    "else weight_reported",
    "template sub_{study_id}[_fam_{family_id}]",
    "pattern 1 ^([A-Z]+)-",
    "part 2 of -",
    "part last of -",
    "upper",
    "lower",
    "strip",
    "pad 4",
    "characters 1-4",
    "label",
    "codes 1=M, 2=F",
    "pounds to kilograms",
    "centimetres to metres",
    "year only empty",
    "year only 0101",
)
