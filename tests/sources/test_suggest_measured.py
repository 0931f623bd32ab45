"""Suggestions are measured on dictionaries whose right answers were written down before (`dictionaries`).

What a single rule of the scoring does is in `test_suggest`.
"""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.dictionary import Dictionary, Field
from sources.mapping import check
from sources.mapping.suggest import suggest
from tests.sources import dictionaries
from tests.sources.dictionaries import ASKED, Answer, Study
from tests.sources.projects import a_dictionary, a_field

STUDIES = dictionaries.studies()
ANSWERS = [answer for study in STUDIES for answer in dictionaries.answers(study, suggest(study.dictionary))]
A_SHARE_OF_RIGHT = 0.95


def told(answers: list[Answer]) -> list[str]:
    return [f"{each.study}, {each.asked}: {each.suggested}, not {each.right}" for each in answers]


@pytest.mark.acceptance("RC116")
def test_nothing_wrong_is_taken() -> None:
    assert told([answer for answer in ANSWERS if answer.is_wrong]) == []


@pytest.mark.acceptance("RC116")
def test_what_is_right_is_found_and_what_is_doubtful_is_left_open() -> None:
    missed = [answer for answer in ANSWERS if answer.is_missed]

    assert len(missed) <= (1 - A_SHARE_OF_RIGHT) * len(ANSWERS), told(missed)


@pytest.mark.acceptance("RC116")
def test_what_there_is_to_find_is_found_in_each_language() -> None:
    """Without the many fields that are rightly left alone, which make a share look good."""
    by_language = {study.name: study.language for study in STUDIES}
    asked = [answer for answer in ANSWERS if answer.right not in (dictionaries.OPEN, dictionaries.NOTHING)]
    for language in ("English", "German", "French", "Spanish"):
        found = [answer.is_right for answer in asked if by_language[answer.study] == language]
        assert len(found) >= 20
        assert sum(found) >= A_SHARE_OF_RIGHT * len(found), language


def test_the_dictionaries_are_many_and_ask_for_everything() -> None:
    assert len(STUDIES) >= 20
    for asked in ASKED:
        assert (
            sum(study.right[asked] not in (dictionaries.OPEN, dictionaries.NOTHING) for study in STUDIES) >= 5
        )
    assert sum(answer.right == dictionaries.OPEN for answer in ANSWERS) >= 10
    assert any(study.dictionary.repeating for study in STUDIES)
    assert any(study.dictionary.is_longitudinal for study in STUDIES)


@pytest.mark.acceptance("RC117")
@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_each_candidate_has_a_reason_and_passes_the_check(study: Study) -> None:
    sound(study.dictionary)


def sound(dictionary: Dictionary) -> None:
    """Hold what must be true of any suggestion."""
    suggestion = suggest(dictionary)
    assert all(mistake.is_gap for mistake in check.mistakes(suggestion.plan, dictionary))
    assert [rule for each in suggestion.proposals for one in each.candidates if one.key == each.taken
            for rule in one.rules] == list(suggestion.plan.rules)  # fmt: skip
    for proposal in suggestion.proposals:
        assert 1 <= len(proposal.candidates) <= 6
        assert len({each.key for each in proposal.candidates}) == len(proposal.candidates)
        assert proposal.is_taken or proposal.remark
        scores = [each.score for each in proposal.candidates]
        assert scores == sorted(scores, reverse=True)
        for each in proposal.candidates:
            assert 0 <= each.score <= 100
            assert each.reason[0].isupper() or not each.reason[0].isalpha()
            assert each.reason.endswith(".")
            assert set(each.fields) <= dictionary.fields.keys()


@pytest.mark.acceptance("RC117")
@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_person_may_choose_any_candidate_or_none(study: Study) -> None:
    for proposal in suggest(study.dictionary).proposals:
        for key in ("", *(each.key for each in proposal.candidates)):
            again = suggest(study.dictionary, chosen={proposal.target: key})
            (same,) = [each for each in again.proposals if each.target == proposal.target]
            assert same.taken == key
            assert [each.key for each in same.candidates] == [each.key for each in proposal.candidates]
            assert all(mistake.is_gap for mistake in check.mistakes(again.plan, study.dictionary))


