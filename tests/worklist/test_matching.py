"""A query's keys are read: padding, universal matching, malformed values, keys that are not matched.

What they then find is in test_queries.py and test_matching_property.py.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from tests.worklist.identifiers import data_set, make_identifier, over_the_wire
from worklist.dicom import item_attributes
from worklist.dicom.conditions import AllOf, AnyOf, Range, Scheduled, Text, Within
from worklist.dicom.item_attributes import Matching, Place
from worklist.dicom.matching import IdentifierError, MatchingKeys, read_keys

pytestmark = pytest.mark.usefixtures("values_as_they_come")

DATE, TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"


def only_condition(root: dict[str, Any] | None = None, step: dict[str, Any] | None = None) -> object:
    keys = read_keys(make_identifier(root, step))
    assert not keys.unmatched
    (condition,) = keys.conditions
    return condition


@pytest.mark.acceptance("D1", "D15", "D22", "D25")
@pytest.mark.parametrize("value", ["", " ", "   ", "\0", "*", "**", " * ", ["", ""], ["A", "*"]], ids=repr)
@pytest.mark.parametrize(
    "attribute", list(item_attributes.matched()), ids=lambda attribute: attribute.keyword
)
def test_a_key_of_spaces_or_asterisks_matches_everything(
    attribute: item_attributes.ItemAttribute, value: str | list[str]
) -> None:
    values = {attribute.keyword: value}
    identifier = make_identifier(step=values) if attribute.place is Place.STEP else make_identifier(values)
    assert read_keys(identifier) == MatchingKeys()


@pytest.mark.parametrize(
    "name", ["^", "^^^^", "=", "==", "^=^", "*^*", "*^*^*", "*=*", "*^", "=*", ["^", ""]]
)
def test_a_name_of_delimiters_and_asterisks_matches_everything(name: str | list[str]) -> None:
    assert read_keys(make_identifier({"PatientName": name})) == MatchingKeys()


@pytest.mark.acceptance("D1")
def test_a_query_without_keys_matches_everything() -> None:
    assert read_keys(Dataset()) == MatchingKeys()


@pytest.mark.acceptance("D34")
def test_an_empty_sequence_matches_everything() -> None:
    identifier = Dataset()
    identifier.ScheduledProcedureStepSequence = Sequence()
    assert read_keys(over_the_wire(identifier)) == MatchingKeys()


@pytest.mark.acceptance("D35")
def test_a_sequence_of_one_empty_item_matches_everything() -> None:
    assert read_keys(make_identifier(step={})) == MatchingKeys()


@pytest.mark.acceptance("D36")
def test_two_items_of_keys_are_refused() -> None:
    identifier = Dataset()
    identifier.ScheduledProcedureStepSequence = Sequence([Dataset(), Dataset()])
    with pytest.raises(IdentifierError) as refused:
        read_keys(over_the_wire(identifier))
    assert refused.value.tag == Tag("ScheduledProcedureStepSequence")
    assert 0 < len(refused.value.comment) <= 64


@pytest.mark.acceptance("D6", "D23")
def test_padding_is_not_part_of_a_key() -> None:
    assert only_condition({"PatientID": "  P1 \0"}) == Text("patient_id", values=("P1",))


@pytest.mark.acceptance("D29")
def test_a_key_of_several_values_asks_for_any_of_them() -> None:
    """A list is taken on other VRs too."""
    condition = only_condition({"StudyInstanceUID": ["1.2", "", "1.3"]})
    assert condition == Text("study_instance_uid", values=("1.2", "1.3"))
    assert only_condition({"PatientID": ["P1", "P?"]}) == Text("patient_id", ("P1",), ("P?",))


def test_a_uid_has_no_wild_cards() -> None:
    assert only_condition({"StudyInstanceUID": "1.2*"}) == Text("study_instance_uid", values=("1.2*",))


@pytest.mark.acceptance("D39")
def test_codes_are_compared_in_capitals() -> None:
    assert only_condition(step={"Modality": "mr"}) == Text("modality", values=("MR",))
    assert only_condition({"PatientSex": "f"}) == Text("patient_sex", values=("F",))


def test_other_texts_keep_their_case() -> None:
    assert only_condition({"PatientID": "p1"}) == Text("patient_id", values=("p1",))


def test_a_key_is_composed_as_stored_texts_are() -> None:
    assert only_condition({"PatientID": "e\u0301"}) == Text("patient_id", values=("\u00e9",))


def test_only_the_station_is_a_list_of_values() -> None:
    condition = only_condition(step={"ScheduledStationAETitle": "MR1"})
    assert condition == Text("scheduled_station_aetitle", values=("MR1",), several=True)


@pytest.mark.parametrize("value", ["A\0B", "A" * 65, "*" + "A" * 65])
def test_what_no_item_can_hold_is_asked_of_no_database_and_finds_nothing(value: str) -> None:
    assert only_condition({"PatientID": value}) == Text("patient_id")


@pytest.mark.acceptance("D17", "D20")
def test_a_name_without_delimiter_of_groups_may_stand_in_any_group() -> None:
    assert only_condition({"PatientName": "Doe^John^^="}) == AnyOf(
        (
            AnyOf(
                (
                    Text("patient_name_alphabetic", values=("doe^john",)),
                    Text("patient_name_ideographic", values=("doe^john",)),
                    Text("patient_name_phonetic", values=("doe^john",)),
                )
            ),
        )
    )


def test_a_name_of_several_groups_is_compared_group_by_group() -> None:
    assert only_condition({"PatientName": "=山田^太郎=やまだ*"}) == AnyOf(
        (
            AllOf(
                (
                    Text("patient_name_ideographic", values=("山田^太郎",)),
                    Text("patient_name_phonetic", patterns=("やまだ*",)),
                )
            ),
        )
    )


@pytest.mark.acceptance("D14", "D16", "D19")
@pytest.mark.parametrize(
    ("key", "values", "patterns"),
    [
        ("DOE^*", ("doe",), ("doe^*",)),
        ("DOE^^*", ("doe",), ("doe^^*",)),
        ("*^JOHN", (), ("*^john",)),
        ("D?E^J**", (), ("d?e^j*",)),
        ("ΟΔΟΣ*", (), ("οδοσ*",)),
        ("İB?", (), ("ib?",)),
    ],
)
def test_wild_cards_of_a_name_survive(key: str, values: tuple[str, ...], patterns: tuple[str, ...]) -> None:
    assert only_condition({"PatientName": f"{key}=*"}) == AnyOf(
        (AllOf((Text("patient_name_alphabetic", values, patterns),)),)
    )


def test_a_fourth_group_of_a_name_finds_nothing() -> None:
    assert only_condition({"PatientName": "A=B=C=D"}) == AnyOf((AnyOf(()),))


@pytest.mark.acceptance("D12", "D13")
@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("09", time(9), time(9)),
        ("0930", time(9, 30), time(9, 30)),
        ("093015", time(9, 30, 15), time(9, 30, 15)),
        ("093015.5", time(9, 30, 15, 500000), time(9, 30, 15, 500000)),
        ("093015.000001", time(9, 30, 15, 1), time(9, 30, 15, 1)),
        ("09:30:15", time(9, 30, 15), time(9, 30, 15)),
        ("235960", time(23, 59, 59, 999999), time(23, 59, 59, 999999)),
        ("0900-1000", time(9), time(10)),
        ("0900-", time(9), None),
        ("-1000", None, time(10)),
    ],
)
def test_times_are_read_by_their_meaning(key: str, low: time | None, high: time | None) -> None:
    condition = only_condition(step={TIME: key})
    assert condition == Within("scheduled_start_time", (Range(low, high, single="-" not in key),))


def test_a_range_of_times_may_go_over_midnight() -> None:
    condition = only_condition(step={TIME: "2200-0600"})
    assert condition == Within("scheduled_start_time", (Range(time(22), None), Range(None, time(6))))


@pytest.mark.acceptance("D11")
@pytest.mark.parametrize(
    ("dates", "times", "low", "high"),
    [
        ("20260110-20260112", "1000-1800", datetime(2026, 1, 10, 10), datetime(2026, 1, 12, 18)),
        ("20260110", "1000-1800", datetime(2026, 1, 10, 10), datetime(2026, 1, 10, 18)),
        ("20260110-20260112", "1000-", datetime(2026, 1, 10, 10), datetime(2026, 1, 12, 23, 59, 59, 999999)),
        ("20260110-20260112", "-0000", datetime(2026, 1, 10), datetime(2026, 1, 12)),
        ("20260110-", "1000-1800", datetime(2026, 1, 10, 10), None),
        ("-20260112", "1000-1800", None, datetime(2026, 1, 12, 18)),
    ],
)
def test_dates_with_a_range_of_times_are_one_interval(
    dates: str, times: str, low: datetime | None, high: datetime | None
) -> None:
    assert only_condition(step={DATE: dates, TIME: times}) == Scheduled(low, high)


def test_dates_with_one_time_are_two_keys() -> None:
    keys = read_keys(make_identifier(step={DATE: "20260110-20260112", TIME: "1000"}))
    assert [type(condition) for condition in keys.conditions] == [Within, Within]


@pytest.mark.acceptance("D37", "D38")
@pytest.mark.parametrize(
    "value",
    [
        "2026-01-10",
        "20261301",
        "20260230",
        "-",
        "--",
        "2026",
        "2026*",
        "20260110-20260111-",
        "today",
        "00000101",
        ["20260110", "x"],
    ],
    ids=repr,
)
def test_what_is_no_date_is_refused(value: str | list[str]) -> None:
    for keyword, identifier in (
        (DATE, make_identifier(step={DATE: value})),
        ("PatientBirthDate", make_identifier({"PatientBirthDate": value})),
    ):
        with pytest.raises(IdentifierError) as refused:
            read_keys(identifier)
        assert refused.value.tag == Tag(keyword)
        assert 0 < len(refused.value.comment) <= 64


@pytest.mark.parametrize(
    "value", ["9", "24", "0960", "093061", "09:30", "0930.5", "093000.1234567", "-", "09*", "x"]
)
def test_what_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(IdentifierError) as refused:
        read_keys(make_identifier(step={TIME: value}))
    assert refused.value.tag == Tag(TIME)


def test_a_refusal_tells_nothing_of_the_query() -> None:
    with pytest.raises(IdentifierError) as refused:
        read_keys(make_identifier({"PatientBirthDate": "19991231x"}))
    assert "1999" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("STARTED", ("IN_PROGRESS",)),
        ("in progress", ("IN_PROGRESS",)),
        ("IN_PROGRESS", ("IN_PROGRESS",)),
        ("CANCEL*", ("CANCELLED",)),
        ("CANCELED", ("CANCELLED",)),
        ("*ED", ("CANCELLED", "COMPLETED", "DISCONTINUED", "IN_PROGRESS", "SCHEDULED")),
        (["COMPLETED", "SCHEDULED"], ("COMPLETED", "SCHEDULED")),
        ("ARRIVED", ()),
        ("S.*", ()),
    ],
)
def test_a_status_is_asked_for_by_its_terms_on_the_wire(
    value: str | list[str], stored: tuple[str, ...]
) -> None:
    assert read_keys(make_identifier(step={"ScheduledProcedureStepStatus": value})) == MatchingKeys(
        statuses=stored
    )


@pytest.mark.acceptance("D40")
def test_what_is_said_of_the_query_itself_is_no_key() -> None:
    identifier = make_identifier({"TimezoneOffsetFromUTC": "+0100", "QueryRetrieveLevel": "STUDY"})
    for group_length in (0x00100000, 0x00400000):
        identifier[group_length] = RawDataElement(
            Tag(group_length), "UL", 4, b"\x04\0\0\0", 0, is_implicit_VR=False, is_little_endian=True
        )
    assert read_keys(identifier) == MatchingKeys()


@pytest.mark.acceptance("D41", "D43")
@pytest.mark.parametrize(
    "keyword",
    ["PatientWeight", "PatientComments", "EthnicGroup", "Modality", "ScheduledStationAETitle", "ContentDate"],
)
def test_a_key_that_is_not_matched_is_named_when_it_has_a_value(keyword: str) -> None:
    assert read_keys(make_identifier({keyword: "7"})).unmatched == (Tag(keyword),)
    assert read_keys(make_identifier({keyword: ""})) == MatchingKeys()


def test_a_root_key_in_the_step_item_is_not_matched() -> None:
    assert read_keys(make_identifier(step={"PatientID": "P1"})) == MatchingKeys(unmatched=(Tag("PatientID"),))


@pytest.mark.acceptance("D41")
def test_a_private_key_is_not_matched() -> None:
    identifier = Dataset()
    identifier.add_new(0x00090010, "LO", "ACME")
    identifier.add_new(0x00091001, "LO", "")
    assert read_keys(over_the_wire(identifier)).unmatched == (Tag(0x00090010),)


def test_a_sequence_that_is_not_matched_has_a_value_when_one_is_in_it() -> None:
    def codes(code: str) -> dict[str, Any]:
        context = data_set({"ProtocolContextSequence": [data_set({"TextValue": code})]})
        return {"ScheduledProtocolCodeSequence": [context]}

    assert read_keys(make_identifier(step=codes("T1"))).unmatched == (Tag("ScheduledProtocolCodeSequence"),)
    assert read_keys(make_identifier(step=codes(""))) == MatchingKeys()
    assert read_keys(make_identifier(step=codes("*"))) == MatchingKeys()


def raw(keyword: str, vr: str, value: bytes) -> Dataset:
    found = Dataset()
    tag = Tag(keyword)
    found[tag] = RawDataElement(tag, vr, len(value), value, 0, is_implicit_VR=False, is_little_endian=True)
    return found


def test_a_matched_key_that_cannot_be_read_is_refused() -> None:
    for vr, value in (("US", b"\x01"), ("ZZ", b"P1"), ("OB", b"P1"), ("SQ", b"\xfe\xff\x00\xe0\0\0\0\0")):
        with pytest.raises(IdentifierError) as refused:
            read_keys(raw("PatientID", vr, value))
        assert refused.value.tag == Tag("PatientID"), vr


def test_steps_that_are_no_sequence_are_refused() -> None:
    with pytest.raises(IdentifierError) as refused:
        read_keys(raw("ScheduledProcedureStepSequence", "LO", b"MR"))
    assert refused.value.tag == Tag("ScheduledProcedureStepSequence")


def test_another_key_that_cannot_be_read_is_not_matched() -> None:
    for vr, value in (("DS", b"heavy"), ("US", b"\x01"), ("ZZ", b"P1"), ("OB", b"\x01\x02")):
        assert read_keys(raw("PatientWeight", vr, value)).unmatched == (Tag("PatientWeight"),), vr


@pytest.mark.acceptance("D211")
@pytest.mark.parametrize(
    ("value", "asks"),
    [(b"", False), (b"\0\0", False), (b"\0\0\0\0", False), (b"\1\0", True), (b"\0\0\4\0", True)],
)
def test_a_number_of_null_bytes_is_no_value(value: bytes, asks: bool) -> None:
    assert read_keys(raw("PregnancyStatus", "US", value)).unmatched == (Tag("PregnancyStatus"),) * asks


def test_a_matched_key_has_a_field_and_a_reading() -> None:
    kinds = {attribute.matching for attribute in item_attributes.matched()}
    assert kinds == {Matching.TEXT, Matching.RANGE, Matching.UID_LIST, Matching.STATUS}
    assert all(attribute.field for attribute in item_attributes.matched())


@pytest.mark.acceptance("D48")
@pytest.mark.parametrize(
    ("charset", "name"), [("ISO_IR 100", "Müller*"), ("ISO_IR 192", "Müller*"), ("GB18030", "王*")]
)
def test_a_name_is_read_in_the_query_s_character_set(charset: str, name: str) -> None:
    keys = read_keys(make_identifier({"PatientName": name + "=*"}, charset=charset))
    assert keys.conditions == (AnyOf((AllOf((Text("patient_name_alphabetic", patterns=(name.lower(),)),)),)),)
