"""N-CREATE and N-SET follow the rules of PS3.4 F.7.2, without a network."""

from __future__ import annotations

import struct
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.tag import Tag
from pynetdicom.dsutils import decode, encode

from tests.worklist.identifiers import data_set
from worklist.dicom import mpps, performed
from worklist.dicom.decoding import HIDES_UTF_8, UNDECLARED, UNDECLARED_UTF_8, UNDECODABLE
from worklist.dicom.json_model import DEEPEST, TOO_DEEP, UNKNOWN_CHARACTER_SET
from worklist.dicom.mpps import COMPLETED, DISCONTINUED, IN_PROGRESS, Accepted, MppsRefused
from worklist.dicom.mpps_attributes import ATTRIBUTES, BY_KEY, NOT_IN_N_SET, printed

pytestmark = pytest.mark.usefixtures("values_as_they_come")

STRICT_AND_LENIENT = pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
TYPE_1 = [
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "Modality",
]


def code(value: str, meaning: str = "A meaning") -> Dataset:
    return data_set({"CodeValue": value, "CodingSchemeDesignator": "DCM", "CodeMeaning": meaning})


def reference(uid: str) -> Dataset:
    return data_set({"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "ReferencedSOPInstanceUID": uid})


def step(**changed: Any) -> Dataset:
    return data_set(
        {
            "StudyInstanceUID": "1.2.3",
            "ReferencedStudySequence": [],
            "AccessionNumber": "A1",
            "RequestedProcedureID": "R1",
            "RequestedProcedureDescription": "Head",
            "ScheduledProcedureStepID": "S1",
            "ScheduledProcedureStepDescription": "Head",
            "ScheduledProtocolCodeSequence": [code("T1")],
        }
        | changed
    )


def one_series(**changed: Any) -> Dataset:
    return data_set(
        {
            "PerformingPhysicianName": "",
            "ProtocolName": "T1w",
            "OperatorsName": "",
            "SeriesInstanceUID": "1.2.3.4",
            "SeriesDescription": "",
            "RetrieveAETitle": "",
            "ReferencedImageSequence": [reference("1.2.3.4.1")],
            "ReferencedNonImageCompositeSOPInstanceSequence": [],
        }
        | changed
    )


def complete() -> dict[str, Any]:
    """Make an N-CREATE with all of types 1 and 2."""
    return {
        "SpecificCharacterSet": "ISO_IR 100",
        "ScheduledStepAttributesSequence": [step()],
        "PatientName": "MÜLLER^JÖRG",
        "PatientID": "P3",
        "PatientBirthDate": "19800506",
        "PatientSex": "M",
        "ReferencedPatientSequence": [],
        "PerformedProcedureStepID": "PPS1",
        "PerformedStationAETitle": "MR1",
        "PerformedStationName": "",
        "PerformedLocation": "",
        "PerformedProcedureStepStartDate": "20260112",
        "PerformedProcedureStepStartTime": "083000",
        "PerformedProcedureStepStatus": "IN PROGRESS",
        "PerformedProcedureStepDescription": "",
        "PerformedProcedureTypeDescription": "",
        "ProcedureCodeSequence": [],
        "PerformedProcedureStepEndDate": "",
        "PerformedProcedureStepEndTime": "",
        "Modality": "MR",
        "StudyID": "1",
        "PerformedProtocolCodeSequence": [],
        "PerformedSeriesSequence": [],
    }


FINAL = {
    "PerformedProcedureStepStatus": "COMPLETED",
    "PerformedProcedureStepEndDate": "20260112",
    "PerformedProcedureStepEndTime": "091500",
}


def final(**changed: Any) -> dict[str, Any]:
    return FINAL | {"PerformedSeriesSequence": [one_series()]} | changed


def without(values: Mapping[str, Any], *keywords: str) -> dict[str, Any]:
    return {keyword: value for keyword, value in values.items() if keyword not in keywords}


def sent(values: Mapping[str, Any] | Dataset, *, implicit: bool = False) -> Dataset:
    dataset = values if isinstance(values, Dataset) else data_set(values)
    encoded = encode(dataset, implicit, is_little_endian=True)
    assert encoded is not None
    return decode(BytesIO(encoded), implicit, is_little_endian=True)


def create(values: Mapping[str, Any] | Dataset, *, strict: bool = False) -> Accepted:
    return mpps.created(sent(values), strict=strict)


def change(
    values: Mapping[str, Any] | Dataset,
    *,
    strict: bool = False,
    status: str = IN_PROGRESS,
    before: Mapping[str, Any] | None = None,
) -> Accepted:
    stored = create(complete() if before is None else before).dataset
    return mpps.modified(stored, status, sent(values), strict=strict)


def refusal_of_create(values: Mapping[str, Any] | Dataset, *, strict: bool) -> MppsRefused:
    with pytest.raises(MppsRefused) as caught:
        create(values, strict=strict)
    return caught.value


def refusal_of_change(values: Mapping[str, Any], *, strict: bool, status: str = IN_PROGRESS) -> MppsRefused:
    with pytest.raises(MppsRefused) as caught:
        change(values, strict=strict, status=status)
    return caught.value


def tag_of(keyword: str) -> str:
    return printed(tag_for_keyword(keyword) or 0)


@pytest.mark.acceptance("D95")
@STRICT_AND_LENIENT
@pytest.mark.parametrize("implicit", [True, False], ids=["implicit VR", "explicit VR"])
def test_a_complete_n_create_is_accepted_without_deviation(strict: bool, implicit: bool) -> None:
    accepted = mpps.created(sent(complete(), implicit=implicit), strict=strict)

    assert (accepted.status, accepted.deviations, accepted.warning) == (IN_PROGRESS, (), "")
    assert accepted.dataset["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "MÜLLER^JÖRG"}]}
    assert accepted.dataset["00400252"] == {"vr": "CS", "Value": ["IN PROGRESS"]}
    assert "00080005" not in accepted.dataset


@pytest.mark.acceptance("D102", "D103")
@STRICT_AND_LENIENT
@pytest.mark.parametrize(
    ("status", "code", "comment"),
    [
        ("COMPLETED", 0x0106, "(0040,0252) must be IN PROGRESS at N-CREATE"),
        ("DISCONTINUED", 0x0106, "(0040,0252) must be IN PROGRESS at N-CREATE"),
        ("in progress", 0x0106, "Illegal value of (0040,0252) Performed Procedure Step Status"),
        ("IN_PROGRESS", 0x0106, "Illegal value of (0040,0252) Performed Procedure Step Status"),
        ("IN  PROGRESS", 0x0106, "Illegal value of (0040,0252) Performed Procedure Step Status"),
        (
            ["IN PROGRESS", "IN PROGRESS"],
            0x0106,
            "Illegal value of (0040,0252) Performed Procedure Step Status",
        ),
        ("", 0x0121, "Empty (0040,0252) Performed Procedure Step Status"),
        ("  ", 0x0121, "Empty (0040,0252) Performed Procedure Step Status"),
    ],
)
def test_an_n_create_must_say_in_progress(status: Any, code: int, comment: str, strict: bool) -> None:
    refused = refusal_of_create(complete() | {"PerformedProcedureStepStatus": status}, strict=strict)

    assert (refused.status, refused.comment, refused.error_id) == (code, comment, None)


@pytest.mark.acceptance("D102")
@STRICT_AND_LENIENT
def test_an_n_create_must_have_a_status(strict: bool) -> None:
    refused = refusal_of_create(without(complete(), "PerformedProcedureStepStatus"), strict=strict)

    assert (refused.status, refused.comment) == (
        0x0120,
        "Missing (0040,0252) Performed Procedure Step Status",
    )


@pytest.mark.acceptance("D104")
@pytest.mark.parametrize(
    ("steps", "status", "comment"),
    [
        (None, 0x0120, "Missing (0040,0270) Scheduled Step Attributes Sequence"),
        ([], 0x0121, "Empty (0040,0270) Scheduled Step Attributes Sequence"),
    ],
    ids=["absent", "empty"],
)
def test_an_n_create_needs_scheduled_step_attributes(steps: Any, status: int, comment: str) -> None:
    values = without(complete(), "ScheduledStepAttributesSequence")
    if steps is not None:
        values["ScheduledStepAttributesSequence"] = steps

    refused = refusal_of_create(values, strict=True)
    accepted = create(values)

    assert (refused.status, refused.comment) == (status, comment)
    word = "missing" if steps is None else "empty"
    assert accepted.deviations == (f"Scheduled Step Attributes Sequence (0040,0270) is {word}.",)


@pytest.mark.acceptance("D105")
@pytest.mark.parametrize(
    ("item", "status", "verb"),
    [
        (step(StudyInstanceUID=""), 0x0121, "Empty"),
        (data_set(without({e.keyword: e.value for e in step()}, "StudyInstanceUID")), 0x0120, "Missing"),
        (Dataset(), 0x0120, "Missing"),
    ],
    ids=["empty", "absent", "empty item"],
)
def test_a_step_item_needs_its_study(item: Dataset, status: int, verb: str) -> None:
    values = complete() | {"ScheduledStepAttributesSequence": [step(), item]}

    refused = refusal_of_create(values, strict=True)
    accepted = create(values)

    assert (refused.status, refused.comment) == (
        status,
        f"{verb} (0020,000D) Study Instance UID in (0040,0270)",
    )
    assert accepted.deviations[0].startswith(
        "Study Instance UID (0020,000D) in Scheduled Step Attributes Sequence (0040,0270) is "
    )


@pytest.mark.acceptance("D106")
@pytest.mark.parametrize("keyword", TYPE_1)
@pytest.mark.parametrize(("value", "status", "word"), [(None, 0x0120, "missing"), ("", 0x0121, "empty")])
def test_an_attribute_of_type_1_is_needed(keyword: str, value: Any, status: int, word: str) -> None:
    values = without(complete(), keyword) | ({} if value is None else {keyword: value})

    refused = refusal_of_create(values, strict=True)
    accepted = create(values)

    assert refused.status == status
    assert tag_of(keyword) in refused.comment
    (deviation,) = accepted.deviations
    assert deviation.endswith(f"{tag_of(keyword)} is {word}.")


@pytest.mark.acceptance("D106")
def test_the_comment_is_as_long_as_it_may_be() -> None:
    refused = refusal_of_create(without(complete(), "PerformedStationAETitle"), strict=True)

    assert refused.comment == "Missing (0040,0241) Performed Station AE Title"


TYPE_2 = [attribute.keyword for attribute in ATTRIBUTES if attribute.n_create == "2"]


@pytest.mark.parametrize("keyword", TYPE_2)
def test_an_attribute_of_type_2_may_be_empty_but_strictly_not_absent(keyword: str) -> None:
    values = without(complete(), keyword)

    refused = refusal_of_create(values, strict=True)
    accepted = create(values)

    assert refused.status == 0x0120
    assert tag_of(keyword) in refused.comment
    assert accepted.deviations == ()
    (remark,) = accepted.remarks
    assert tag_of(keyword) in remark
    assert "may be empty, but not absent" in remark


def test_attributes_of_type_2_that_are_absent_are_told_in_one_sentence() -> None:
    values = {keyword: complete()[keyword] for keyword in (*TYPE_1, "PerformedProcedureStepStatus")}
    values["ScheduledStepAttributesSequence"] = [data_set({"StudyInstanceUID": "1.2.3"})] * 2

    accepted = create(values)

    assert accepted.deviations == ()
    (remark,) = accepted.remarks
    assert all(tag_of(keyword) in remark for keyword in TYPE_2)
    assert remark.count(tag_of("ScheduledProcedureStepID")) == 1
    assert remark.count(tag_of("ScheduledStepAttributesSequence")) == 1


@pytest.mark.acceptance("D107")
@pytest.mark.parametrize("uid", ["1.02.x", "", "1", "1." * 40, "1..2", "1.02.3", "1.2.3 "])
def test_an_invalid_sop_instance_uid_is_refused(uid: str) -> None:
    with pytest.raises(MppsRefused) as caught:
        mpps.check_instance_uid(uid)

    assert caught.value.status == 0x0117
    assert caught.value.comment == "The SOP Instance UID is not valid"


@pytest.mark.acceptance("D107")
def test_a_valid_sop_instance_uid_is_taken() -> None:
    mpps.check_instance_uid("1.2.840.10008.0.5")


@pytest.mark.acceptance("D108")
@STRICT_AND_LENIENT
def test_a_step_is_completed(strict: bool) -> None:
    accepted = change(final(), strict=strict)

    assert (accepted.status, accepted.deviations, accepted.warning) == (COMPLETED, (), "")
    assert performed.text(accepted.dataset, "PerformedProcedureStepStatus") == "COMPLETED"
    assert performed.text(accepted.dataset, "PatientID") == "P3"


@pytest.mark.acceptance("D109", "D110")
@STRICT_AND_LENIENT
@pytest.mark.parametrize("value", ["110501", "110514"])
def test_the_reason_is_kept_though_it_was_not_created(value: str, strict: bool) -> None:
    accepted = change(
        final(
            PerformedProcedureStepStatus="DISCONTINUED",
            PerformedProcedureStepDiscontinuationReasonCodeSequence=[code(value, "")],
        ),
        strict=strict,
    )

    reason = performed.discontinuation_reason(accepted.dataset)
    assert accepted.status == DISCONTINUED
    assert reason is not None
    assert reason.value == value
    assert reason.meaning
    assert performed.is_wrong_entry(reason) == (value == "110514")
    assert accepted.deviations == ()
    (remark,) = accepted.remarks
    assert remark.startswith("Set, but not created at N-CREATE: ")
    assert "(0040,0281)" in remark


@pytest.mark.acceptance("D112", "D113")
@STRICT_AND_LENIENT
@pytest.mark.parametrize("status", [COMPLETED, DISCONTINUED])
@pytest.mark.parametrize(
    "values",
    [final(), {"PerformedProcedureStepStatus": "BANANA"}, {"PatientID": "P9"}, {}],
    ids=["completed", "banana", "patient", "nothing"],
)
def test_a_final_step_may_no_longer_be_updated(status: str, values: dict[str, Any], strict: bool) -> None:
    refused = refusal_of_change(values, strict=strict, status=status)

    assert refused.status == 0x0110
    assert refused.comment == "Performed Procedure Step Object may no longer be updated"
    assert refused.error_id == 0xA710


@pytest.mark.acceptance("D114")
@STRICT_AND_LENIENT
@pytest.mark.parametrize(
    ("value", "status"),
    [("BANANA", 0x0106), ("completed", 0x0106), ("IN_PROGRESS", 0x0106), ("", 0x0121)],
)
def test_an_n_set_of_another_status_is_refused(value: str, status: int, strict: bool) -> None:
    refused = refusal_of_change({"PerformedProcedureStepStatus": value}, strict=strict)

    assert refused.status == status
    assert "(0040,0252)" in refused.comment
    assert "BANANA" not in refused.comment


@pytest.mark.acceptance("D115")
@STRICT_AND_LENIENT
def test_sequences_are_replaced_whole(strict: bool) -> None:
    before = complete() | {"PerformedSeriesSequence": [one_series(SeriesInstanceUID="1.9"), one_series()]}

    accepted = change(
        {"PerformedSeriesSequence": [one_series(SeriesInstanceUID="1.8")]}, strict=strict, before=before
    )

    assert accepted.status == IN_PROGRESS
    assert [each.series_instance_uid for each in performed.series(accepted.dataset)] == ["1.8"]
    assert (accepted.deviations, accepted.warning) == ((), "")


@pytest.mark.acceptance("D116")
@STRICT_AND_LENIENT
@pytest.mark.parametrize("key", sorted(NOT_IN_N_SET))
def test_what_an_n_set_may_not_carry_is_ignored_with_a_warning(key: str, strict: bool) -> None:
    attribute = BY_KEY[key]
    other = {"SQ": [step(StudyInstanceUID="9.9")], "PN": "OTHER", "DA": "19990101", "TM": "235959"}
    value = other.get(attribute.vr, "X9")
    stored = create(complete()).dataset

    accepted = change(final() | {attribute.keyword: value}, strict=strict)

    assert accepted.dataset.get(key) == stored.get(key)
    assert accepted.status == COMPLETED
    assert accepted.warning == f"Not allowed in N-SET: {printed(attribute.tag)}"
    (deviation,) = accepted.deviations
    assert printed(attribute.tag) in deviation


@pytest.mark.acceptance("D116")
def test_the_other_patient_is_told_with_both_values() -> None:
    accepted = change(final() | {"PatientID": "P9", "PatientName": "MUSTER^ANNA"})

    assert performed.patient(accepted.dataset).patient_id == "P3"
    assert accepted.deviations == (
        'Patient\'s Name (0010,0010) may not be changed: "MUSTER^ANNA" was sent, "MÜLLER^JÖRG" is kept.',
        'Patient ID (0010,0020) may not be changed: "P9" was sent, "P3" is kept.',
    )
    assert accepted.warning == "Not allowed in N-SET: (0010,0010), (0010,0020)"


@pytest.mark.acceptance("D116")
def test_a_value_where_none_is_kept_is_told() -> None:
    accepted = change({"PatientID": "P9"}, before=without(complete(), "PatientID"))

    assert accepted.deviations == (
        'Patient ID (0010,0020) may not be changed: "P9" was sent, no value is kept.',
    )
    assert "00100020" not in accepted.dataset


@pytest.mark.acceptance("D116")
@pytest.mark.parametrize("name", ["MÜLLER^JÖRG", "MÜLLER^JÖRG^^", "MÜLLER^JÖRG ", ""])
@STRICT_AND_LENIENT
def test_the_same_value_again_is_warned_of_strictly_and_else_only_remarked(name: str, strict: bool) -> None:
    accepted = change({"SpecificCharacterSet": "ISO_IR 192", "PatientName": name}, strict=strict)

    assert accepted.deviations == ()
    assert accepted.remarks == ("Repeated with N-SET, which may not carry it: Patient's Name (0010,0010).",)
    assert accepted.warning == ("Not allowed in N-SET: (0010,0010)" if strict else "")


@pytest.mark.acceptance("D209")
def test_a_console_that_repeats_all_that_it_created_is_answered_success() -> None:
    accepted = change(complete() | final())

    assert accepted.status == COMPLETED
    assert (accepted.deviations, accepted.warning) == ((), "")


@pytest.mark.acceptance("D209")
def test_only_what_differs_is_warned_of() -> None:
    accepted = change(final() | {"PatientID": "P3", "PatientSex": "F", "Modality": "MR"})

    assert accepted.warning == "Not allowed in N-SET: (0010,0040)"


@pytest.mark.acceptance("D116")
def test_many_ignored_attributes_are_counted() -> None:
    accepted = change(complete(), strict=True)

    ignored = [attribute for attribute in ATTRIBUTES if attribute.n_set is None and attribute.n_create != "3"]
    assert len(accepted.warning) <= 64
    assert accepted.warning.endswith(f" and {len(ignored) - 2} more")


@pytest.mark.acceptance("D117")
@pytest.mark.parametrize("keyword", ["PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime"])
@pytest.mark.parametrize("status", ["COMPLETED", "DISCONTINUED"])
def test_a_final_step_needs_its_end(keyword: str, status: str) -> None:
    values = final(PerformedProcedureStepStatus=status)
    stored_empty = without(values, keyword)
    never_created = create(without(complete(), keyword)).dataset

    with pytest.raises(MppsRefused) as absent:
        mpps.modified(never_created, IN_PROGRESS, sent(stored_empty), strict=True)
    empty = refusal_of_change(stored_empty, strict=True)
    accepted = change(stored_empty)

    assert absent.value.status == 0x0120
    assert empty.status == 0x0121
    assert tag_of(keyword) in absent.value.comment
    assert tag_of(keyword) in empty.comment
    (deviation,) = accepted.deviations
    assert deviation.endswith(f"{tag_of(keyword)} is empty.")


@pytest.mark.acceptance("D117")
def test_what_an_earlier_n_set_said_is_enough() -> None:
    before = complete() | without(final(), "PerformedProcedureStepStatus")

    accepted = change({"PerformedProcedureStepStatus": "COMPLETED"}, strict=True, before=before)

    assert (accepted.status, accepted.deviations) == (COMPLETED, ())


@pytest.mark.acceptance("D117")
@pytest.mark.parametrize(
    ("status", "deviations"),
    [("COMPLETED", ("Performed Series Sequence (0040,0340) is empty.",)), ("DISCONTINUED", ())],
)
def test_a_final_step_needs_a_series_unless_it_was_stopped(status: str, deviations: tuple[str, ...]) -> None:
    values = FINAL | {"PerformedProcedureStepStatus": status}

    refused = refusal_of_change(values, strict=True)
    accepted = change(values)

    assert (refused.status, refused.comment) == (0x0121, "Empty (0040,0340) Performed Series Sequence")
    assert accepted.deviations == deviations


@pytest.mark.acceptance("D117")
@pytest.mark.parametrize("keyword", ["ProtocolName", "SeriesInstanceUID"])
@pytest.mark.parametrize(("value", "code"), [(None, 0x0120), ("", 0x0121)], ids=["absent", "empty"])
@pytest.mark.parametrize("status", ["COMPLETED", "IN PROGRESS"])
def test_every_series_is_named(keyword: str, value: Any, code: int, status: str) -> None:
    bad = one_series(**{keyword: ""})
    if value is None:
        del bad[keyword]
    values = final(PerformedProcedureStepStatus=status, PerformedSeriesSequence=[one_series(), bad])

    refused = refusal_of_change(values, strict=True)
    accepted = change(values)

    assert refused.status == code
    assert refused.comment.startswith(("Missing ", "Empty "))
    assert tag_of(keyword) in refused.comment
    assert "(0040,0340)" in refused.comment
    (deviation,) = accepted.deviations
    assert f"{tag_of(keyword)} in Performed Series Sequence (0040,0340) is " in deviation


@pytest.mark.acceptance("D118")
@STRICT_AND_LENIENT
@pytest.mark.parametrize("values", [{"PerformedProcedureStepStatus": "IN PROGRESS"}, {}])
def test_in_progress_again_is_fine(values: dict[str, Any], strict: bool) -> None:
    accepted = change(values | {"CommentsOnThePerformedProcedureStep": "moved"}, strict=strict)

    assert accepted.status == IN_PROGRESS
    assert accepted.warning == ""
    assert performed.text(accepted.dataset, "CommentsOnThePerformedProcedureStep") == "moved"


@pytest.mark.acceptance("D125")
@STRICT_AND_LENIENT
def test_an_unscheduled_step_is_accepted(strict: bool) -> None:
    nothing = dict.fromkeys((element.keyword for element in step() if element.VR != "SQ"), "")
    item = step(**nothing | {"StudyInstanceUID": "1.2.99", "ScheduledProtocolCodeSequence": []})

    accepted = create(complete() | {"ScheduledStepAttributesSequence": [item]}, strict=strict)

    assert accepted.deviations == ()
    assert performed.references(accepted.dataset)[0].study_instance_uid == "1.2.99"


@pytest.mark.acceptance("D132")
@STRICT_AND_LENIENT
def test_each_message_has_its_own_character_set(strict: bool) -> None:
    text = {"SpecificCharacterSet": "ISO_IR 192", "PerformedProcedureStepDescription": "王 é"}

    accepted = change(final() | text, strict=strict)

    assert accepted.deviations == ()
    assert performed.patient(accepted.dataset).name == "MÜLLER^JÖRG"
    assert performed.text(accepted.dataset, "PerformedProcedureStepDescription") == "王 é"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PerformedProcedureStepStartDate", "2026-01-12"),
        ("PerformedProcedureStepStartDate", "20261301"),
        ("PerformedProcedureStepStartTime", "9:30"),
        ("PerformedProcedureStepStartTime", "250000"),
        ("PatientBirthDate", "1980"),
        ("Modality", "mr"),
        ("PatientSex", "männl"),
        ("PerformedStationAETitle", "A TITLE THAT IS TOO LONG"),
        ("PerformedProcedureStepID", "AN ID THAT IS TOO LONG"),
        ("PatientID", ["P1", "P2"]),
        ("PatientName", "A=B=C=D"),
    ],
)
def test_an_illegal_value_is_refused_strictly_and_else_kept(keyword: str, value: Any) -> None:
    values = complete() | {keyword: value}

    refused = refusal_of_create(values, strict=True)
    accepted = create(values)

    assert refused.status == 0x0106
    assert refused.comment.startswith(f"Illegal value of {tag_of(keyword)}")
    assert all(str(part) not in refused.comment for part in ([value] if isinstance(value, str) else value))
    assert tag_of(keyword) in accepted.deviations[0]
    kept = "\\".join(value) if isinstance(value, list) else value
    assert performed.text(accepted.dataset, keyword) == kept


def test_an_illegal_value_in_an_item_is_told_with_its_sequence() -> None:
    values = complete() | {"ScheduledStepAttributesSequence": [step(StudyInstanceUID="1.02")]}

    refused = refusal_of_create(values, strict=True)
    accepted = create(values)

    assert (refused.status, refused.comment) == (
        0x0106,
        "Illegal value of (0020,000D) Study Instance UID in (0040,0270)",
    )
    assert accepted.deviations == (
        "Study Instance UID (0020,000D) in Scheduled Step Attributes Sequence (0040,0270) "
        'holds "1.02". A UID has at most 64 digits and dots, and no part with a leading zero.',
    )


def raw(tag: int, vr: str, value: bytes, *, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    head = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + vr.encode()
    if vr in ("OB", "SQ", "UN"):
        return head + bytes(2) + size.to_bytes(4, "little") + value
    return head + size.to_bytes(2, "little") + value


def with_bytes(values: Mapping[str, Any], *elements: bytes) -> Dataset:
    """Return the N-CREATE's or N-SET's data set with elements as bytes among the others."""
    encoded = encode(data_set(values), False, is_little_endian=True)  # noqa: FBT003  pynetdicom's own
    assert encoded is not None
    return decode(BytesIO(encoded + b"".join(elements)), False, is_little_endian=True)  # noqa: FBT003


@pytest.mark.parametrize(
    ("term", "name", "sentence", "kept"),
    [
        ("ISO_IR 192", b"M\xdcLLER", UNDECODABLE, "M\ufffdLLER"),
        ("", b"M\xdcLLER", UNDECLARED, "MÜLLER"),
        ("", "MÜLLER".encode(), UNDECLARED_UTF_8, "MÜLLER"),
        ("ISO_IR 100", "Müller".encode(), HIDES_UTF_8, "MÃ¼ller"),
        (["", "ISO 2022 IR 87"], b"M\xdcLLER", UNDECLARED, "MÜLLER"),
    ],
    ids=["not UTF-8", "undeclared Latin-1", "undeclared UTF-8", "hidden UTF-8", "beside a code extension"],
)
def test_doubtful_text_is_refused_strictly_and_else_told(
    term: Any, name: bytes, sentence: str, kept: str
) -> None:
    values = without(complete(), "PatientName") | {"SpecificCharacterSet": term}

    with pytest.raises(MppsRefused) as caught:
        mpps.created(with_bytes(values, raw(0x00100010, "PN", name)), strict=True)
    accepted = mpps.created(with_bytes(values, raw(0x00100010, "PN", name)), strict=False)

    assert (caught.value.status, caught.value.comment) == (
        0x0106,
        "Illegal value of (0010,0010) Patient's Name",
    )
    assert accepted.deviations == (f"Patient's Name (0010,0010): {sentence}",)
    assert performed.patient(accepted.dataset).name == kept


@pytest.mark.parametrize(
    ("element", "tag", "kept"),
    [
        (raw(0x00101030, "DS", b"heavy "), "(0010,1030)", {"vr": "DS", "Value": ["heavy"]}),
        (raw(0x00101030, "DS", b"1e999 "), "(0010,1030)", {"vr": "DS", "Value": ["1e999"]}),
        (raw(0x00101030, "DS", b"NaN "), "(0010,1030)", {"vr": "DS", "Value": ["NaN"]}),
        (raw(0x00280010, "US", b"abc"), "(0028,0010)", {"vr": "UN", "InlineBinary": "YWJj"}),
        (raw(0x00280010, "ZZ", b"ab"), "(0028,0010)", {"vr": "UN", "InlineBinary": "YWI="}),
        (raw(0x00100020, "OB", b"P1"), "(0010,0020)", {"vr": "OB", "InlineBinary": "UDE="}),
        (raw(0x00100020, "LO", b"P\0 1"), "(0010,0020)", {"vr": "LO", "Value": ["P\ufffd 1"]}),
        (raw(0x00100020, "LO", b"P1", length=4), "(0010,0020)", {"vr": "LO", "Value": ["P1"]}),
    ],
)
def test_what_cannot_be_converted_is_kept_as_far_as_it_can_be(
    element: bytes, tag: str, kept: dict[str, Any]
) -> None:
    values = without(complete(), "PatientID")
    key = f"{int.from_bytes(element[:2], 'little'):04X}{int.from_bytes(element[2:4], 'little'):04X}"

    accepted = mpps.created(with_bytes(values, element), strict=False)

    assert accepted.dataset[key] == kept
    assert tag in accepted.deviations[0]


@pytest.mark.acceptance("D116")
def test_what_is_wrong_with_an_ignored_attribute_refuses_nothing() -> None:
    stored = create(complete()).dataset
    message = with_bytes({"SpecificCharacterSet": "ISO_IR 192"}, raw(0x00100010, "PN", b"M\xdcLLER"))

    accepted = mpps.modified(stored, IN_PROGRESS, message, strict=True)

    assert accepted.warning == "Not allowed in N-SET: (0010,0010)"


def test_a_broken_escape_sequence_is_told() -> None:
    values = without(complete(), "PatientName") | {"SpecificCharacterSet": ["", "ISO 2022 IR 87"]}

    accepted = mpps.created(with_bytes(values, raw(0x00100010, "PN", b"A\x1b$B\xff\xff")), strict=False)

    assert f"Patient's Name (0010,0010): {UNDECODABLE}" in accepted.deviations


def test_an_unknown_character_set_is_told_and_the_text_read_as_well_as_it_can_be() -> None:
    values = without(complete(), "PatientName", "SpecificCharacterSet")
    elements = raw(0x00080005, "CS", b"KLINGON"), raw(0x00100010, "PN", "MÜLLER".encode())

    with warnings_ignored():
        dataset = with_bytes(values, *elements)
    accepted = mpps.created(dataset, strict=False)

    assert accepted.deviations == (
        f"Specific Character Set (0008,0005): {UNKNOWN_CHARACTER_SET}",
        f"Patient's Name (0010,0010): {UNDECLARED_UTF_8}",
    )
    assert performed.patient(accepted.dataset).name == "MÜLLER"


@pytest.mark.parametrize("term", ["ISO IR 100", "ISO-IR-100", "iso_ir 100"])
def test_a_character_set_that_is_misspelt_is_understood(term: str) -> None:
    values = without(complete(), "PatientName", "SpecificCharacterSet")

    with warnings_ignored():
        dataset = with_bytes(
            values, raw(0x00080005, "CS", term.encode()), raw(0x00100010, "PN", b"M\xdcLLER")
        )

    assert performed.patient(mpps.created(dataset, strict=True).dataset).name == "MÜLLER"


@contextmanager
def warnings_ignored() -> Iterator[None]:
    """Ignore warnings while pydicom, not we, reads a character set that it does not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    ("number", "kept"), [("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity"), ("1.5", 1.5)]
)
def test_numbers_that_json_has_not_are_kept_as_text(number: str, kept: Any) -> None:
    element = raw(0x00189087, "FD", struct.pack("<d", float(number)))

    accepted = mpps.created(with_bytes(complete(), element), strict=True)

    assert accepted.dataset["00189087"] == {"vr": "FD", "Value": [kept]}


def test_padding_after_the_data_set_is_no_attribute() -> None:
    accepted = mpps.created(with_bytes(complete(), raw(0xFFFCFFFC, "OB", bytes(8))), strict=True)

    assert "FFFCFFFC" not in accepted.dataset


def test_a_comment_that_would_be_too_long_names_only_tags() -> None:
    item = step(ReferencedStudySequence=[reference("not a UID")])

    refused = refusal_of_create(complete() | {"ScheduledStepAttributesSequence": [item]}, strict=True)

    assert refused.comment == "Illegal value of (0008,1155) in (0008,1110) in (0040,0270)"


def test_sequences_in_sequences_end_somewhere() -> None:
    dataset = Dataset()
    for _ in range(DEEPEST + 20):
        outer = Dataset()
        outer.PerformedSeriesSequence = [dataset]
        dataset = outer

    accepted = change(dataset)

    assert any(TOO_DEEP in deviation for deviation in accepted.deviations)
    depth, element = 0, accepted.dataset.get("00400340")
    while element is not None:
        depth, element = depth + 1, element["Value"][0].get("00400340")
    assert depth == DEEPEST


@STRICT_AND_LENIENT
def test_attributes_outside_the_table_are_kept(strict: bool) -> None:
    extra = data_set(complete())
    extra.PatientWeight = "69.9"
    extra.TotalNumberOfExposures = 3
    extra.private_block(0x0019, "VENDOR", create=True).add_new(0x01, "OB", b"\0\1")
    later = data_set(final())
    later.CommentsOnRadiationDose = "none"

    created = mpps.created(sent(extra), strict=strict)
    accepted = mpps.modified(created.dataset, created.status, sent(later), strict=strict)

    assert (created.deviations, accepted.deviations, accepted.warning) == ((), (), "")
    assert accepted.dataset["00101030"] == {"vr": "DS", "Value": [69.9]}
    assert accepted.dataset["00400301"] == {"vr": "US", "Value": [3]}
    assert accepted.dataset["00191001"] == {"vr": "OB", "InlineBinary": "AAE="}
    assert accepted.dataset["00190010"] == {"vr": "LO", "Value": ["VENDOR"]}
    assert accepted.dataset["00400310"] == {"vr": "ST", "Value": ["none"]}


def test_what_speaks_of_the_message_is_not_stored() -> None:
    values = complete() | {"SOPClassUID": "1.2", "SOPInstanceUID": "1.3"}

    accepted = mpps.created(with_bytes(values, raw(0x00100000, "UL", bytes(4))), strict=True)

    assert not accepted.dataset.keys() & {"00080005", "00080016", "00080018", "00100000"}


def test_many_deviations_are_counted() -> None:
    codes = [code(f"A CODE THAT IS TOO LONG {number}") for number in range(200)]

    accepted = create(complete() | {"ProcedureCodeSequence": codes})

    assert len(accepted.deviations) == mpps.MOST_DEVIATIONS + 1
    assert accepted.deviations[-1] == "There are 150 more deviations of these kinds."


def test_an_n_set_changes_nothing_in_place() -> None:
    stored = create(complete()).dataset
    before = dict(stored)

    mpps.modified(stored, IN_PROGRESS, sent(final()), strict=True)

    assert stored == before


@pytest.mark.slow
def test_an_n_set_with_3000_images_takes_well_under_a_second() -> None:
    images = [reference(f"1.2.3.4.{number}") for number in range(3000)]
    message = sent(final(PerformedSeriesSequence=[one_series(ReferencedImageSequence=images)]))
    stored = create(complete()).dataset

    started = time.process_time()
    accepted = mpps.modified(stored, IN_PROGRESS, message, strict=True)

    assert time.process_time() - started < 1
    assert performed.series(accepted.dataset)[0].image_count == 3000


def test_the_table_is_that_of_the_standard() -> None:
    type_1 = {attribute.keyword for attribute in ATTRIBUTES if attribute.n_create == "1"}
    settable = {attribute.keyword for attribute in ATTRIBUTES if attribute.n_set is not None}
    finally_1 = {attribute.keyword for attribute in ATTRIBUTES if attribute.final == "1"}

    assert type_1 == {*TYPE_1, "ScheduledStepAttributesSequence", "PerformedProcedureStepStatus"}
    assert settable == {
        "PerformedProcedureStepStatus",
        "PerformedProcedureStepDescription",
        "PerformedProcedureTypeDescription",
        "ProcedureCodeSequence",
        "ReasonForPerformedProcedureCodeSequence",
        "PerformedProcedureStepEndDate",
        "PerformedProcedureStepEndTime",
        "CommentsOnThePerformedProcedureStep",
        "PerformedProcedureStepDiscontinuationReasonCodeSequence",
        "PerformedProtocolCodeSequence",
        "PerformedSeriesSequence",
    }
    assert finally_1 == {
        "PerformedProcedureStepEndDate",
        "PerformedProcedureStepEndTime",
        "PerformedSeriesSequence",
    }
    assert all(keyword_for_tag(Tag(int(key, 16))) == row.keyword for key, row in BY_KEY.items())
