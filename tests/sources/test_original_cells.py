"""Each kind of cell that the original's worklist may hold means what it can mean, or is unknown and told."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.original import cells, options
from sources.original.cells import Known, Start
from tests.effort import tries
from tests.sources.originals import ROOT
from worklist.items import cleaning
from worklist.models import Status

DAY = date(2026, 11, 29)


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("day", "at", "start"),
    [
        ("2026-11-29", "09:30", Start(DAY, time(9, 30))),
        ("20261129", "093000", Start(DAY, time(9, 30))),
        ("20261129", "0930", Start(DAY, time(9, 30))),
        ("2026-11-29", "9:30", Start(DAY, time(9, 30))),
        ("2026-11-29", "09:30:15", Start(DAY, time(9, 30, 15))),
        ("2026-11-29 09:30", "", Start(DAY, time(9, 30))),
        ("2026-11-29T09:30:00.000", "", Start(DAY, time(9, 30))),
        ("2026-11-29 00:00", "08:00", Start(DAY, time(8))),
        ("2026-11-29 09:30", "morning", Start(DAY, None)),
        (" 2026-11-29 ", "", Start(DAY, None)),
        ("2026-11-29", "half past nine", Start(DAY, None)),
        ("2026-11-29", "93000", Start(DAY, None)),
        ("2026-11-29", "25:00", Start(DAY, None)),
        ("2026-02-30", "09:30", Start(None, None)),
        ("11/12/2026", "09:30", Start(None, None)),
        ("next week", "09:30", Start(None, None)),
        ("2026", "09:30", Start(None, None)),
        ("UNK", "UNK", Start(None, None)),
        ("", "09:30", Start(None, None)),
    ],
)
def test_a_start_is_read_or_not_known(day: str, at: str, start: Start) -> None:
    assert cells.start(day, at) == start


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("20120305", Known(date(2012, 3, 5))),
        ("2012-03-05", Known(date(2012, 3, 5))),
        ("2012", Known(None, cells.YEAR_ALONE)),
        ("20120101", Known(date(2012, 1, 1), cells.FIRST_OF_JANUARY)),
        ("2012-01-01", Known(date(2012, 1, 1), cells.FIRST_OF_JANUARY)),
        ("19000101", Known(None, cells.DEFAULT_BIRTH_DATE)),
        ("1900-01-01", Known(None, cells.DEFAULT_BIRTH_DATE)),
        ("", Known(None)),
        ("05.03.2012", Known(None, cells.NO_BIRTH_DATE)),
        ("20121301", Known(None, cells.NO_BIRTH_DATE)),
    ],
)
def test_a_birth_date_is_never_made_of_a_year(text: str, known: Known) -> None:
    assert cells.birth_date(text) == known


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("text", "codes", "known"),
    [
        ("M", {}, Known("M")),
        ("f", {}, Known("F")),
        ("O", {}, Known("O")),
        ("", {}, Known("")),
        ("1", {}, Known("", cells.CODE_OF_SEX)),
        ("Female", {}, Known("", cells.CODE_OF_SEX)),
        ("1", {"1": "M", "2": "F"}, Known("M")),
        ("2", {"1": "M", "2": "F"}, Known("F")),
        ("3", {"1": "M", "2": "F"}, Known("", cells.CODE_OF_SEX)),
        ("2.0", {"1": "M", "2": "F"}, Known("", cells.CODE_OF_SEX)),
        ("Female", {"Female": "F"}, Known("F")),
    ],
)
def test_a_code_of_sex_means_what_a_person_says(text: str, codes: dict[str, str], known: Known) -> None:
    assert cells.sex(text, codes) == known


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("154.3", Known(Decimal("69.99"))),
        ("80", Known(Decimal("36.29"))),
        ("100", Known(None, cells.DEFAULT_WEIGHT_TOLD)),
        ("100.0", Known(None, cells.DEFAULT_WEIGHT_TOLD)),
        (" 100 ", Known(None, cells.DEFAULT_WEIGHT_TOLD)),
        ("100.1", Known(Decimal("45.40"))),
        ("", Known(None)),
        ("80 lb", Known(None, cells.NO_WEIGHT)),
        ("NaN", Known(None, cells.NO_WEIGHT)),
        ("1e9", Known(None, cells.NO_WEIGHT)),
    ],
)
def test_pounds_become_kilograms_and_the_default_is_unknown(text: str, known: Known) -> None:
    assert cells.weight(text) == known


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("text", "meanings", "modality"),
    [
        ("MR", {}, "MR"),
        ("mr", {}, "MR"),
        ("SMR", {}, "SMR"),
        ("MRI", {}, ""),
        ("7T Terra", {}, ""),
        ("7T TERRA", {}, ""),
        ("7T Terra", {"7T Terra": "MR"}, "MR"),
        ("7t terra", {"7T Terra": "MR"}, ""),
        ("", {}, ""),
        ("", {"": "MR"}, "MR"),
        ("A MUCH TOO LONG CODE", {}, ""),
    ],
)
def test_a_modality_is_one_that_a_scanner_asks_for(
    text: str, meanings: dict[str, str], modality: str
) -> None:
    assert cells.modality(text, meanings) == modality


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("SCHEDULED", Status.SCHEDULED),
        ("IN_PROGRESS", Status.IN_PROGRESS),
        ("In Progress", Status.IN_PROGRESS),
        ("COMPLETED", Status.COMPLETED),
        ("DISCONTINUED", Status.DISCONTINUED),
        ("CANCELLED", None),
        ("1", None),
        ("", None),
    ],
)
def test_a_status_is_one_of_four(text: str, status: Status | None) -> None:
    assert cells.status(text) == status


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("text", "uid"),
    [
        (f"{ROOT}12345", f"{ROOT}12345"),
        (f" {ROOT}12345\0", f"{ROOT}12345"),
        ("1", "1"),
        ("12345", "12345"),
        ("booking-17", ""),
        ("1.02.3", ""),
        ("1." * 40 + "1", ""),
        ("", ""),
    ],
)
def test_a_uid_is_kept_where_it_is_legal(text: str, uid: str) -> None:
    assert cells.uid(text) == uid


@settings(max_examples=tries(50, nightly=5000))
@given(text=st.text(max_size=30), other=st.text(max_size=12))
def test_no_cell_is_too_strange_to_be_told(text: str, other: str) -> None:
    start = cells.start(text, other)
    known: list[Any] = [cells.birth_date(text), cells.sex(text, {}), cells.weight(text)]

    assert start.day is not None or start.at is None
    assert all(each.note or not cleaning.text(text) for each in known if each.value in ("", None))
    assert cells.status(text) in {None, *Status}


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (options.sex_codes, "1=M, 2=f", {"1": "M", "2": "F"}),
        (options.sex_codes, "", {}),
        (options.modalities, "7T Terra=MR, =MR", {"7T Terra": "MR", "": "MR"}),
    ],
)
def test_a_person_says_what_codes_mean(read: Any, text: str, found: dict[str, str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (options.sex_codes, "1=male", "MALE is no sex of DICOM's"),
        (options.sex_codes, "=M", "which code each sex has"),
        (options.sex_codes, "1", "what it means: 1=M, 2=F"),
        (options.sex_codes, "1=M,1=F", "1 is given twice"),
        (options.modalities, "7T Terra=MRI", "Did you mean MR"),
        (options.modalities, "7T Terra=no modality at all", "no modality at all: "),
    ],
)
def test_what_is_no_meaning_is_refused_with_its_reason(read: Any, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(text)
