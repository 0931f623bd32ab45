"""What an archive answers is read as its representation says, and is nothing where it cannot be."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives import answers
from archives.contract import UIDS_AT_ONCE, FoundStudy
from archives.lost_letters import may_have_lost
from archives.uid_lists import UidLists
from sources.errors import ConfigurationError

UID = {"0020000D": {"vr": "UI", "Value": ["1.2"]}}
SERIES_UID = {"0020000E": {"vr": "UI", "Value": ["1.2.3"]}}


@pytest.mark.acceptance("CL45")
@pytest.mark.parametrize(
    ("tag", "value", "field", "read"),
    [
        ("00080020", "20261126", "study_date", date(2026, 11, 26)),
        ("00080020", "2026.11.26", "study_date", date(2026, 11, 26)),
        ("00080020", "20261126-", "study_date", None),
        ("00080020", "20261126-20261126", "study_date", None),
        ("00080020", "20260230", "study_date", None),
        ("00100030", "", "patient_birth_date", None),
        ("00080030", "0915", "study_time", time(9, 15)),
        ("00080030", "091500.123", "study_time", time(9, 15, 0, 123000)),
        ("00080030", "25", "study_time", None),
        ("00100020", " P1 ", "patient_id", "P1"),
        ("00100020", "P\0001", "patient_id", "P1"),
        ("00100020", None, "patient_id", ""),
        ("00100010", {"Alphabetic": "Doe^Jane", "Phonetic": "x"}, "patient_name", "Doe^Jane==x"),
        ("00201206", 3, "series_count", 3),
        ("00201206", "3 ", "series_count", 3),
        ("00201206", -3, "series_count", None),
        ("00201206", 2**31, "series_count", None),
        ("00201206", "many", "series_count", None),
    ],
)
def test_a_value_is_read_or_nothing(tag: str, value: Any, field: str, read: Any) -> None:
    found = answers.study({**UID, tag: {"vr": "UN", "Value": [value]}})

    assert getattr(found, field) == read


@pytest.mark.acceptance("CL212")
@pytest.mark.parametrize(("length", "is_read"), [(64, True), (65, False), (300, False)])
def test_what_is_longer_than_a_uid_names_no_study(length: int, *, is_read: bool) -> None:
    """It would fit into no column, and one such answer would cost all others of its round."""
    found = answers.study({"0020000D": {"vr": "UI", "Value": ["1." + "2" * (length - 2)]}})
    assert (found is not None) is is_read


@pytest.mark.acceptance("CL45")
@pytest.mark.parametrize(
    ("value", "read"),
    [
        *((61.5, "61.5"), ("61.50", "61.50"), (61, "61"), ("1e2", "100"), (0, None), ("-5", None)),
        *(("NaN", None), ("Infinity", None), ("1e300", None), ("61,5", None), ("", None), (None, None)),
    ],
)
def test_a_weight_is_a_positive_number_or_nothing(value: Any, read: str | None) -> None:
    found = answers.series({**SERIES_UID, "00101030": {"vr": "DS", "Value": [value]}})

    assert found is not None
    assert found.patient_weight_kg == (Decimal(read) if read else None)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "1\0", "20261126", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Alphabetic", "vr", "0020000D"]), inner, max_size=2)
    ),
    max_leaves=4,
)
TAGS = st.sampled_from(["0020000D", "0020000E", "00100010", "00080020", "00080030", "00101030", "00201206"])


@pytest.mark.acceptance("CL45")
@given(st.dictionaries(TAGS, st.fixed_dictionaries({"Value": ANYTHING | st.lists(ANYTHING, max_size=2)})))
def test_nothing_that_an_archive_says_raises(found: dict[str, Any]) -> None:
    for read in (answers.study(found), answers.series(found)):
        assert read is None or all("\0" not in str(value) for value in vars(read).values())


class Archive:
    """It holds some UIDs, and takes a list in one of the ways in which archives do."""

    def __init__(self, held: set[str], lists: str) -> None:
        self.held, self.lists, self.questions = held, lists, 0

    def ask(self, uids: Any) -> list[FoundStudy]:
        self.questions += 1
        assert len(uids) <= UIDS_AT_ONCE
        if len(uids) > 1 and self.lists == "refused":
            raise ConfigurationError("no lists")
        taken = {"literal": ["\\".join(uids)], "first": uids[:1], "last": uids[-1:]}.get(self.lists, uids)
        everything = sorted(self.held) if self.lists == "ignored" else taken
        return [FoundStudy(uid) for uid in everything if uid in self.held]


@pytest.mark.acceptance("CL32")
@given(
    st.lists(st.integers(0, 300).map(lambda n: f"1.2.{n}"), max_size=200),
    st.sets(st.integers(0, 300).map(lambda n: f"1.2.{n}"), max_size=200),
    st.sampled_from(["matched", "literal", "first", "last", "refused", "ignored"]),
)
def test_lists_find_what_single_questions_find(wanted: list[str], held: set[str], lists: str) -> None:
    archive = Archive(held, lists)

    found = UidLists(archive.ask).studies(wanted)

    distinct = list(dict.fromkeys(wanted))
    assert [study.study_instance_uid for study in found] == [uid for uid in distinct if uid in held]
    batches = -(-len(distinct) // UIDS_AT_ONCE)
    assert archive.questions <= len(distinct) + batches
    if lists == "matched" and len(found) > 1 and len(distinct) <= UIDS_AT_ONCE:
        assert archive.questions == 1


@pytest.mark.acceptance("CL47")
@pytest.mark.parametrize(
    ("name", "answered", "may"),
    [
        ("Wałęsa^Łukasz", "Wasa^ukasz", True),
        ("Wałęsa^Łukasz", "Wa??sa^?ukasz", True),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=^", True),
        ("Müller^Jürgen", "Mller^Jrgen", True),
        ("Müller^Jürgen", "Müller^Jürgen", False),
        ("Wałęsa^Łukasz", "Wałęsa^Łukasz", False),
        ("Wałęsa^Łukasz", "Wasa^Lukasz", False),
        ("Doe^Jane", "Doe^Jan", False),
        ("Doe^Jane", "", False),
    ],
)
def test_a_name_may_have_lost_letters_on_its_way(name: str, answered: str, may: bool) -> None:
    assert may_have_lost(name, answered) == may
