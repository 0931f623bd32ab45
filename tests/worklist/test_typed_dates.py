"""A date that could be two dates is none, at whatever door it comes in.

Not here: the page on which a date is typed (test_admin_item_form.py), scanners' keys (test_matching.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from rest_framework.exceptions import ValidationError as ApiError

from sources.mapping import dates, fitting
from sources.mapping.problems import UnusableValue
from sources.mapping.transforms import Origin
from worklist.admin.date_fields import DayField
from worklist.api.dates import DicomDate, DicomDateFilter
from worklist.dicom import extra, moments
from worklist.items import cleaning, typed_dates

AMBIGUOUS = (
    *(
        "12/03/2015",
        "03/12/2015",
        "12/03/15",
        "3/12/15",
        "12.03.2015",
        "12-03-2015",
        "12 03 2015",
        "12032015",
    ),
    *("150312", "15-03-12", "2015/03/12", "2015-3-12", "2015-0312", "201503-12", "2015312", "1231990"),
    *(
        "12 Mar 15",
        "Mar 12 2015",
        "March 12, 2015",
        "12/Mar/2015",
        "12 M 2015",
        "12 Ma 2015",
        "12 Märch 2015",
    ),
    *("2015-12-03T00:00", "tomorrow", "٢٠١٥-٠٣-١٢"),
)


def _of_a_mapping(target: str) -> Callable[[str], Any]:
    return lambda text: fitting.fit(target, text, origin=Origin.RECORD, today=date(2026, 1, 1))


DOORS: dict[str, Callable[[str], Any]] = {
    "a form of the admin": DayField().clean,
    "a form of Django's own": forms.DateField().clean,
    "what intake is given": cleaning.da,
    "a body of the API": DicomDate().to_internal_value,
    "a filter of the API": DicomDateFilter().field.clean,
    "an extra attribute": lambda text: extra.check({"StudyDate": text}),
    "a date of a source": dates.moment,
    "a birth date of a source": _of_a_mapping("patient_birth_date"),
    "a day of a source": _of_a_mapping("scheduled_start_date"),
    "a day and time of a source": _of_a_mapping("scheduled_start_datetime"),
    "a DICOM attribute of a source": _of_a_mapping("StudyDate"),
    "a key of a query": moments.date_range,
}
# What these take besides is one date and no other.
TAKEN = {
    "a form of Django's own": {"2015-3-12"},
    "a date of a source": {"2015-12-03T00:00"},
    "a birth date of a source": {"2015-12-03T00:00"},
    "a day of a source": {"2015-12-03T00:00"},
    "a day and time of a source": {"2015-12-03T00:00"},
    "a DICOM attribute of a source": {"2015-12-03T00:00"},
}


@pytest.mark.acceptance("D161")
@pytest.mark.parametrize("door", DOORS)
def test_no_door_takes_a_date_that_could_be_two(door: str) -> None:
    taken = set()
    for text in AMBIGUOUS:
        try:
            DOORS[door](text)
        except (ValidationError, ApiError, UnusableValue, ValueError):
            continue
        taken.add(text)
    assert taken == TAKEN.get(door, set())


@pytest.mark.acceptance("D162")
@pytest.mark.parametrize(
    "text",
    [
        *("2015-03-12", "20150312", "12 Mar 2015", "12 March 2015", "12 MAR 2015", "12 march 2015"),
        *(" 12  Mar  2015 ", "2015-03-12\n"),
    ],
)
def test_a_person_types_a_date_in_a_form_that_nobody_misreads(text: str) -> None:
    assert typed_dates.read(text) == date(2015, 3, 12)
    assert DayField().clean(text) == date(2015, 3, 12)
    assert typed_dates.in_words(date(2015, 3, 12)) == "Thursday, 12 March 2015"


@pytest.mark.parametrize("month", typed_dates.MONTHS)
def test_each_month_is_known_by_its_name_and_by_three_letters(month: str) -> None:
    number = typed_dates.MONTHS.index(month) + 1
    assert typed_dates.read(f"1 {month} 2015") == typed_dates.read(f"01 {month[:3]} 2015")
    assert typed_dates.read(f"1 {month} 2015") == date(2015, number, 1)


@pytest.mark.acceptance("D162")
@pytest.mark.parametrize("text", [text for text in AMBIGUOUS if text != "12032015"])
def test_a_refusal_says_which_forms_are_taken(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        DayField().clean(text)
    assert refused.value.messages == ["Write the date as 2015-03-12, 20150312 or 12 Mar 2015."]


@pytest.mark.parametrize(
    "text", ["2015-02-30", "20150230", "30 Feb 2015", "0 Mar 2015", "0000-01-01", "12032015"]
)
def test_a_day_that_the_calendar_lacks_is_told_as_that(text: str) -> None:
    with pytest.raises(ValidationError, match=r"There is no such date\."):
        typed_dates.read(text)
