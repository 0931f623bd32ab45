"""What a mapping says comes back from the columns of a source and its rows, whatever a site wrote down."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from sources.mapping.rules import Level, Rule, SessionKind, SessionLayout, WithoutTime
from sources.models import MappingRule
from tests.sources import making

NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), max_size=3).map(tuple)


@given(
    st.builds(
        Rule,
        target=st.text(max_size=10),
        field=st.text(max_size=10),
        level=st.sampled_from(Level),
        events=NAMES,
        transforms=st.text(max_size=10),
        default=st.text(max_size=10),
        required=st.booleans(),
    )
)
def test_a_row_says_what_its_rule_says(rule: Rule) -> None:
    columns = MappingRule.columns_of_rule(rule)

    assert MappingRule(**columns).as_rule() == rule
    assert columns.keys() == {each.name for each in fields(Rule)}
    assert columns.keys() == {each.name for each in MappingRule._meta.concrete_fields} - {
        *("id", "source", "position"),
    }


@given(
    st.builds(
        SessionLayout,
        kind=st.sampled_from(SessionKind),
        instrument=st.text(max_size=10),
        events=NAMES,
        conditions=st.text(max_size=10),
        without_time=st.sampled_from(WithoutTime),
    )
)
def test_a_source_says_how_its_sessions_are_found(layout: SessionLayout) -> None:
    source = making.unsaved()

    source.take_sessions(layout)

    assert source.sessions == layout
