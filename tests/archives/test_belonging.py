"""A study is dealt to the session that it belongs to, and to nobody where none is known."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives.comparing.belonging import ScannedSession, belonging
from archives.comparing.series import ReportedSeries, missing
from archives.contract import FoundStudy
from tests.effort import tries

DAY, NEXT = date(2026, 11, 28), date(2026, 11, 29)


def session(pk: int, uid: str = "", **changes: object) -> ScannedSession:
    values = {
        "accession_number": f"A{pk}",
        "patient_id": "P1",
        "days": frozenset({DAY}),
        "modality": "MR",
        "start": time(9, 0),
    }
    uids = frozenset(filter(None, uid.split()))
    return ScannedSession(**{"item_pk": pk, "study_instance_uids": uids, **values, **changes})  # type: ignore[arg-type]


def study(uid: str, **changes: object) -> FoundStudy:
    values = {"patient_id": "P1", "study_date": DAY, "study_time": time(9, 5), "modalities": ("MR", "SR")}
    return FoundStudy(**{"study_instance_uid": uid, **values, **changes})  # type: ignore[arg-type]


MORNING = session(1, "1.1")
EVENING = session(2, "1.2", start=time(17, 0))
# Sessions, studies, and the UIDs that each session has; what is named nowhere is nobody's.
TABLE = {
    "by UID, whatever else it says": (
        [MORNING, EVENING],
        [study("1.2", patient_id="P9", study_date=NEXT)],
        {2: ["1.2"]},
    ),
    "by a UID that was reported": ([session(1, "1.1 1.7")], [study("1.7", patient_id="")], {1: ["1.7"]}),
    "of all that were scheduled as one study": (
        [session(1, "1.1"), session(2, "1.1")],
        [study("1.1")],
        {1: ["1.1"], 2: ["1.1"]},
    ),
    "by accession number": (
        [MORNING, EVENING],
        [study("7", accession_number="A2", patient_id="")],
        {2: ["7"]},
    ),
    "by no number that two sessions have": (
        [session(1, accession_number="A"), session(2, accession_number="A")],
        [study("7", accession_number="A", patient_id="P9")],
        {},
    ),
    "by patient ID and day": ([MORNING], [study("7")], {1: ["7"]}),
    "by the nearest in time": ([MORNING, EVENING], [study("7", study_time=time(16, 50))], {2: ["7"]}),
    "by what has no study yet, before the nearest": (
        [MORNING, EVENING],
        [study("1.1"), study("7", study_time=time(9, 30))],
        {1: ["1.1"], 2: ["7"]},
    ),
    "a second one of the same session": ([MORNING], [study("1.1"), study("7")], {1: ["1.1", "7"]}),
    "nobody's on another day": ([MORNING], [study("7", study_date=NEXT)], {}),
    "nobody's under another ID": ([MORNING], [study("7", patient_id="P2")], {}),
    "nobody's without an ID": ([session(1, patient_id="")], [study("7", patient_id="")], {}),
    "nobody's of another modality": ([MORNING], [study("7", modalities=("CT",))], {}),
    "of a study that tells no modality": ([MORNING], [study("7", modalities=())], {1: ["7"]}),
    "of a study that tells no time": ([MORNING], [study("7", study_time=None)], {1: ["7"]}),
}


@pytest.mark.acceptance("CL74")
@pytest.mark.parametrize(("sessions", "studies", "expected"), TABLE.values(), ids=TABLE)
def test_a_study_belongs(
    sessions: list[ScannedSession], studies: list[FoundStudy], expected: dict[int, list[str]]
) -> None:
    found = belonging(sessions, studies)

    uids = {pk: [each.study_instance_uid for each in own] for pk, own in found.of_session.items() if own}
    assert uids == expected
    dealt = {uid for own in uids.values() for uid in own}
    assert {each.study_instance_uid for each in found.nobodys} == {
        each.study_instance_uid for each in studies
    } - dealt


UIDS = st.sampled_from(["1", "2", "3", "4", "5"])
SESSIONS = st.lists(
    st.builds(
        session,
        st.integers(1, 6),
        st.lists(UIDS, max_size=2).map(" ".join),
        accession_number=st.sampled_from(["", "A", "B"]),
        patient_id=st.sampled_from(["P1", "P2"]),
        days=st.frozensets(st.sampled_from([DAY, NEXT]), max_size=2),
        modality=st.sampled_from(["", "MR", "PT"]),
        start=st.sampled_from([None, time(9), time(17)]),
    ),
    max_size=5,
    unique_by=lambda each: each.item_pk,
)
STUDIES = st.lists(
    st.builds(
        study,
        UIDS,
        accession_number=st.sampled_from(["", "A", "B"]),
        patient_id=st.sampled_from(["", "P1", "P2"]),
        study_date=st.sampled_from([None, DAY, NEXT]),
        study_time=st.sampled_from([None, time(9), time(12), time(17)]),
        modalities=st.sampled_from([(), ("MR",), ("PT", "CT")]),
    ),
    max_size=6,
    unique_by=lambda each: each.study_instance_uid,
)


@pytest.mark.acceptance("CL74")
@settings(max_examples=tries(200, nightly=5000))
@given(SESSIONS, STUDIES, st.randoms(use_true_random=False))
def test_each_study_is_dealt_once_by_the_strongest_evidence_in_whatever_order(
    sessions: list[ScannedSession], studies: list[FoundStudy], random: object
) -> None:
    found = belonging(sessions, studies)

    for each in studies:
        owners = {pk for pk, own in found.of_session.items() if each in own}
        named = {one.item_pk for one in sessions if each.study_instance_uid in one.study_instance_uids}
        numbered = {one.item_pk for one in sessions if each.accession_number == one.accession_number != ""}
        alike = {one.item_pk for one in sessions if _is_alike(each, one)}
        assert (each in found.nobodys) == (not owners)
        if named:
            assert owners == named
        elif len(numbered) == 1:
            assert owners == numbered
        else:
            assert len(owners) == bool(alike)
            assert owners <= alike
    shuffled = list(sessions), list(studies)
    for each_list in shuffled:
        random.shuffle(each_list)  # type: ignore[attr-defined]
    assert belonging(*shuffled) == found


def _is_alike(study: FoundStudy, session: ScannedSession) -> bool:
    """Say it slowly: the same ID on one of the days, and no other modality."""
    return all(
        (
            study.patient_id != "",
            study.patient_id == session.patient_id,
            study.study_date in session.days,
            session.modality == "" or study.modalities == () or session.modality in study.modalities,
        )
    )


REPORTED = [ReportedSeries("1.1", "localizer"), ReportedSeries("1.2", "T1w"), ReportedSeries("1.3", "")]


@pytest.mark.parametrize(
    ("arrived", "count", "expected"),
    [
        ({"1.1", "1.2", "1.3"}, 3, ""),
        ({"1.1", "1.2", "1.3", "9"}, 4, ""),
        ({"1.1", "9", "8"}, 3, "1 of 3 series that the scanner reported. Not there: T1w, 1.3."),
        (set(), 2, "2 of 3 series that the scanner reported."),
        (set(), 3, ""),
        (set(), None, ""),
    ],
)
def test_series_that_are_missing_are_named(arrived: set[str], count: int | None, expected: str) -> None:
    assert missing(REPORTED, arrived=arrived, count=count) == expected
    assert missing([*REPORTED, *REPORTED], arrived=arrived, count=count) == expected


def test_of_many_missing_series_the_first_are_named() -> None:
    many = [ReportedSeries(f"1.{number}", f"S{number}") for number in range(8)]
    text = missing(many, arrived={"1.0"}, count=1)
    assert text == "1 of 8 series that the scanner reported. Not there: S1, S2, S3, S4, S5, and 2 more."


def test_nothing_reported_is_nothing_missing() -> None:
    assert missing([], arrived=(), count=0) == ""
