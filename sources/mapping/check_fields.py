"""A field that can never hold what its target needs is refused; what might be right for somebody is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sources.dictionary import Field
from sources.mapping import dates, fitting, numbers, targets, wording
from sources.mapping.outcomes import effective_transforms, is_minutes
from sources.mapping.problems import UnusableValue
from sources.mapping.rules import Rule
from sources.mapping.transforms import (
    CodesTransform,
    LabelTransform,
    Origin,
    TemplateTransform,
    Transform,
    TransformError,
)
from sources.mapping.wording import any_of

_WEIGHTS = frozenset({targets.KILOGRAMS, targets.POUNDS})
_WANTED = {
    targets.KILOGRAMS: "a weight",
    targets.POUNDS: "a weight",
    targets.BIRTH_DATE: "a birth date",
    targets.SEX: "the sex",
    targets.START: "a date and time",
    targets.START_DATE: "a date",
    targets.START_TIME: "a time of day",
}
# What REDCap exports of a validated text, in all its shapes that matter here, and how it is called.
_NUMBERS = ("1", "70", "70.5", "1980", "0930", "20010203")
_EXAMPLES: Mapping[str, tuple[str, Sequence[str]]] = {
    "datetime_seconds": ("a date and time", ("2001-02-03 09:30:00",)),
    "datetime": ("a date and time", ("2001-02-03 09:30",)),
    "date": ("a date", ("2001-02-03",)),
    "time": ("a time", ("09:30", "09:30:00")),
    "number": ("a number", _NUMBERS),
    "integer": ("a number", _NUMBERS),
    "email": ("an e-mail address", ("a@example.org",)),
}
_LIGHTEST, _HEAVIEST = 20, 500  # in kilograms or pounds, of who could be meant by a choice's codes
_AGE = any_of("age", "alter", "edad")
_BIRTH = any_of(
    "dob", "yob", "birth", "born", "geburts?\\w*", "geb", "naissance", "nacimiento", "year", "jahr"
)
_END_IN_NAME = re.compile(
    r"\b(?:(?:end|stop|finish)(?:ing)? ?time|time ?(?:end|stop|finish)(?:ed)?|end ?zeit|(?:uhr)?zeit ende"
    r"|heure (?:de )?fin|hora (?:de )?fin)\b|\b(?:end|ende|fin|stop)$"
)
_SCAN = r"(?:mri|mrt|mr|irm|rm|scan(?:s|ner)?|resonancia)"
_OCCASION = r"(?:session|visit|appointment|exam\w*|untersuchung|termins?)"
_SCAN_IN_LABEL = re.compile(rf"\b{_SCAN}\b")
_END_TIME = r"(?:end|stop|finish)(?:ing)? ?time|endzeit|heure de fin|hora de fin(?:alizacion)?"


def _end_of(what: str) -> re.Pattern[str]:
    """Return what finds the end of something, but not what is done at its end."""
    before = "".join(f"(?<!{word} )" for word in ("at", "at the", "am", "a la", "al", "en"))
    return re.compile(
        rf"\b(?:{what} (?:end|stop|finish)(?:ed|s)?(?! of)"
        rf"|{before}(?:end|finish|ende|fin) (?:of |the |der |des |de |l |la )*{what})\b"
    )


_END_IN_LABEL = re.compile(rf"\b(?:{_END_TIME})\b|{_end_of(_SCAN).pattern}")
# “Time of MRI (end of visit)” is a scan that is made then.
_END_OF_OCCASION = _end_of(_OCCASION)
_START = any_of("start\\w*", "beg[iu]n\\w*", "debut", "inicio", "anfang")


def refusal(rule: Rule, field: Field) -> str:
    """Say what is wrong with a field as the source of the rule's target, and what to do; "" is nothing."""
    if rule.target not in _WANTED:
        return ""
    try:
        transforms = effective_transforms(rule, field)
    except TransformError:
        return ""
    if any(isinstance(transform, TemplateTransform) for transform in transforms):
        return ""
    return _of_kind(rule, field, transforms) or _of_name(rule, field, transforms)


def _of_kind(rule: Rule, field: Field, transforms: Sequence[Transform]) -> str:
    if field.choices:
        return _of_choices(rule, field, transforms)
    held, examples = _exported(field)
    if transforms or not examples or is_minutes(field):
        return ""
    if any(_fits(rule.target, example) for example in examples):
        return ""
    if rule.target == targets.SEX:
        return f"{field.name} holds {held}, not M, F or O: say what it means, such as codes 1=M, 2=F."
    return f"{field.name} holds {held}, which is never {_WANTED[rule.target]}: choose another field."


