"""Archives file by their own rules, and a preset's rows say to each what was meant, or keep a session out.

Not here: the pages that show it (test_filing_pages.py).
"""

from __future__ import annotations

import re
from datetime import date
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.contract import SessionKey, Stance
from sources.filing import collisions, flywheel, images, loris, presets, reproin, xnat
from sources.filing.collisions import FiledSession
from sources.filing.filed import Filed, FiledPart, FilingRemark
from sources.filing.presets import FilingPreset, PresetPart, UnusablePart
from sources.filing.schemes import SCHEMES
from sources.mapping import check, check_patterns, evaluate
from sources.mapping.patterns import Pattern
from tests.sources.projects import FIELDS, a_booking, a_dictionary, a_field, a_person, a_plan

TODAY = date(2026, 3, 1)
NOT_FILED, CHANGED, PASSED_OVER = FilingRemark.NOT_FILED, FilingRemark.CHANGED, FilingRemark.PASSED_OVER
COMMENTS = "Project:BobsProj Subject:subj001 Session:subj001_MR1"  # the example on XNAT's page


def labels(filed: Filed) -> tuple[str, str, str]:
    return filed.project.label, filed.subject.label, filed.session.label


BY_COMMENTS = ("BobsProj", "subj001", "subj001_MR1")
SINGLE = {"StudyDescription": "Proj", "PatientName": "Doe^Jane", "PatientID": "P-1"}


@pytest.mark.acceptance("CL121")
@pytest.mark.parametrize(
    ("attributes", "expected", "remarks"),
    [
        ({"PatientComments": COMMENTS}, BY_COMMENTS, ()),
        ({"StudyComments": COMMENTS}, BY_COMMENTS, ()),
        ({"AdditionalPatientHistory": COMMENTS}, BY_COMMENTS, ()),
        ({"PatientComments": COMMENTS.replace(" ", ";")}, BY_COMMENTS, ()),
        ({"PatientComments": COMMENTS.replace(":", " : ")}, BY_COMMENTS, ()),
        ({"PatientComments": COMMENTS.lower()}, ("bobsproj", "subj001", "subj001_mr1"), ()),
        ({"PatientComments": f"claustrophobic, {COMMENTS}, left-handed"}, BY_COMMENTS, ()),
        # The last of several counts, for the pattern takes as much as it can before it.
        ({"PatientComments": f"Project:Old {COMMENTS}"}, BY_COMMENTS, ()),
        ({"PatientComments": COMMENTS, **SINGLE}, BY_COMMENTS, ()),
        ({**SINGLE}, ("Proj", "Doe_Jane", "P-1"), (CHANGED,)),
        ({"AccessionNumber": "Proj", "PatientID": "1"}, ("Proj", "", "1"), ()),
        # Each part is looked for by itself.
        ({"PatientComments": "Subject:s1", **SINGLE}, ("Proj", "s1", "P-1"), ()),
        # What has other characters is no assignment: the next attribute says it.
        ({"PatientComments": "Session:s.1", **SINGLE}, ("Proj", "Doe_Jane", "P-1"), (CHANGED, PASSED_OVER)),
        ({"PatientComments": "Project:é", "PatientID": "1"}, ("", "", "1"), (NOT_FILED, PASSED_OVER)),
        ({"PatientComments": "Session:", "PatientID": "1"}, ("", "", "1"), (NOT_FILED, PASSED_OVER)),
        # A line that ends stands for a space once, and nothing reaches over it.
        ({"PatientComments": f"a\n{COMMENTS}"}, ("BobsProj", "", ""), (PASSED_OVER,)),
        ({"PatientComments": "MyProject:P"}, ("", "", ""), (NOT_FILED,)),
        ({}, ("", "", ""), (NOT_FILED,)),
    ],
)
def test_xnat_takes_each_part_from_the_first_attribute_that_says_it(
    attributes: dict[str, str], expected: tuple[str, str, str], remarks: tuple[FilingRemark, ...]
) -> None:
    filed = xnat.file(attributes)

    assert labels(filed) == expected
    assert filed.remarks == remarks


@pytest.mark.acceptance("CL121")
def test_xnats_administrator_may_let_rules_of_the_site_come_first() -> None:
    attributes = {"StudyDescription": COMMENTS, "PatientComments": "Project:Other", "PatientName": "Doe"}

    assert labels(xnat.file_by_custom_rules(attributes)) == BY_COMMENTS
    assert labels(xnat.file(attributes)) == ("Other", "Doe", "")
    assert [rule.text for rule in xnat.CUSTOM_RULES] == [
        r"(0008,1030):.*\bProject:\s*([A-Za-z0-9_-]+).*:1",
        r"(0008,1030):.*\bSubject:\s*([A-Za-z0-9_-]+).*:1",
        r"(0008,1030):.*\bSession:\s*([A-Za-z0-9_-]+).*:1",
    ]


