"""Questions to Calpendo are written by its grammar, every group closed; a stand-in reads them back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.calpendo import questions
from sources.calpendo.literals import DateLiteral, written
from sources.calpendo.query import Comparison, Expression, Group, Operator, Relation, write
from tests.calpendo import grammar
from tests.calpendo.bookings import EEG, Booking, Named
from tests.calpendo.grammar import Compared, Joined, Misread, Read
from tests.calpendo.original import question as question_of_the_original
from tests.calpendo.server import CalpendoServer

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
VALUES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12)


def is_askable(path: str, value: str) -> bool:
    try:
        Comparison(path, Relation.EQ, value)
    except ValueError:
        return False
    return True


COMPARISONS = (
    st.tuples(PATHS, st.sampled_from(Relation), VALUES | st.sampled_from(["CLOSE", "3T/PET", "OR"]))
    .filter(lambda drawn: is_askable(drawn[0], drawn[2]))
    .map(lambda drawn: Comparison(*drawn))
)
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    COMPARISONS,
    lambda inner: st.builds(
        Group, st.sampled_from(Operator), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=5,
)


def as_read(expression: Expression) -> Read:
    if isinstance(expression, Comparison):
        return Compared(expression.path, expression.relation.value, expression.value)
    return Joined(expression.operator.value, tuple(map(as_read, expression.parts)))


@pytest.mark.acceptance("FI80")
@given(EXPRESSIONS)
def test_what_is_written_is_read_back_as_the_same_tree(expression: Expression) -> None:
    assert grammar.read(write(expression)) == as_read(expression)


@pytest.mark.acceptance("FI80")
@given(EXPRESSIONS)
def test_only_what_closes_the_end_may_be_left_out(expression: Expression) -> None:
    shortened = write(expression)
    while shortened.endswith("/CLOSE") and not _is_value_at_the_end(expression):
        shortened = shortened.removesuffix("/CLOSE")
        assert grammar.read(shortened) == as_read(expression)


def _is_value_at_the_end(expression: Expression) -> bool:
    while isinstance(expression, Group):
        expression = expression.parts[-1]
    return expression.value == "CLOSE"


@pytest.mark.acceptance("FI80")
def test_the_question_of_a_pull_is_written_so() -> None:
    asked = questions.in_window(
        ["3T/PET", "EEG Lab"], date(2026, 1, 27), date(2026, 1, 28), DateLiteral.DASHED
    )

    assert write(asked) == (
        "AND/dateRange.start/GE/20260126-0000/dateRange.start/LT/20260130-0000"
        "/OR/resource.name/EQ/3T%2FPET/resource.name/EQ/EEG%20Lab/CLOSE/CLOSE"
    )


def test_one_resource_needs_no_group() -> None:
    day = date(2026, 1, 27)

    assert "OR" not in write(questions.in_window(["3T"], day, day, DateLiteral.DOCUMENTED))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("resource.name", ""), ("resource.name", "."), ("resource.name", ".."), ("resource.name", "a\nb"),
        ("resource.name", "__NULL__"), ("CLOSE", "x"), ("and", "x"), ("a/b", "x"), ("", "x"), ("a..b", "x"),
        ("a b", "x"), ("1a", "x"),
    ],
)  # fmt: skip
def test_what_a_path_cannot_carry_is_refused(path: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"Calpendo cannot|A path has"):
        Comparison(path, Relation.EQ, value)


def test_a_group_joins_something() -> None:
    with pytest.raises(ValueError, match="has none"):
        Group(Operator.AND, ())


@pytest.mark.parametrize(
    ("form", "text"), [(DateLiteral.DOCUMENTED, "20140526T1200"), (DateLiteral.DASHED, "20140526-1200")]
)
def test_a_moment_has_two_forms(form: DateLiteral, text: str) -> None:
    assert written(datetime(2014, 5, 26, 12), form) == text


# What the original asked

MORNING = datetime(2026, 1, 27, 9)


def bookings() -> list[Booking]:
    def at(hour: int, number: int, **changes: object) -> Booking:
        start = MORNING.replace(hour=hour)
        return Booking(number, "SUB001", start, start + timedelta(hours=1), **changes)  # type: ignore[arg-type]

    return [
        at(9, 1),
        at(10, 2, status="Denied"),
        at(11, 3, resource=EEG),
        at(12, 4, resource=Named(9, "Mock Scanner")),
    ]


@pytest.mark.acceptance("FI81")
def test_the_question_of_the_original_means_something_else() -> None:
    """Its OR is not closed: the state is one more alternative, to the resources."""
    day = MORNING.replace(hour=0)
    asked = question_of_the_original(day, day + timedelta(days=1), ["3T Diagnostic", "EEG Lab"], "Approved")
    assert "CLOSE" not in asked

    with CalpendoServer(bookings=bookings()) as server:
        found = [each.id for each in server.found(asked)]
    assert found == [1, 2, 3, 4], "A denied booking, and one of a resource that nobody asked for."


@pytest.mark.acceptance("FI81")
def test_the_question_here_means_what_is_said() -> None:
    asked = questions.in_window(
        ["3T Diagnostic", "EEG Lab"], MORNING.date(), MORNING.date(), DateLiteral.DASHED
    )

    with CalpendoServer(bookings=bookings()) as server:
        assert [each.id for each in server.found(write(asked))] == [1, 2, 3]


@pytest.mark.parametrize(
    "path",
    ["AND", "AND/CLOSE", "title/EQ", "title/IS/x", "CLOSE", "title/EQ/x/CLOSE", "OR/a/EQ/b/CLOSE/c/EQ/d"],
)
def test_the_stand_in_refuses_what_is_no_expression(path: str) -> None:
    with pytest.raises(Misread):
        grammar.read(path)
