"""The mapping of a Calpendo source is `target: path`, the other way round than REDCap's.

Its code read `"patient_id": {"source_field": "title", "_extract": {…}}`; its documentation shows
`"title": {"_extract": {"patient_id": {…}}}` and `"status": "performed_procedure_step_status"`.
Both become rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sources.calpendo import biskits, bookings, query
from sources.config_import import directions, values
from sources.config_import.values import ConfigError
from sources.mapping import targets
from sources.mapping.patterns import InvalidPattern, Pattern
from sources.mapping.rules import Rule

EXTRACT = "_extract"
# What the source's own tables say, or nothing needs to.
_LEFT_OUT = {
    targets.STATUS: "the states of the source say it.",
    "scheduled_procedure_step_duration": "an item has no place for it.",
    "notes": "an item has no place for it.",
    "data_source": "an item names its source by itself.",
    "study_instance_uid": "it is made here of the source and the booking's ID.",
}
_OWN = {
    "modality": Rule("modality", bookings.MODALITY, required=True),
    targets.STATION: Rule(targets.STATION, bookings.SCANNER),
    targets.START: Rule(targets.START, bookings.START),
}
_MADE_OF_TIMES = frozenset({targets.START_DATE, targets.START_TIME, targets.START})
_OPERATORS = {"operator": "Operator.name", "operator.name": "Operator.name"}
_FLAGS = re.compile(r"\(\?[aimsux]+\)")
NAME = (
    "patient_name: without ^ it is sent as it stands in the title; the original put ^ before it, so that the "
    "family name was empty. For both parts map {last} and {first}, and template {last}^{first}."
)
DOCUMENTED = "is in the form that the original documents and never read: its rows are made all the same."


@dataclass(frozen=True)
class ReadMapping:
    rules: tuple[Rule, ...]
    further_paths: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Pair:
    target: str
    path: str  # in the booking
    transforms: str = ""


def read(value: object, path: str) -> ReadMapping:
    """Read the mapping into rows, with what is to be said of each. Raises ConfigError."""
    lines: list[str] = []
    rules: dict[str, Rule] = {}
    for pair in _pairs(values.table({} if value is None else value, path), path, lines):
        reason = _left_out(pair.target)
        if reason:
            lines.append(f"{pair.target} ← {pair.path}: left out, for {reason}")
            continue
        if pair.target in rules:
            raise ConfigError(f"{path}: {pair.target} is mapped twice.")
        rules[pair.target] = Rule(pair.target, pair.path, transforms=pair.transforms)
        lines.append(f"{pair.target} ← {pair.path}" + (f", {pair.transforms}" if pair.transforms else ""))
    if "patient_name" in rules:
        lines.append(NAME)
    further = tuple({rule.field for rule in rules.values() if rule.field == _OPERATORS["operator"]})
    return ReadMapping((*rules.values(), *_OWN.values()), further, tuple(lines))


def _left_out(target: str) -> str:
    if target in _OWN or target in _MADE_OF_TIMES:
        return "the source's own times and tables say it."
    if target in _LEFT_OUT:
        return _LEFT_OUT[target]
    return "it is nothing that an item has, nor a DICOM keyword." if targets.refusal(target) else ""


def _pairs(given: Mapping[str, Any], path: str, lines: list[str]) -> Iterator[_Pair]:
    for left, right in given.items():
        where = f"{path}.{left}"
        if not isinstance(right, dict):
            yield _plain(left.strip(), values.text(right, where), where, lines)
        elif "source_field" in right:
            yield _extracting(left.strip(), right, where)
        elif isinstance(right.get(EXTRACT), dict) and not values.unknown_keys(right, {EXTRACT}):
            lines.append(f"{where} {DOCUMENTED}")
            for target, extract in right[EXTRACT].items():
                transforms = _pattern(extract, f"{where}.{EXTRACT}.{target}", is_anchored=False)
                yield _Pair(_target(target), _booking_path(left, where), transforms)
        else:
            raise ConfigError(f"{where} must name a path, or have a source_field.")


def _plain(left: str, right: str, where: str, lines: list[str]) -> _Pair:
    """Read a pair of names, of which the one that an item has is the target."""
    if not right:
        raise ConfigError(f"{where} must name a path of the booking.")
    is_documented = _is_target(right) and not _is_target(left)
    if is_documented:
        lines.append(f"{where} {DOCUMENTED}")
    target, path = (right, left) if is_documented else (left, right)
    return _Pair(_target(target), _booking_path(path, where))


def _extracting(left: str, given: Mapping[str, Any], where: str) -> _Pair:
    strange = values.unknown_keys(given, {"source_field", EXTRACT}, where)
    if strange:
        raise ConfigError(strange[0])
    path = _booking_path(values.text(given["source_field"], f"{where}.source_field"), where)
    extract = given.get(EXTRACT)
    transforms = _pattern(extract, f"{where}.{EXTRACT}", is_anchored=True) if extract is not None else ""
    return _Pair(_target(left), path, transforms)


def _pattern(value: object, where: str, *, is_anchored: bool) -> str:
    """Return the transform. The original looked for a pattern at the beginning alone, and took all of it."""
    given = values.table(value, where)
    expression = _with_its_spaces(given.get("pattern"), f"{where}.pattern")
    group = values.name_or_number(given.get("group", 0), f"{where}.group")
    try:
        pattern = Pattern(expression)
    except InvalidPattern as error:
        raise ConfigError(f"{where}.pattern is no regular expression: {error}.") from error
    known = {*map(str, range(pattern.groups + 1)), *pattern.groupindex}
    if not expression or group not in known or "\n" in expression:
        raise ConfigError(f"{where} must have a pattern in one line, and a group of it.")
    return f"pattern {group} {_at_the_beginning(expression) if is_anchored else expression}"


def _with_its_spaces(value: object, where: str) -> str:
    """Return the expression, with spaces at its ends written so that a line of the mapping keeps them."""
    inner = values.text(value, where)
    given = value if isinstance(value, str) else ""
    before = len(given) - len(given.lstrip(" "))
    behind = len(given) - len(given.rstrip(" ")) if inner else 0
    if behind and (len(inner) - len(inner.rstrip("\\"))) % 2:  # the first of them was escaped
        inner = inner[:-1]
    return "[ ]" * before + inner + "[ ]" * behind


def _at_the_beginning(expression: str) -> str:
    if expression.startswith("^") and "|" not in expression:
        return expression
    flags = _FLAGS.match(expression)
    before = flags[0] if flags else ""
    return f"{before}^(?:{expression.removeprefix(before)})"


def _target(name: str) -> str:
    return name if targets.is_target(name) else directions.ALIASES.get(name.strip(), name.strip()) or name


def _is_target(name: str) -> bool:
    return not targets.refusal(_target(name)) or name in _LEFT_OUT


def _booking_path(text: str, where: str) -> str:
    path = biskits.path_of(text)
    path = _OPERATORS.get(path, path)
    if not query.is_path(path):
        raise ConfigError(f"{where}: {text} is no path of a booking, such as project.name.")
    return path