@pytest.mark.acceptance("CL122")
@pytest.mark.parametrize(
    ("name", "subject", "session", "remark"),
    [
        ("DCC090_587630_V1", "DCC090_587630", "V1", FilingRemark.BY_CANDIDATE),
        ("DCC090_587630_V1_more", "DCC090_587630", "V1", FilingRemark.BY_CANDIDATE),
        ("a site_DCC090_587630_V1", "DCC090_587630", "V1", FilingRemark.BY_CANDIDATE),
        ("DCC090_587630", "", "", NOT_FILED),
        ("DCC090_V1_587630", "", "", NOT_FILED),
        ("Doe^Jane", "", "", NOT_FILED),
        ("", "", "", NOT_FILED),
        ("PHANTOM_site_20260301", "", "PHANTOM_site_20260301", FilingRemark.PHANTOM),
        ("Alpha_587630_V1", "", "Alpha_587630_V1", FilingRemark.PHANTOM),
        ("DCC090_587630_posttest", "", "DCC090_587630_posttest", FilingRemark.PHANTOM),
    ],
)
def test_loris_reads_the_candidate_and_the_visit_from_the_name(
    name: str, subject: str, session: str, remark: FilingRemark
) -> None:
    filed = loris.file({"PatientName": name, "PatientID": "X_123456_V9"})

    assert labels(filed) == ("", subject, session)
    assert filed.remarks == (remark,)


@pytest.mark.acceptance("CL123")
@pytest.mark.parametrize(
    ("comments", "expected", "remarks"),
    [
        ("fw://neurology/parkinsons/sub-001/ses-1", ("neurology/parkinsons", "sub-001", "ses-1"), ()),
        (" fw://neurology/parkinsons/sub-001/ses-1 ", ("neurology/parkinsons", "sub-001", "ses-1"), ()),
        ("fw://neurology/parkinsons/sub-001", ("neurology/parkinsons", "sub-001", "Brain"), ()),
        ("fw://neurology/parkinsons", ("neurology/parkinsons", "", "Brain"), (NOT_FILED,)),
        ("fw://neurology", ("", "", "Brain"), (NOT_FILED, PASSED_OVER)),
        ("fw://a/b/c/d/e", ("", "", "Brain"), (NOT_FILED, PASSED_OVER)),
        ("left-handed", ("", "", "Brain"), (NOT_FILED,)),
        ("", ("", "", "Brain"), (NOT_FILED,)),
    ],
)
def test_flywheel_reads_a_routing_string(
    comments: str, expected: tuple[str, str, str], remarks: tuple[FilingRemark, ...]
) -> None:
    filed = flywheel.file({"PatientComments": comments, "StudyDescription": "Brain", "PatientID": "P-1"})

    assert labels(filed) == expected
    assert filed.remarks == remarks


@pytest.mark.acceptance("CL124")
@pytest.mark.parametrize(
    ("description", "patient_id", "project", "subject"),
    [
        ("Gobbini_Matteo^1002_faceangles", "sid000030", "Gobbini/Matteo/1002_faceangles", "sid000030"),
        ("Gobbini-Matteo^1002", "sid30", "Gobbini/Matteo/1002", "sid000030"),
        ("Gobbini_Matteo_Two^a^b", "SID0000030", "Gobbini/Matteo_Two/a^b", "sid000030"),
        ("Gobbini Study", "abra", "Gobbini/Study", "abra"),
        ("Gobbini", "sub-01_A", "Gobbini", "sub01a"),
        ("", "sid", "unknown", "sid"),
    ],
)
def test_reproin_makes_a_folder_of_the_study_and_a_label_of_the_id(
    description: str, patient_id: str, project: str, subject: str
) -> None:
    filed = reproin.file({"StudyDescription": description, "PatientID": patient_id})

    assert labels(filed) == (project, subject, "")
    assert FilingRemark.BY_SEQUENCES in filed.remarks
    assert (CHANGED in filed.remarks) == (subject != patient_id)
    assert (NOT_FILED in filed.remarks) == (not description)


PROJECT = a_dictionary(
    *FIELDS,
    *(a_field(f"part_{name}", "mri") for name in ("subject", "session", "pscid", "candid", "visit")),
    repeating={("", "mri")},
)