NAMES = (
    *("dob", "parent_dob", "sex", "weight", "wt_kg", "mri_date", "mri_time", "scan", "status", "study_id"),
    *("first_name", "last_name", "protocol", "poids", "gewicht", "fecha", "visit", "x", "scanner"),
)
ENDINGS = ("", "_kg", "_end", "_2", "_mother")
TYPES = (("text", ""), ("text", "date_ymd"), ("text", "datetime_ymd"), ("text", "time"), ("text", "number"),
         ("text", "integer"), ("text", "email"), ("calc", ""), ("radio", ""), ("yesno", ""), ("checkbox", ""),
         ("notes", ""), ("file", ""), ("descriptive", ""), ("slider", ""), ("sql", ""))  # fmt: skip
LABELS = (
    "",
    "Date of birth",
    "Weight (kg)",
    "Mother's weight in lb",
    "Sex",
    "Größe",
    "MRT-Termin",
    "出生日期",
)
CHOICES: tuple[dict[str, str], ...] = (
    {"1": "Male", "2": "Female"},
    {"1": "Yes", "0": "No"},
    {"a": "Booked", "b": "Cancelled"},
    {},
)


@st.composite
def fields(draw: st.DrawFn, number: int) -> Field:
    kind, validation = draw(st.sampled_from(TYPES))
    has_choices = kind in ("radio", "yesno", "checkbox")
    return a_field(
        f"{draw(st.sampled_from(NAMES))}{draw(st.sampled_from(ENDINGS))}_{number}",
        draw(st.sampled_from(["a", "mri", "parent"])),
        kind,
        label=draw(st.sampled_from(LABELS)),
        choices=draw(st.sampled_from(CHOICES)) if has_choices else {},
        validation=validation,
    )


@pytest.mark.acceptance("RC117")
@given(st.data())
def test_whatever_a_dictionary_holds_nothing_is_taken_that_the_check_refuses(data: st.DataObject) -> None:
    found = [data.draw(fields(number)) for number in range(data.draw(st.integers(0, 12)))]
    repeating = data.draw(st.sampled_from([(), {("", "mri")}, None]))

    sound(a_dictionary(a_field("record_id", "a"), *found, repeating=repeating))


QUESTIONS = (
    "How often did you feel nervous in the last two weeks? ({})",
    "Child's weight at visit {} (kg)",
    "Date of questionnaire {}",
    "What is your parent's sex? ({})",
    "Körpergröße in cm, Übung {}",
    "Weight of task {}",
    "Time of day {}",
    "Version {} of the protocol",
    "Scan {} status",
)


@pytest.mark.acceptance("RC116")
def test_forty_thousand_fields_take_a_second_or_two() -> None:
    chance = random.Random(1)
    many = [_question(number, chance) for number in range(40_000)]
    dictionary = a_dictionary(
        a_field("record_id", "form_0"),
        a_field("dob", "form_0", label="Date of birth", validation="date_ymd"),
        *many,
        a_field("mri_date", "mri", label="Date of MRI", validation="date_ymd"),
    )

    before = time.process_time()
    suggestion = suggest(dictionary)
    seconds = time.process_time() - before

    fields = {rule.target: rule.field for rule in suggestion.plan.rules}
    assert (fields["patient_birth_date"], fields["scheduled_start_date"]) == ("dob", "mri_date")
    assert seconds < 5  # about one on an idle machine


def _question(number: int, chance: random.Random) -> Field:
    kind, validation = chance.choice((*TYPES[:6], *[("radio", "")] * 6, *[("text", "")] * 3))
    return a_field(
        f"scale{number // 100}_{number}",
        f"form_{number // 100}",
        kind,
        label=chance.choice(QUESTIONS).format(number),
        choices={"0": "Never", "1": "Sometimes", "2": "Often"} if kind == "radio" else {},
        validation=validation,
    )
