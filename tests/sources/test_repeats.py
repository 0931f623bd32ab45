"""Rows tell by themselves where a dictionary of some hours ago is wrong about what repeats."""

from __future__ import annotations

import pytest

from sources.dictionary import Dictionary
from sources.mapping.repeats import contradict
from sources.rows import ExportRow
from tests.sources.projects import FIELDS, REPEATING, a_booking, a_dictionary, a_person, a_row

SINGLE = a_dictionary(*FIELDS)
VISITS = {"visit_arm_1": ["enrolment", "mri"]}


@pytest.mark.acceptance("RC175")
@pytest.mark.parametrize(
    ("row", "dictionary", "does"),
    [
        (a_person(mri_date=""), REPEATING, False),
        (a_booking(), REPEATING, False),
        (a_person(mri_date="2026-03-02"), REPEATING, True),
        (a_person(extras___1="0", mri_complete="0"), REPEATING, False),  # of a form that is not on the row
        (a_person(mri_date="2026-03-02"), SINGLE, False),
        (a_booking(), SINGLE, True),
        (a_booking(), a_dictionary(*FIELDS, repeating=None), False),  # the rows alone tell
        (
            a_row(event="visit_arm_1", instance=2),
            a_dictionary(*FIELDS, events=VISITS, repeating={("visit_arm_1", "")}),
            False,
        ),
        (a_row(event="visit_arm_1", instance=2), a_dictionary(*FIELDS, events=VISITS), True),
        (
            a_row(event="visit_arm_1"),
            a_dictionary(*FIELDS, events=VISITS, repeating={("visit_arm_1", "")}),
            True,
        ),
    ],
)
def test_rows_contradict_a_dictionary_by_what_repeats(
    row: ExportRow, dictionary: Dictionary, does: bool
) -> None:
    assert contradict([row], dictionary) is does