def told(preset: FilingPreset, values: dict[str, str]) -> Filed | None:
    """Return where the archive files the session that is made of these parts, None where it stays out."""
    given = {part.name: values[part.name] if part.fixed else f"{{part_{part.name}}}" for part in preset.parts}
    plan = a_plan(*presets.rules(preset, given))
    own = {f"part_{part.name}": values[part.name] for part in preset.parts if not part.fixed}
    rows = [a_person(study_id="s1"), a_booking(**own)]  # type: ignore[arg-type]
    [session] = evaluate.sessions_of(rows, plan, PROJECT, today=TODAY)
    if session.stance is not Stance.WANTED:
        return None
    return SCHEMES[preset.scheme].file(images.of_session(session.values))


def meant(preset: FilingPreset, values: dict[str, str]) -> tuple[str, str, str]:
    match preset.scheme:
        case "loris":
            return "", f"{values['pscid']}_{values['candid']}", values["visit"]
        case "flywheel":
            return f"{values['group']}/{values['project']}", values["subject"], values["session"]
        case "reproin":
            return f"{values['investigator']}/{values['experimenter']}/{values['study']}", "s1", ""
        case _:
            return values["project"], values["subject"], values["session"]


def valid(part: PresetPart) -> st.SearchStrategy[str]:
    return st.from_regex(re.compile(part.expression, re.ASCII), fullmatch=True).filter(
        lambda text: len(text) <= 12 and not re.search("pha|test", text, re.IGNORECASE)
    )


def odd(part: PresetPart) -> st.SearchStrategy[str]:
    """Draw what people may type: a fixed part is refused before it can do harm."""
    return valid(part) if part.fixed else valid(part) | st.text("aB1_-. :/^=;,éÄ\n", min_size=1, max_size=8)


@pytest.mark.acceptance("CL125")
@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.key)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_an_archive_files_what_a_preset_renders_as_it_was_meant(
    preset: FilingPreset, data: st.DataObject
) -> None:
    values = {part.name: data.draw(valid(part), part.name) for part in preset.parts}
    filed = told(preset, values)

    assert filed is not None
    assert labels(filed) == meant(preset, values)
    assert not {NOT_FILED, CHANGED, PASSED_OVER, FilingRemark.PHANTOM} & set(filed.remarks)


@pytest.mark.acceptance("CL125")
@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.key)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_a_record_says_it_is_filed_as_meant_or_stays_out(
    preset: FilingPreset, data: st.DataObject
) -> None:
    values = {part.name: data.draw(odd(part), part.name) for part in preset.parts}
    filed = told(preset, values)

    if filed is not None:
        assert labels(filed) == meant(preset, {name: text.strip() for name, text in values.items()})


@pytest.mark.acceptance("CL125")
@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.key)
def test_a_presets_own_examples_make_rows_that_a_mapping_may_have(preset: FilingPreset) -> None:
    plan = a_plan(*presets.rules(preset, {part.name: part.example for part in preset.parts}))

    assert check.mistakes(plan, None) == ()
    assert check_patterns.slow(plan) == ()
    assert all(url.startswith("https://") and title for title, url in preset.references)


@pytest.mark.acceptance("CL125")
@pytest.mark.parametrize(
    ("key", "part", "text", "expected"),
    [
        ("xnat_comments", "project", "", "such as BobsProj"),
        ("xnat_comments", "project", "Bob's", "Letters and digits, _ - are expected"),
        ("xnat_comments", "project", "{site}", "Letters and digits, _ - are expected"),
        ("flywheel", "group", "Neuro", "Small letters and digits, . _ - are expected"),
        ("reproin", "investigator", "A_B", "Letters and digits are expected"),
        ("xnat_comments", "subject", "S1", "All would be the same"),
        ("xnat_comments", "subject", "{study_id", "stands alone"),
        ("xnat_comments", "session", "", "such as {study_id}_{session}"),
    ],
)
def test_a_part_that_cannot_be_is_refused_by_name(key: str, part: str, text: str, expected: str) -> None:
    preset = presets.BY_KEY[key]
    given = {each.name: each.example for each in preset.parts} | {part: text}

    with pytest.raises(UnusablePart, match=re.escape(expected)) as refused:
        presets.rules(preset, given)
    assert refused.value.part == part


def test_what_a_person_gives_is_put_in_once() -> None:
    [row] = presets.rules(
        presets.BY_KEY["xnat_comments"],
        {"project": "P", "subject": "{study_id}<session>", "session": "{study_id}"},
    )

    assert "Subject:{study_id}<session> Session:{study_id}\n" in row.transforms


