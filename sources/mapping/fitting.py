"""A text becomes the value of its target, valid for the target's VR, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sources.mapping import dates, numbers, targets, texts
from sources.mapping.problems import UnusableValue
from sources.mapping.transforms import Origin
from worklist.dicom import extra, representations, values

Value = str | int | float  # numbers for the DICOM keywords whose VR is a number
_DICOM_TEXT: Mapping[str, Callable[[str], str]] = {
    "DA": lambda text: _dicom_date(text),
    "TM": lambda text: values.to_text(dates.clock(text)),
    "DT": lambda text: _dicom_moment(text),
    "DS": numbers.decimal_string,
    "CS": texts.code_string,
}


def fit(target: str, text: str, *, origin: Origin, today: date) -> Value:
    """Return the value as `worklist.items.intake` takes it. Raises UnusableValue.

    Of `scheduled_start_datetime` it is the date, and the time where there is one: `2026-03-02 09:30:00`.
    """
    vr = targets.vr(target)
    if not vr:
        return text  # a named value is judged where a template uses it
    if vr == "PN":
        return texts.person_name(text, origin)
    if targets.is_keyword(target):
        return _of_keyword(target, vr, text)
    special = OF_FIELDS.get(target)
    if special is not None:
        return special(text, today)
    if targets.is_identifier(target):
        return texts.identifier(text, vr)
    return texts.description(text, vr)


def _of_keyword(keyword: str, vr: str, text: str) -> Value:
    cleaned = _keyword_text(keyword, vr, text)
    try:
        found: Mapping[str, Any] = extra.check({keyword: cleaned})
    except extra.ExtraAttributesError as error:
        raise UnusableValue(" ".join(error.problems.values())) from None
    value: Value = found.get(keyword, "")
    return value


def _keyword_text(keyword: str, vr: str, text: str) -> str:
    if vr in _DICOM_TEXT:
        return _DICOM_TEXT[vr](text)
    if vr in representations.TEXT:
        return (texts.description if targets.is_description(keyword) else texts.identifier)(text, vr)
    return text.replace(",", ".") if vr in representations.FLOATS else text


def _dicom_date(text: str) -> str:
    return values.to_text(dates.moment(text)[0])


def _dicom_moment(text: str) -> str:
    day, at = dates.moment(text)
    return values.to_text(day) + values.to_text(at)


def _start(text: str) -> str:
    day, at = dates.scheduled(text)
    return f"{day.isoformat()} {at.isoformat()}" if at is not None else day.isoformat()


def _sex(text: str) -> str:
    found = text.upper()
    if found not in targets.SEXES:
        raise UnusableValue("This is not M, F or O: give the field's codes a meaning with `codes`.")
    return found


def _status(text: str) -> str:
    found = text.upper()
    if found not in (targets.WANTED, targets.NOT_WANTED):
        raise UnusableValue(
            "It is not known what this status means: say SCHEDULED or CANCELLED with `codes`."
        )
    return found


OF_FIELDS: Mapping[str, Callable[[str, date], str]] = {
    targets.KILOGRAMS: lambda text, today: numbers.weight(text),
    targets.POUNDS: lambda text, today: numbers.weight(numbers.kilograms_from_pounds(text)),
    targets.BIRTH_DATE: lambda text, today: dates.birth_date(text, today).isoformat(),
    targets.SEX: lambda text, today: _sex(text),
    targets.STATUS: lambda text, today: _status(text),
    targets.START: lambda text, today: _start(text),
    targets.START_DATE: lambda text, today: dates.scheduled(text)[0].isoformat(),
    targets.START_TIME: lambda text, today: dates.clock(text).isoformat(),
    "modality": lambda text, today: texts.modality(text),
    targets.STATION: lambda text, today: texts.ae_titles(text),
}
