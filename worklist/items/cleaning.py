"""A writer's values are made fit for DICOM here, or refused: what goes in comes out valid.

What names a person or a thing is never cut or guessed at: it loses padding at its ends alone. Descriptions
lose control characters as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.dicom import extra, modalities, representations
from worklist.dicom.values import KILOGRAMS_PER_POUND

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NAMED = {
    "\0": gettext_lazy("a null"),
    "\t": gettext_lazy("a tab"),
    "\n": gettext_lazy("a new line"),
    "\r": gettext_lazy("a carriage return"),
    "\x1b": gettext_lazy("an escape"),
}
_TEN_GRAMS = Decimal("0.01")
_ABSURD_WEIGHT = 10_000  # beyond it quantize may run out of digits; the validators say what is plausible
_DATE = re.compile(r"(\d{4})(?:(\d{2})(\d{2})|-(\d{2})-(\d{2}))", re.ASCII)
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.\d{1,6})?)?)?", re.ASCII)


def text(value: Any) -> str:
    """Return the text in NFC and without padding, its control characters as spaces."""
    return _CONTROL.sub(" ", _composed(value)).strip()


def name(value: Any) -> str:
    """Return what names a person or a thing, in NFC and without padding.

    A control character within is refused: without it, or with a space for it, this would name another.
    """
    found = _composed(value).strip(representations.PADDING)
    control = _CONTROL.search(found)
    if control:
        character = control[0][0]
        what = _NAMED.get(character, _("a control character (U+%(code)04X)") % {"code": ord(character)})
        raise ValidationError(
            _("Character %(place)s is %(what)s, which is not allowed here: type the text anew.")
            % {"place": control.start() + 1, "what": what},
            code="control",
        )
    return found


def identifier(value: Any) -> str:
    """Return what identifies, like `name`; a character that nobody sees is refused, for it makes another."""
    found = name(value)
    for place, character in enumerate(found, start=1):
        if unicodedata.category(character) == "Cf":
            raise ValidationError(
                _(
                    "Character %(place)s is invisible (U+%(code)04X), which is not allowed here: "
                    "type the text anew."
                )
                % {"place": place, "code": ord(character)},
                code="invisible",
            )
    return found


def _composed(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError(_("This must be text."), code="type")
    return unicodedata.normalize("NFC", value)


def person_name(value: Any) -> str:
    """Return the name without trailing delimiters and without spaces around them."""
    groups = name(value).split("=")
    cleaned = ["^".join(part.strip() for part in group.split("^")).rstrip("^") for group in groups]
    return "=".join(cleaned).rstrip("=")


def code_string(value: Any) -> str:
    return name(value).upper()


def modality(value: Any) -> str:
    """Refuse a usual slip with the term to use: an item with it is one that no scanner finds."""
    code = code_string(value)
    question = modalities.question(code)
    if question:
        raise ValidationError(question, code="slip")
    return code


def ae_titles(value: Any) -> str:
    """Return the AE titles of a list, or of a text with backslashes, each once and in the order given."""
    titles = value.split("\\") if isinstance(value, str) else value
    if not isinstance(titles, list | tuple):
        raise ValidationError(_("This must be an AE title, or several."), code="type")
    return "\\".join(dict.fromkeys(title for part in titles if (title := name(part))))


def da(value: Any) -> date | None:
    """Read a date in DICOM's form (19900101) or ISO 8601 (1990-01-01)."""
    if value is None or isinstance(value, date):
        return value
    given = text(value)
    if not given:
        return None
    match = _DATE.fullmatch(given)
    if not match:
        raise ValidationError(_("This must be a date: 19900131 or 1990-01-31."), code="date")
    year, *rest = (int(part) for part in match.groups() if part)
    try:
        return date(year, *rest)
    except ValueError as error:
        raise ValidationError(_("There is no such date."), code="date") from error


def tm(value: Any) -> time:
    """Read a time in DICOM's form (093000, 0930) or ISO 8601 (09:30), to the second.

    No scanner's schedule is finer. An unknown time is midnight, for scanners refuse an empty one.
    """
    if isinstance(value, time):
        return value.replace(microsecond=0, tzinfo=None)
    given = "" if value is None else text(value)
    if not given:
        return time(0, 0)
    match = _TIME.fullmatch(given)
    if not match:
        raise ValidationError(_("This must be a time: 093000 or 09:30."), code="time")
    try:
        hour, minute, second = (int(part or 0) for part in match.groups())
        return time(hour, minute, second)
    except ValueError as error:
        raise ValidationError(_("There is no such time."), code="time") from error


def kilograms(value: Any) -> Decimal | None:
    """Return the weight to ten grams; an empty one is unknown."""
    number = _number(value)
    return None if number is None else number.quantize(_TEN_GRAMS)


def pounds(value: Any) -> Decimal | None:
    """Convert a weight in pounds to kilograms."""
    number = _number(value)
    return None if number is None else (number * KILOGRAMS_PER_POUND).quantize(_TEN_GRAMS)


def _number(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(text(value) if isinstance(value, str) else str(value))
        if isinstance(value, bool) or not abs(number) < _ABSURD_WEIGHT:
            raise InvalidOperation
    except InvalidOperation as error:
        raise ValidationError(_("This must be a number."), code="number") from error
    return number


def yes_or_no(value: Any) -> bool:
    """An empty value is no; the words are those that a list as CSV has."""
    if value is None or value == "":
        return False
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValidationError(_("This must be true or false."), code="type")
    return value


def extra_attributes(value: Any) -> dict[str, Any]:
    try:
        return extra.check(value if value is not None else {})
    except ValueError as error:
        raise ValidationError(str(error), code="extra_attributes") from error


CLEANERS: Mapping[str, Callable[[Any], Any]] = {
    "patient_name": person_name,
    "patient_id": identifier,
    "patient_birth_date": da,
    "patient_sex": code_string,
    "patient_weight_kg": kilograms,
    "study_instance_uid": name,
    "accession_number": identifier,
    "requested_procedure_id": identifier,
    "scheduled_procedure_step_id": identifier,
    "study_description": text,
    "procedure_description": text,
    "protocol_name": name,
    "hisris_coding_designator": name,
    "referring_physician_name": person_name,
    "requesting_physician": person_name,
    "modality": modality,
    "scheduled_station_aetitle": ae_titles,
    "station_name": name,
    "scheduled_procedure_step_location": name,
    "scheduled_start_date": da,
    "scheduled_start_time": tm,
    "performing_physician": person_name,
    "extra_attributes": extra_attributes,
    "is_qa": yes_or_no,
}
