"""A field of an item, and its value, are written as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.dicom import name_parts
from worklist.models import PERSON_NAMES, Sex, Status, WorklistItem

# Where a form's label is longer than what people say.
SHORT = {
    "patient_name": gettext_lazy("name"),
    "patient_birth_date": gettext_lazy("birth date"),
    "patient_sex": gettext_lazy("sex"),
    "patient_weight_kg": gettext_lazy("weight"),
    "scheduled_start_date": gettext_lazy("date"),
    "scheduled_start_time": gettext_lazy("time"),
    "scheduled_station_aetitle": gettext_lazy("scanner"),
    "protocol_name": gettext_lazy("protocol"),
}
DATES = frozenset({"patient_birth_date", "scheduled_start_date"})
UNKNOWN_TIME = time(0, 0)
EXTRA = "extra_attributes"


def label(field: str) -> str:
    """Return what people call a field; a DICOM keyword is its own name."""
    if field in SHORT:
        return str(SHORT[field])
    if field[:1].isupper():
        return field
    column: Any = WorklistItem._meta.get_field(field)
    return str(column.verbose_name)


def value(field: str, given: Any) -> str:
    """Write what the field holds, or held once, also as JSON has it."""
    if field == "scheduled_start_time":
        return _time(given)
    if given is None or given == "" or given == {}:
        return _("none")
    if field == "patient_weight_kg":
        return _("%(number)s kg") % {"number": number(given)}
    if field == "arrived_at":
        return _moment(given)
    if field in DATES:
        return date_format(given if isinstance(given, date) else date.fromisoformat(given))
    return _text(field, given)


def moment(day: date, at: time) -> str:
    """Write when an item is scheduled; a time that is not known is said to be so."""
    if at == UNKNOWN_TIME:
        return _("%(day)s, time not known") % {"day": date_format(day)}
    return f"{date_format(day)}, {time_format(at)}"


def changed(field: str, old: Any, new: Any) -> Iterator[str]:
    """Yield a line for what differs; of extra attributes one for each keyword."""
    if field == EXTRA:
        old, new = old or {}, new or {}
        keywords = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        for keyword in keywords:
            yield from changed(keyword, old.get(keyword, ""), new.get(keyword, ""))
        return
    before, after = beside(field, old, new)
    yield _("%(field)s: %(old)s → %(new)s") % {"field": label(field), "old": before, "new": after}


def beside(field: str, one: Any, other: Any) -> tuple[str, str]:
    """Write two values; two names that would read alike stay as DICOM has them."""
    if field in PERSON_NAMES and one and other:
        return name_parts.readable_beside(str(one), str(other))
    return value(field, one), value(field, other)


def number(given: Any) -> str:
    """Write a number without the noughts that only its column has."""
    text = f"{Decimal(given):f}"
    return str(number_format(Decimal(text.rstrip("0").rstrip(".") if "." in text else text)))


def _moment(given: Any) -> str:
    at = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def _time(given: Any) -> str:
    at = given if isinstance(given, time) else time.fromisoformat(given or "00:00")
    return _("not known") if at == UNKNOWN_TIME else time_format(at)


def _text(field: str, given: Any) -> str:
    if field in PERSON_NAMES:
        return name_parts.readable(str(given))
    if field == "patient_sex" and given in Sex.values:
        return str(Sex(given).label)
    if field == "performed_procedure_step_status" and given in Status.values:
        return str(Status(given).label)
    if field == "scheduled_station_aetitle":
        return ", ".join(filter(None, str(given).split("\\")))
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
