"""A name falls into parts and is put together again, and people read it without carets.

Not here: the fields of a page (test_admin_item_form.py), how names are compared (test_queries.py).
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import tries
from worklist.dicom import name_parts, person_name
from worklist.items import cleaning

TEXTS = st.text(st.sampled_from("Aéß 山や.,-'’"), max_size=5)
NAMES = st.lists(st.lists(TEXTS, max_size=5).map("^".join), max_size=3).map("=".join)


@pytest.mark.acceptance("D165")
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Tremblay^Zoë", "Tremblay, Zoë"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou 山田, 太郎"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou 山田, 太郎 やまだ, たろう"),
        ("=山田^太郎", "山田, 太郎"),
        ("Adams^John^Robert Quincy^Rev.^B.A. M.Div.", "Adams, Rev. John Robert Quincy, B.A. M.Div."),
        ("Morrison-Jones^Susan^^^Ph.D.", "Morrison-Jones, Susan, Ph.D."),
        ("Doe^^Q", "Doe, Q"),
        ("Doe", "Doe"),
        ("^John", "John"),
        ("van der Berg^Anna^^", "van der Berg, Anna"),
        ("DOE ^ JOHN^^^^", "DOE, JOHN"),
        ("", ""),
        ("^^^", ""),
        ("A^B^C^D^E^F", "A^B^C^D^E^F"),
        ("A=B=C=D", "A=B=C=D"),
    ],
)
def test_people_read_a_name_without_delimiters(name: str, read: str) -> None:
    assert name_parts.readable(name) == read


@pytest.mark.acceptance("D163")
@given(NAMES)
@settings(max_examples=tries(100, nightly=5000))
def test_nothing_is_lost_between_a_stored_name_and_its_parts(name: str) -> None:
    stored = cleaning.person_name(name)
    parts = name_parts.split(stored)
    assert parts is not None
    assert len(parts) == len(name_parts.PARTS)
    assert name_parts.join(parts) == stored


@given(NAMES, NAMES)
@settings(max_examples=tries(100, nightly=5000))
def test_two_names_side_by_side_read_alike_only_if_they_are_compared_as_the_same(
    name: str, other: str
) -> None:
    ours, theirs = name_parts.readable_beside(name, other)
    if person_name.groups(name) != person_name.groups(other):
        assert ours != theirs
    assert ours in (name, name_parts.readable(name))


@pytest.mark.parametrize(
    ("name", "other", "beside"),
    [
        ("Doe^John", "DOE^JOHN^^", ("Doe, John", "DOE, JOHN")),
        ("Doe^John", "Doe, John", ("Doe^John", "Doe, John")),
        ("Doe^John", "Doe^^John", ("Doe^John", "Doe^^John")),
        ("Doe^John", "Roe^Jane", ("Doe, John", "Roe, Jane")),
        ("", "Roe^Jane", ("", "Roe, Jane")),
    ],
)
def test_names_that_differ_never_read_alike_side_by_side(
    name: str, other: str, beside: tuple[str, str]
) -> None:
    assert name_parts.readable_beside(name, other) == beside
