"""A site's patterns are read as Python reads them, and searched within a bound of time."""

from __future__ import annotations

import re
import time
import warnings
from datetime import date

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from sources.contract import Stance
from sources.mapping import check_patterns
from sources.mapping.evaluate import sessions_of
from sources.mapping.patterns import MOST_OVERRUNS, NO_MATCH, SECONDS, TOO_SLOW, InvalidPattern, Pattern
from sources.mapping.problems import UnusableValue
from sources.mapping.rules import MappingPlan, Rule
from tests.redcap.server import RedcapServer
from tests.sources.conftest import MakeSource
from tests.sources.projects import REPEATING, a_booking, a_person, a_plan
from tests.sources.source_pages import save

SLOW = r"^(a|aa)+$"
KEEPS_IT_BUSY = "a" * 80 + "!"
PIECES = [
    *("a", "b", "0", "-", " ", ".", "^", "$", "_", "|", r"\d", r"\w", r"\s", r"\b", r"\Z", "[a-c]", "[^-]"),
    *("[]a]", "[^]a]", "[[:alpha:]]", "[[a]", "[a&&b]", "[a--b]", "{", "}", "{a}", "{}", "{,}", "{,2}"),
    *("{1,2}", "{e}", "{e<=1}", "*", "+", "?", "*?", "(", ")", "(?:", "(?=", "(?!", "(?<=a)", "(?i:", r"\1"),
    *("(?i)", "(?P<n>", "(?P=n)", "(?(1)a|b)", "é", "ß"),
]


def a_slow_plan() -> MappingPlan:
    return a_plan(Rule("accession_number", "notes", transforms=f"pattern 0 {SLOW}"))


def found_by_python(expression: str, value: str) -> tuple[object, ...] | None:
    match = re.compile(expression).search(value)
    return match and (match.span(), match.groups())


@pytest.mark.acceptance("H100")
@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=7), st.text("abAB0-. {}[]e_éß\n", max_size=8))
def test_what_python_finds_is_found(pieces: list[str], value: str) -> None:
    expression = "".join(pieces)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = found_by_python(expression, value)
        except (re.error, OverflowError):
            with pytest.raises(InvalidPattern):
                Pattern(expression)
            return
        match = Pattern(expression)._searched.search(value)

    assert (match and (match.span(), match.groups())) == expected


@pytest.mark.acceptance("H100")
@pytest.mark.parametrize(
    "expression",
    [
        *("(", "a{1,99999999999}", "(" * 500 + ")" * 500, "(?:(?:a{1000}){1000}){1000}", "a" * 1001),
        *("(?:a{1000}[)]){1000}", r"(?:a{1000}\)){1000}", "[]a](?:a{900}){900}"),
    ],
    ids=map(str, range(8)),
)
def test_what_is_none_or_would_fill_the_memory_is_refused(expression: str) -> None:
    began = time.process_time()

    with pytest.raises(InvalidPattern):
        Pattern(expression)

    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("expression", [r"[A-Z]{1,100}_\d{1,100}_.{1,100}", "(?:[(]a{9}){9}", "a{0}b{,5}"])
def test_what_is_meant_is_taken(expression: str) -> None:
    Pattern(expression)


@pytest.mark.acceptance("H100")
def test_a_search_that_does_not_end_is_a_problem_that_holds_no_value() -> None:
    pattern, began = Pattern(SLOW), time.process_time()

    with pytest.raises(UnusableValue) as error:
        pattern.group(KEEPS_IT_BUSY, 0)

    assert str(error.value) == TOO_SLOW
    assert time.process_time() - began < 10 * SECONDS
    assert pattern.group("aaa", 0) == "aaa"
    with pytest.raises(UnusableValue, match=re.escape(NO_MATCH)):
        pattern.group("b", 0)


@pytest.mark.acceptance("H100")
def test_thousands_of_such_values_take_no_longer_than_a_few() -> None:
    pattern, began = Pattern(SLOW), time.process_time()

    for _ in range(5000):
        with pytest.raises(UnusableValue, match="too long"):
            pattern.group(KEEPS_IT_BUSY, 0)

    assert time.process_time() - began < 3 * MOST_OVERRUNS * SECONDS


@pytest.mark.acceptance("H101")
def test_the_value_is_an_issue_of_its_row_and_all_else_of_the_session_is_taken() -> None:
    rows = [a_person(), a_booking(notes=KEEPS_IT_BUSY)]
    (session,) = sessions_of(rows, a_slow_plan(), REPEATING, today=date(2026, 3, 1))

    told = [problem for problem in session.problems if problem.target == "accession_number"]
    assert [(problem.field, problem.text, problem.blocks) for problem in told] == [("notes", TOO_SLOW, False)]
    assert session.stance is Stance.WANTED


@pytest.mark.acceptance("H101")
@pytest.mark.parametrize("expression", [SLOW, "^(Q|Qw|w|Qe)+$", "^(é|éé)+$", r"^(\d|\d\d|-)+#"])
def test_a_slow_pattern_is_told_when_it_is_saved(expression: str) -> None:
    plan = a_plan(Rule("accession_number", "notes", transforms=f"upper\npattern 0 {expression}"))
    began = time.process_time()

    mistakes = check_patterns.slow(plan)

    assert [(plan.rules[mistake.rule or 0].target, mistake.field) for mistake in mistakes] == [
        ("accession_number", "transforms")
    ]
    assert time.process_time() - began < 1.5


@pytest.mark.acceptance("H101")
@pytest.mark.parametrize("expression", [SLOW, "(a"])
def test_such_a_row_is_refused_in_the_admin_and_one_from_before_keeps_nobody_from_another_change(
    make_source: MakeSource, redcap: RedcapServer, client: Client, alice: User, expression: str
) -> None:
    source = make_source(redcap)
    client.force_login(alice)
    row = next(place for place, rule in enumerate(source.rules.all()) if rule.target == "PatientComments")

    response = save(client, source, **{f"rules__{row}__transforms": f"pattern 0 {expression}"})

    inline, *_ = response.context["inline_admin_formsets"]
    assert "transforms" in inline.formset.forms[row].errors
    if expression == SLOW:
        source.rules.filter(target="PatientComments").update(transforms=f"pattern 0 {SLOW}")
        assert save(client, source, sync_interval="90").redirect_chain


@pytest.mark.acceptance("H101")
@pytest.mark.parametrize(
    "expression",
    [r"^([A-Z]+)-(\d+)$", r"(?:sub-)?([A-Za-z0-9]+)(?:_ses-(\d+))?$", r".*?(\d+).*", "(.+)-", "([^-]+)$"],
)
def test_a_pattern_as_sites_write_them_is_not(expression: str) -> None:
    assert (
        check_patterns.slow(a_plan(Rule("accession_number", "notes", transforms=f"pattern 0 {expression}")))
        == ()
    )