def _exported(field: Field) -> tuple[str, Sequence[str]]:
    """Return what a field holds and how it is exported; nothing where it may be any text."""
    if field.type in ("calc", "slider"):
        return "a calculated number" if field.type == "calc" else "a number", _NUMBERS
    if field.type != "text":
        return "", ()
    beginnings = (found for kind, found in _EXAMPLES.items() if field.validation.startswith(kind))
    return next(beginnings, ("", ()))


def _of_choices(rule: Rule, field: Field, transforms: Sequence[Transform]) -> str:
    """Refuse a choice of whose codes none becomes what is wanted."""
    if rule.target in (targets.SEX, targets.STATUS):
        return ""  # `check` asks for their codes in its own words
    context = _Choices(field.choices, field.type == "checkbox")
    says_more = any(isinstance(transform, CodesTransform | LabelTransform) for transform in transforms)
    says_more = says_more or _are_weights(field.choices)
    for code, label in field.choices.items():
        value = _changed(code, transforms, context)
        is_measure = says_more or rule.target not in _WEIGHTS or _names_number(label, value or "")
        if is_measure and value is not None and (not value or _fits(rule.target, value)):
            return ""
    wanted = _WANTED[rule.target]
    if field.type in ("yesno", "truefalse"):
        return f"{field.name} is answered with yes or no, which is never {wanted}: choose another field."
    return (
        f"{field.name} is a choice, and none of its codes is {wanted}: "
        "choose another field, or say with codes what they stand for."
    )


def _are_weights(codes: Iterable[str]) -> bool:
    """Tell whether most codes are what people weigh: 45 of “40 to 50”, and no 1 of “Yes” nor 0 to 9."""
    known = [numbers.number(code) for code in codes if numbers.is_number(code)]
    return sum(_LIGHTEST <= each <= _HEAVIEST for each in known) > max(2, len(known) / 2)


def _names_number(label: str, code: str) -> bool:
    """Tell whether the label has the code as its number: 60 is 60 kg, and 1 is no weight of “Yes”."""
    found = re.findall(r"\d+(?:[.,]\d+)?", label)
    return numbers.is_number(code) and any(numbers.number(each) == numbers.number(code) for each in found)


def _changed(code: str, transforms: Sequence[Transform], context: _Choices) -> str | None:
    """Return what the transforms make of a code, "" where that is nothing, None where they refuse it."""
    value = code
    try:
        for transform in transforms:
            value = transform.apply(value, context)
    except UnusableValue:
        return None
    return value


def _fits(target: str, value: str) -> bool:
    if target == targets.BIRTH_DATE and dates.is_year(value):
        return True  # `year only …` makes something of it, and its problem says so
    try:
        fitting.fit(target, value, origin=Origin.RECORD, today=date.max)
    except UnusableValue:
        return False
    return True


@dataclass
class _Choices:
    """It tells transforms of a field's choices (`transforms.TransformContext`)."""

    choices: Mapping[str, str]
    is_checkbox: bool

    def value_of(self, name: str) -> str:
        raise UnusableValue(f"{{{name}}} is not known before a record is read.")


def _of_name(rule: Rule, field: Field, transforms: Sequence[Transform]) -> str:
    """Refuse what name and label say plainly: an age is no birth date, and an end is no start."""
    name, label = wording.words(field.name), wording.words(field.label)
    if rule.target == targets.BIRTH_DATE and not transforms:
        is_number = field.type == "calc" or field.validation.startswith(("number", "integer"))
        if is_number and _AGE.search(name) and not _BIRTH.search(name):
            return f"{field.name} is an age, of which no birth date can be made: choose the birth date."
    if rule.target == targets.START_TIME and _is_end(name, label):
        return f"{field.name} is the end of the scan by its name and label: choose the field of its start."
    return ""


def _is_end(name: str, label: str) -> bool:
    is_start = _START.search(name) or _START.search(label)
    is_end = _END_IN_LABEL.search(label) or (
        _END_OF_OCCASION.search(label) and not _SCAN_IN_LABEL.search(label)
    )
    return bool(not is_start and is_end and _END_IN_NAME.search(name))