GE = images.discarded_by(preset="ge_mr", vendor="", modality="")


@pytest.mark.acceptance("CL128")
def test_what_a_scanner_discards_is_in_no_image() -> None:
    values: dict[str, Any] = {
        "patient_id": "P-1",
        "patient_name": "Doe^Jane",
        "study_description": "Proj",
        "extra_attributes": {"PatientComments": COMMENTS},
    }
    assert GE is not None
    kept, lost = images.of_session(values), images.of_session(values, {each.attribute for each in GE})

    assert labels(xnat.file(kept)) == BY_COMMENTS
    assert labels(xnat.file(lost)) == ("Proj", "Doe_Jane", "P-1")


@pytest.mark.acceptance("CL128")
@pytest.mark.parametrize(
    ("preset", "vendor", "modality", "is_known"),
    [
        ("ge_mr", "", "", True),
        ("", "GE", "MR", True),
        ("", "GE Healthcare", "mr", True),
        ("", "GE", "CT", False),
        ("siemens_mr", "Siemens", "MR", False),
        ("", "Gerald", "MR", False),
        ("", "", "", False),
    ],
)
def test_of_other_scanners_nothing_is_said(preset: str, vendor: str, modality: str, is_known: bool) -> None:
    found = images.discarded_by(preset=preset, vendor=vendor, modality=modality)

    assert (found is not None) == is_known


@pytest.mark.acceptance("CL128")
def test_an_image_is_described_as_the_worklist_answers_it() -> None:
    assert images.of_session({"modality": "MR"})["StudyDescription"] == "MR"
    assert images.of_session({"modality": "MR", "protocol_name": "Brain"})["StudyDescription"] == "Brain"


LABELS = st.sampled_from(["", "a", "b", "a_1", "b_1"])
PARTS = st.builds(FiledPart, LABELS)
FILED = st.builds(Filed, PARTS, PARTS, PARTS)


@pytest.mark.acceptance("CL126")
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.key)
@given(filed=st.lists(st.tuples(st.sampled_from("123"), FILED), max_size=7))
@settings(max_examples=60)
def test_collisions_are_those_of_each_two_looked_at(scheme: Any, filed: list[tuple[str, Filed]]) -> None:
    every = [
        FiledSession(record, SessionKey(instance=place), each)
        for place, (record, each) in enumerate(filed, start=1)
    ]

    def share(place: Any, first: FiledSession, second: FiledSession) -> bool:
        return place(first.filed) is not None and place(first.filed) == place(second.filed)

    of_sessions = {
        frozenset({first.key, second.key})
        for first, second in combinations(every, 2)
        if share(scheme.session_place, first, second)
    }
    of_records = {
        frozenset({first.record, second.record})
        for first, second in combinations(every, 2)
        if first.record != second.record and share(scheme.subject_place, first, second)
    }
    found = collisions.find(every, scheme)

    assert of_sessions == {
        frozenset({first.key, second.key})
        for each in found
        if not each.of_records
        for first, second in combinations(each.sessions, 2)
    }
    assert of_records == {
        frozenset({first.record, second.record})
        for each in found
        if each.of_records
        for first, second in combinations(each.sessions, 2)
    }


@pytest.mark.acceptance("CL126")
@pytest.mark.parametrize(
    ("scheme", "first", "second", "is_one"),
    [
        # A session of XNAT has a label of its own in its project, whoever the subject is.
        ("xnat", {"PatientComments": "Project:P Subject:a Session:1"}, "Project:P Subject:b Session:1", True),
        (
            "xnat",
            {"PatientComments": "Project:P Subject:a Session:1"},
            "Project:Q Subject:a Session:1",
            False,
        ),
        ("flywheel", {"PatientComments": "fw://g/p/a/1"}, "fw://g/p/b/1", False),
        ("flywheel", {"PatientComments": "fw://g/p/a/1"}, "fw://g/p/a/1", True),
    ],
)
def test_each_archive_has_its_own_idea_of_one_session(
    scheme: str, first: dict[str, str], second: str, is_one: bool
) -> None:
    rule = SCHEMES[scheme]
    places = [rule.session_place(rule.file(given)) for given in (first, {"PatientComments": second})]

    assert (places[0] == places[1]) == is_one


def test_the_expressions_of_presets_are_quick() -> None:
    for preset in presets.PRESETS:
        for part in preset.parts:
            assert not Pattern(part.expression).is_slow(on_whole=True)
