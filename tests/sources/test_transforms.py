"""Each line of a rule's transforms changes a value; of a line that is none something is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.mapping import codes
from sources.mapping.problems import UnusableValue
from sources.mapping.transforms import TransformError, parse


@dataclass
class Around:
    choices: Mapping[str, str] = field(default_factory=dict)
    is_checkbox: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    def value_of(self, name: str) -> str:
        return self.names[name]


NAMES = {"study_id": "0042", "session": "2", "family_id": "F-7", "nothing": "", "site_id": "792"}
LABELS = {"1": "Brain", "2": "Knee"}


def applied(lines: str, value: str, around: Around | None = None) -> str:
    for transform in parse(lines):
        value = transform.apply(value, around or Around(names=NAMES, choices=LABELS))
    return value


@pytest.mark.parametrize(
    ("lines", "value", "after"),
    [
        ("upper", "abc", "ABC"),
        ("LOWER", "ABC", "abc"),
        ("strip", " a ", "a"),
        ("pad 4", "42", "0042"),
        ("pad 4", "00421", "00421"),
        ("characters 1-4", "CPIP0042", "CPIP"),
        ("characters 5-", "CPIP0042", "0042"),
        ("part 2 of -", "CPIP-0042-B", "0042"),
        ("part last of -", "CPIP-0042-B", "B"),
        ("part 1 of space", "Jane Doe", "Jane"),
        (r"pattern 2 ^([A-Z]+)-(\d+)$", "CPIP-0042", "0042"),
        (r"pattern site ^(?P<site>[A-Z]+)-", "CPIP-0042", "CPIP"),
        ("label", "2", "Knee"),
        ("codes 1=M, 2=F, 3=O", "2", "F"),
        ('codes 1="Doe, Jane", "a=b"=x, 9=', "1", "Doe, Jane"),
        ("codes 1=M, 9=", "9", ""),
        ("pounds to kilograms", "150", "68.0388555"),
        ("pounds to kilograms", "150,5", "68.265651685"),
        ("centimetres to metres", "175", "1.75"),
        ("year only empty", "2012", ""),
        ("year only empty", "2012-05-06", "2012-05-06"),
        ("year only 0101", "2012", "2012-01-01"),
        ("part 2 of -\n\n pad 6 ", "CPIP-0042", "000042"),
        (
            "template sub_{study_id}_ses_{session}[_fam_{family_id}]_site_{site_id}",
            "",
            "sub_0042_ses_2_fam_F-7_site_792",
        ),
        ("template sub_{value}[_fam_{nothing}]", "x", "sub_x"),
        ("template {{a}} [[b]]", "", "{a} [b]"),
        ("", "as it is", "as it is"),
    ],
)
def test_a_line_changes_the_value(lines: str, value: str, after: str) -> None:
    assert applied(lines, value) == after


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (r"pattern 1 ^([A-Z]+)-(\d+)$", "§0042"),
        ("pattern 1 ^(§)?§", "§"),
        ("part 2 of -", "§0042"),
        ("part 4 of -", "a-b-§"),
        ("characters 1-4", "§ab"),
        ("label", "§"),
        ("codes 1=M", "§"),
        ("pounds to kilograms", "§150 lbs"),
        ("centimetres to metres", "1,234.5§"),
        ("template sub_{nothing}_{study_id}", "§"),
    ],
)
def test_a_value_that_does_not_fit_is_a_problem_that_does_not_tell_it(lines: str, value: str) -> None:
    with pytest.raises(UnusableValue) as refused:
        applied(lines, value)

    assert "§" not in str(refused.value)


@pytest.mark.acceptance("RC24")
def test_an_empty_name_outside_brackets_is_a_problem_of_that_field() -> None:
    with pytest.raises(UnusableValue, match="nothing is empty") as refused:
        applied("template sub_{study_id}_fam_{nothing}", "")

    assert refused.value.field == "nothing"


@pytest.mark.acceptance("RC36")
def test_a_checkbox_becomes_the_labels_of_what_is_checked() -> None:
    around = Around(choices={"1": "EEG", "a": "Sedation"}, is_checkbox=True)

    assert applied("label", "1, a", around) == "EEG, Sedation"
    assert applied("codes 1=E, a=S", "a", around) == "S"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("uper", "upper"),
        ("upper case", "upper"),
        ("template", "text"),
        ("template sub_{study_id", "{name}"),
        ("template sub_}", "}}"),
        ("template {Study}", "small letters"),
        ("template a[b", "not closed"),
        ("template a[b]c", "needs a"),
        ("pattern 1 ([A-Z]", "not valid"),
        ("pattern 2 ([A-Z])", "group"),
        ("pattern ([A-Z])", "group"),
        ("part of -", "position"),
        ("part 0 of -", "position"),
        ("pad x", "length"),
        ("pad 0", "length"),
        ("characters 4-1", "position"),
        ("characters 0-1", "position"),
        ("codes", "Pairs"),
        ("codes 1", "Pairs"),
        ("codes 1=M, 1=F", "twice"),
        ("codes =M", "empty"),
        ("pad 4\nyear only 1", "year only 1"),
    ],
)
def test_a_line_that_is_no_transform_is_refused_and_says_what_is_expected(line: str, expected: str) -> None:
    with pytest.raises(TransformError, match=r".") as refused:
        parse(line)

    assert expected in str(refused.value)


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda text: text.isprintable()),
        st.text().filter(lambda text: text.isprintable()),
        min_size=1,
    )
)
def test_a_table_of_codes_is_read_back_as_it_was_written(table: dict[str, str]) -> None:
    assert codes.read(codes.write(table)) == table
