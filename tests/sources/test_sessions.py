"""Sessions are found in every shape that a project can have."""

from __future__ import annotations

import pytest

from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.mapping.rules import Level, SessionKind, SessionLayout
from sources.mapping.sessions import detect, find, level_of
from sources.rows import ExportRow
from tests.sources.projects import FIELDS, REPEATING, REPEATING_MRI, a_booking, a_dictionary, a_person, a_row

CLASSIC = a_dictionary(*FIELDS)
VISITS = {"baseline_arm_1": ["enrolment"], "visit_1_arm_1": ["mri"], "visit_2_arm_1": ["mri"]}
EVENTS = a_dictionary(*FIELDS, events=VISITS)
REPEATING_EVENT = a_dictionary(*FIELDS, events=VISITS, repeating={("visit_2_arm_1", "")})
ONLY_REPEATING_EVENT = a_dictionary(
    *FIELDS, events={"baseline_arm_1": ["enrolment"], "scan_arm_1": ["mri"]}, repeating={("scan_arm_1", "")}
)
MIXED = a_dictionary(*FIELDS, events=VISITS, repeating={("visit_2_arm_1", "mri")})
TWO_ARMS = a_dictionary(
    *FIELDS, events={"all_arm_1": ["enrolment", "mri"], "all_arm_2": ["enrolment", "mri"]}
)
UNKNOWN = a_dictionary(*FIELDS, repeating=None)
BY_EVENT = SessionLayout(SessionKind.EVENT, instrument="mri")
BY_RECORD = SessionLayout(SessionKind.RECORD)
BASELINE, VISIT_1, VISIT_2 = (a_row(event=event) for event in VISITS)


def keys(rows: list[ExportRow], sessions: SessionLayout, dictionary: Dictionary) -> list[SessionKey]:
    return [key for key, _ in find(rows, sessions, dictionary)]


@pytest.mark.parametrize(
    ("rows", "sessions", "dictionary", "expected"),
    [
        pytest.param([a_person(**{"mri_date": "2026-03-02"})], BY_RECORD, CLASSIC, [SessionKey()], id="RC15"),
        pytest.param(
            [BASELINE, VISIT_2, VISIT_1],
            BY_EVENT,
            EVENTS,
            [SessionKey("visit_1_arm_1"), SessionKey("visit_2_arm_1")],
            id="RC16",
        ),
        pytest.param(
            [BASELINE, VISIT_1, VISIT_2],
            SessionLayout(SessionKind.EVENT, "mri", ("visit_2_arm_1",)),
            EVENTS,
            [SessionKey("visit_2_arm_1")],
            id="RC16, some events",
        ),
        pytest.param(
            [a_person(), a_row(instrument="scan", instance=2), a_row(instrument="scan", instance=1)],
            SessionLayout(SessionKind.REPEATING_INSTRUMENT, "scan"),
            CLASSIC,
            [SessionKey("", "scan", 1), SessionKey("", "scan", 2)],
            id="RC17",
        ),
        pytest.param(
            [BASELINE, *[a_row(event="visit_2_arm_1", instance=number) for number in (10, 2)]],
            SessionLayout(SessionKind.REPEATING_EVENT),
            REPEATING_EVENT,
            [SessionKey("visit_2_arm_1", "", 2), SessionKey("visit_2_arm_1", "", 10)],
            id="RC18",
        ),
        pytest.param(
            [VISIT_1, a_row(event="visit_2_arm_1", instance=1), a_row(event="visit_2_arm_1", instance=2)],
            BY_EVENT,
            REPEATING_EVENT,
            [
                SessionKey("visit_1_arm_1"),
                SessionKey("visit_2_arm_1", "", 1),
                SessionKey("visit_2_arm_1", "", 2),
            ],
            id="an event beside one that repeats",
        ),
        pytest.param(
            [BASELINE, VISIT_1, VISIT_2, a_row(event="visit_2_arm_1", instrument="mri", instance=1)],
            SessionLayout(SessionKind.REPEATING_INSTRUMENT, "mri"),
            MIXED,
            [SessionKey("visit_1_arm_1"), SessionKey("visit_2_arm_1", "mri", 1)],
            id="an instrument that repeats in one event alone",
        ),
        pytest.param(
            [a_person(), a_booking(1), a_row(instrument="other", instance=1)],
            REPEATING_MRI,
            REPEATING,
            [SessionKey("", "mri", 1)],
            id="other instruments and the record's own row are no sessions",
        ),
        pytest.param(
            [a_row(event="all_arm_1"), a_row(event="all_arm_2")],
            BY_RECORD,
            TWO_ARMS,
            [SessionKey("all_arm_1"), SessionKey("all_arm_2")],
            id="RC20",
        ),
        pytest.param(
            [a_person(), a_booking(1)],
            REPEATING_MRI,
            UNKNOWN,
            [SessionKey("", "mri", 1)],
            id="repeats known from rows alone",
        ),
        pytest.param(
            [a_person(mri_date="2026-03-02")],
            REPEATING_MRI,
            UNKNOWN,
            [SessionKey()],
            id="no repeat known from rows alone",
        ),
        pytest.param([], BY_RECORD, CLASSIC, [], id="nothing"),
    ],
)
def test_sessions_are_found(
    rows: list[ExportRow], sessions: SessionLayout, dictionary: Dictionary, expected: list[SessionKey]
) -> None:
    assert keys(rows, sessions, dictionary) == expected


@pytest.mark.parametrize(
    ("dictionary", "expected"),
    [
        (REPEATING, REPEATING_MRI),
        (CLASSIC, BY_RECORD),
        (EVENTS, BY_EVENT),
        (MIXED, REPEATING_MRI),
        (REPEATING_EVENT, BY_EVENT),
        (ONLY_REPEATING_EVENT, SessionLayout(SessionKind.REPEATING_EVENT, events=("scan_arm_1",))),
        (UNKNOWN, REPEATING_MRI),
    ],
)
def test_sessions_are_detected_by_the_field_of_their_date(
    dictionary: Dictionary, expected: SessionLayout
) -> None:
    assert detect(dictionary, "mri_date") == expected


def test_a_date_field_that_the_project_does_not_have_is_refused() -> None:
    with pytest.raises(LookupError, match="mri_dat"):
        detect(CLASSIC, "mri_dat")


@pytest.mark.parametrize(
    ("name", "sessions", "dictionary", "expected"),
    [
        ("mri_number", REPEATING_MRI, REPEATING, Level.SESSION),
        ("mri_complete", REPEATING_MRI, REPEATING, Level.SESSION),
        ("sex", REPEATING_MRI, REPEATING, Level.RECORD),
        ("record_id", REPEATING_MRI, REPEATING, Level.RECORD),
        ("sex", BY_EVENT, EVENTS, Level.RECORD),
        ("mri_number", BY_EVENT, EVENTS, Level.SESSION),
        ("redcap_data_access_group", BY_EVENT, EVENTS, Level.RECORD),
    ],
)
def test_a_field_has_the_level_of_its_form(
    name: str, sessions: SessionLayout, dictionary: Dictionary, expected: Level
) -> None:
    assert level_of(name, sessions, dictionary) is expected
