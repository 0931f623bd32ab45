"""The encoder follows a device's rules."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset

from tests.worklist.encoding_examples import RECORD
from worklist.answering.requests import universal_query
from worklist.dicom import decoding
from worklist.dicom.answer_elements import EncodingError, identifies
from worklist.dicom.character_sets import candidates_of_a_device
from worklist.dicom.encoding import AnswerPlan, EncodedAnswer
from worklist.dicom.output_rules import CodesSent, OutputRules, TooLong, read_protocol_codes
from worklist.models import CHARACTER_SETS


def encoded(rules: OutputRules, **fields: Any) -> EncodedAnswer:
    return AnswerPlan(universal_query(), implicit_vr=False, rules=rules).encode({**RECORD, **fields})


def decoded(rules: OutputRules, **fields: Any) -> Dataset:
    identifier = encoded(rules, **fields).identifier
    answer = read_dataset(BytesIO(identifier), is_implicit_VR=False, is_little_endian=True)
    return decoding.decoded(answer)


def step(rules: OutputRules, **fields: Any) -> Dataset:
    found: Dataset = decoded(rules, **fields).ScheduledProcedureStepSequence[0]
    return found


LATIN_1 = OutputRules(character_set=("ISO_IR 100",))
PLAIN = OutputRules(character_set=("ISO_IR 100",), transliterates=True)
ASCII_ONLY = OutputRules(character_set=("ISO_IR 6",), transliterates=True)


@pytest.mark.acceptance("D62")
def test_an_umlaut_is_one_byte_in_latin_1() -> None:
    answer = encoded(LATIN_1, patient_name="MÜLLER^JÖRG")
    assert b"M\xdcLLER^J\xd6RG" in answer.identifier
    assert b"ISO_IR 100" in answer.identifier
    assert answer.departure == ""


@pytest.mark.acceptance("D63")
def test_a_chinese_name_is_utf_8_in_iso_ir_192() -> None:
    answer = encoded(OutputRules(character_set=("ISO_IR 192",)), patient_name="王^小明")
    assert "王^小明".encode() in answer.identifier
    assert b"ISO_IR 192" in answer.identifier


@pytest.mark.acceptance("D64")
@pytest.mark.parametrize("rules", [LATIN_1, PLAIN, ASCII_ONLY], ids=["unicode", "plain", "ASCII, plain"])
def test_a_text_that_does_not_fit_goes_as_unicode_and_is_told(rules: OutputRules) -> None:
    answer = encoded(rules, patient_name="王^小明")
    assert "王^小明".encode() in answer.identifier
    assert b"?" not in answer.identifier
    assert answer.departure == "in ISO_IR 192"


@pytest.mark.acceptance("D64")
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("MÜLLER^JÖRG", "MULLER^JORG"),
        ("ÅSTRÖM^ŁUCJA", "ASTROM^LUCJA"),
        ("Groß^Æsa", "Gross^AEsa"),
        ("O\u2019BRIEN^ZOË", "O'BRIEN^ZOE"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada^Tarou"),
    ],
)
def test_plain_letters_replace_those_that_do_not_fit(name: str, sent: str) -> None:
    answer = encoded(ASCII_ONLY, patient_name=name)
    assert sent.encode() in answer.identifier
    assert b"?" not in answer.identifier
    assert b"ISO_IR" not in answer.identifier
    assert answer.departure.startswith("without accents")


def test_only_the_letters_that_do_not_fit_are_rewritten() -> None:
    assert str(decoded(PLAIN, patient_name="MÜLLER^ŁUCJA").PatientName) == "MÜLLER^LUCJA"


@pytest.mark.parametrize(
    "field", ["patient_id", "accession_number", "requested_procedure_id", "scheduled_procedure_step_id"]
)
def test_an_id_is_never_rewritten(field: str) -> None:
    """Another ID is another patient: the whole answer goes in Unicode."""
    answer = encoded(ASCII_ONLY, **{field: "Å1"})
    assert "Å1".encode() in answer.identifier
    assert b"ISO_IR 192" in answer.identifier


@pytest.mark.parametrize(
    ("keyword", "vr", "is_exact"),
    [
        ("PatientID", "LO", True),
        ("IssuerOfPatientID", "LO", True),
        ("CodeValue", "SH", True),
        ("AdmissionID", "LO", True),
        ("LongCodeValue", "UC", True),
        ("ContainerIdentifier", "LO", True),
        ("PatientName", "PN", False),
        ("StudyDescription", "LO", False),
        ("CodeMeaning", "LO", False),
    ],
)
def test_ids_and_codes_are_known(keyword: str, vr: str, is_exact: bool) -> None:
    assert identifies(keyword, vr) is is_exact


@pytest.mark.acceptance("D65")
def test_a_plain_ascii_answer_names_no_character_set() -> None:
    for rules in (LATIN_1, PLAIN, OutputRules(character_set=("GB18030",))):
        answer = encoded(rules, patient_name="DOE^JOHN", referring_physician_name="")
        assert "SpecificCharacterSet" not in decoded(rules, patient_name="DOE^JOHN")
        assert answer.departure == ""


TEXTS = {
    "ISO_IR 100": "MÜLLER",
    "ISO_IR 101": "ŁUCJA",
    "ISO_IR 109": "ĦAL",
    "ISO_IR 110": "ŠVĖG",
    "ISO_IR 148": "ŞİR",
    "ISO_IR 144": "Люкс",
    "ISO_IR 127": "قباني",
    "ISO_IR 126": "Διον",
    "ISO_IR 138": "שרון",
    "ISO_IR 166": "นาง",
    "ISO_IR 13": "ﾔﾏﾀﾞ",
    "\\ISO 2022 IR 87": "山田",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "ﾔﾏﾀﾞ",
    "\\ISO 2022 IR 149": "김희중",
    "\\ISO 2022 IR 58": "张小东",
    "GB18030": "王小明",
    "GBK": "王小明",
    "ISO_IR 192": "王山田",
}


@pytest.mark.parametrize("terms", [terms for terms in CHARACTER_SETS if terms != "ISO_IR 6"])
def test_every_character_set_that_a_device_may_have_holds_its_own_script(terms: str) -> None:
    name = f"{TEXTS[terms]}^A"
    rules = OutputRules(character_set=tuple(terms.split("\\")))
    answer = encoded(rules, patient_name=name)
    assert terms.encode() in answer.identifier
    assert str(decoded(rules, patient_name=name).PatientName) == name


def test_a_character_set_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="not known"):
        candidates_of_a_device(("ISO_IR 999",), transliterates=False)


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_rewriting_never_sends_a_replacement(text: str) -> None:
    *_, rewriting, _ = candidates_of_a_device(("ISO_IR 100",), transliterates=True)
    try:
        sent = rewriting.text(text)
    except UnicodeEncodeError:
        return
    assert sent.count(b"?") == text.count("?") + sum(text.count(odd) for odd in "？﹖⁇⁈⁉︖")  # NFKD has some


@pytest.mark.acceptance("D66")
def test_a_long_protocol_is_a_long_code_value_or_none() -> None:
    fields = {"protocol_name": "A protocol name of 29 letters", "hisris_coding_designator": "GEHC"}
    code = step(OutputRules(), **fields).ScheduledProtocolCodeSequence[0]
    assert (code.get("CodeValue"), code.LongCodeValue) == (None, fields["protocol_name"])
    assert not step(OutputRules(codes=CodesSent.SHORT_ONLY), **fields).get("ScheduledProtocolCodeSequence")


@pytest.mark.acceptance("D67")
def test_without_a_scheme_there_is_no_code_unless_the_device_has_one() -> None:
    fields = {"protocol_name": "T1", "hisris_coding_designator": ""}
    assert not step(OutputRules(), **fields).get("ScheduledProtocolCodeSequence")
    assert step(OutputRules(), **fields).ScheduledProcedureStepDescription
    code = step(OutputRules(coding_scheme="GEHC"), **fields).ScheduledProtocolCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == ("T1", "GEHC", "T1")


@pytest.mark.acceptance("D68")
def test_a_code_has_its_meaning() -> None:
    rules = OutputRules(protocol_codes=read_protocol_codes("T1 = 12 | GEHC | T1 sagittal", scheme=""))
    code = step(rules, protocol_name="T1", hisris_coding_designator="99X").ScheduledProtocolCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == ("12", "GEHC", "T1 sagittal")


def test_an_items_own_codes_go_before_those_of_its_device() -> None:
    own = {"CodeValue": "7", "CodingSchemeDesignator": "99OWN", "CodeMeaning": "Own"}
    rules = OutputRules(coding_scheme="GEHC", protocol_codes=(("T1", ("12", "GEHC", "T1")),))
    extra = {"ScheduledProtocolCodeSequence": [own]}
    code = step(rules, protocol_name="T1", extra_attributes=extra).ScheduledProtocolCodeSequence[0]
    assert code.CodeValue == "7"


@pytest.mark.acceptance("D215")
@pytest.mark.parametrize(("own_scheme", "scheme"), [("99OWN", "99OWN"), ("", "GEHC")])
def test_an_items_code_without_a_scheme_has_the_items_before_the_devices(
    own_scheme: str, scheme: str
) -> None:
    extra = {"ScheduledProtocolCodeSequence": [{"CodeValue": "7", "CodeMeaning": "Own"}]}
    fields = {"protocol_name": "T1", "extra_attributes": extra, "hisris_coding_designator": own_scheme}
    code = step(OutputRules(coding_scheme="GEHC"), **fields).ScheduledProtocolCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("7", scheme)


@pytest.mark.parametrize("codes", [CodesSent.NONE, CodesSent.SHORT_ONLY])
def test_codes_that_a_device_does_not_take_are_not_sent(codes: CodesSent) -> None:
    own = {"LongCodeValue": "x" * 20, "CodingSchemeDesignator": "99OWN", "CodeMeaning": "Own"}
    sent = step(
        OutputRules(codes=codes),
        protocol_name="T1 with a long name",
        hisris_coding_designator="GEHC",
        extra_attributes={"ScheduledProtocolCodeSequence": [own]},
    )
    assert not sent.get("ScheduledProtocolCodeSequence")


def test_an_item_without_station_gets_that_of_its_device() -> None:
    rules = OutputRules(station_ae_title="MR1", station_name="Room 2")
    sent = step(rules, scheduled_station_aetitle="", station_name="")
    assert (sent.ScheduledStationAETitle, sent.ScheduledStationName) == ("MR1", "Room 2")
    kept = step(rules, scheduled_station_aetitle="CT1", station_name="Room 9")
    assert (kept.ScheduledStationAETitle, kept.ScheduledStationName) == ("CT1", "Room 9")


@pytest.mark.parametrize(
    ("rules", "field", "longest"),
    [
        (OutputRules(longest_name=8), "patient_name", "DOE^JOHN"),
        (OutputRules(longest_patient_id=4), "patient_id", "P123"),
    ],
)
def test_a_name_or_id_longer_than_the_device_takes_is_never_shortened(
    rules: OutputRules, field: str, longest: str
) -> None:
    assert longest.encode() in encoded(rules, **{field: longest}).identifier
    with pytest.raises(TooLong) as raised:
        encoded(rules, **{field: longest + "X"})
    assert isinstance(raised.value, EncodingError)
    assert longest not in str(raised.value)


def test_each_component_group_of_a_name_is_measured_by_itself() -> None:
    encoded(OutputRules(longest_name=8), patient_name="DOE^JOHN=DOE^JOHN=DOE^JOHN")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("T1", "Line 1: write PROTOCOL"),
        ("T1 =", "Line 1: write PROTOCOL"),
        ("T1 = 1 | A | B | C", "Line 1: write PROTOCOL"),
        ("\nT1 = 1 | A\nT1 = 2 | A", "Line 3: the protocol stands"),
        ("T1 = 1", "Line 1: a code needs its scheme"),
        (f"T1 = {'1' * 65} | A", "Line 1: the code has 65 characters"),
        (f"T1 = 1 | {'A' * 17}", "Line 1: the scheme has 17 characters"),
        ("T1 = 1 | A | a\\b", "Line 1: the meaning:"),
    ],
)
def test_a_code_that_cannot_be_sent_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_protocol_codes(text, scheme="")


def test_codes_are_read_line_by_line() -> None:
    text = "T1 = 1 | A | One\n\n T2=2|B \nT3 = 3"
    assert read_protocol_codes(text, scheme="GEHC") == (
        ("T1", ("1", "A", "One")),
        ("T2", ("2", "B", "T2")),
        ("T3", ("3", "GEHC", "T3")),
    )
