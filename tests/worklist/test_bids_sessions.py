"""Appointments become participants and sessions of BIDS, or are refused by name.

What is written of them, and what a validator says of it, is in test_bids.py.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import tries
from worklist.bids import labels
from worklist.bids.dataset import Subject
from worklist.bids.visits import SHIFTED_BACK, BidsRefused, HowTold, ReadAppointment, participants

BORN = date(1990, 6, 15)
AT = datetime(2026, 6, 14, 9, 30)
AS_THEY_ARE = HowTold(
    subject=lambda appointment: appointment.subject,
    study_uid=lambda uid: uid,
    shift=lambda appointment: timedelta(),
)
DAY = timedelta(days=1)


def an_appointment(patient_id: str = "P1", *, key: int = 1, **values: Any) -> ReadAppointment:
    named = labels.named_by(patient_id)
    least: dict[str, Any] = {
        "key": key,
        "participant": named.participant,
        "subject": named.subject,
        "visit": named.session,
        "study_uid": f"2.25.{key}",
        "scheduled": AT,
        "acquired": None,
        "birth_date": BORN,
        "sex": "F",
        "weight": None,
        "modality": "MR",
        "status": "COMPLETED",
    }
    return ReadAppointment(**{**least, **values})


def made(*appointments: ReadAppointment, how: HowTold = AS_THEY_ARE) -> list[Subject]:
    return participants(appointments, how)


def problems(*appointments: ReadAppointment, how: HowTold = AS_THEY_ARE) -> list[str]:
    with pytest.raises(BidsRefused) as refused:
        participants(appointments, how)
    return list(refused.value.problems)


def session_labels(*appointments: ReadAppointment) -> list[str]:
    (participant,) = made(*appointments)
    return [session.label for session in participant.sessions]


@pytest.mark.acceptance("FI140")
@pytest.mark.parametrize(
    ("patient_id", "subject", "session"),
    [
        ("0042", "0042", "1"),
        ("ABC-01_x", "ABC01x", "1"),
        ("P 7.a", "P7a", "1"),
        ("sub_0042_ses_2_fam_7_site_792", "0042", "2"),
        ("sub_CPIP-0042_ses_10", "CPIP0042", "10"),
        ("sub-0042_ses-b", "0042", "b"),
        ("sub_0042", "sub0042", "1"),
        ("ses_1", "ses1", "1"),
    ],
)
def test_a_label_is_the_letters_and_digits_of_an_id(patient_id: str, subject: str, session: str) -> None:
    (participant,) = made(an_appointment(patient_id))

    assert (participant.label, participant.sessions[0].label) == (subject, session)


@pytest.mark.acceptance("FI140")
@pytest.mark.parametrize("patient_id", ["山田", "Müller1", "００４２", "P1\u0301", "--", "_"])
def test_an_id_that_would_lose_letters_is_refused_by_name(patient_id: str) -> None:
    (problem,) = problems(an_appointment(patient_id))

    assert problem.startswith(f"Patient ID {patient_id!r} cannot name a subject: ")


@pytest.mark.acceptance("FI140")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ABC-01", "ABC_01"),
        ("abc01", "ABC01"),
        ("sub_0042_ses_1_site_1", "sub_0042_ses_1_site_2"),
        ("0042", "sub_0042_ses_1"),
    ],
)
def test_two_ids_that_would_be_one_subject_are_both_named(one: str, other: str) -> None:
    (problem,) = problems(an_appointment(one), an_appointment(other, key=2))

    first, second = sorted((labels.named_by(one).participant, labels.named_by(other).participant))
    assert problem == (
        f"Patient IDs {first!r} and {second!r} would be one subject: correct them, or take pseudonyms."
    )


@pytest.mark.acceptance("FI140")
@given(ids=st.lists(st.text(alphabet="aA1-_ü", min_size=1, max_size=4), min_size=1, max_size=6, unique=True))
@settings(max_examples=tries(200, nightly=5000), deadline=None)
def test_labels_are_told_apart_whatever_their_case_or_there_are_none(ids: list[str]) -> None:
    appointments = [an_appointment(patient_id, key=key) for key, patient_id in enumerate(ids, start=1)]
    kept = ["".join(re.findall("[aA1]", patient_id)).lower() for patient_id in ids]
    is_fit = all(kept) and not any("ü" in patient_id for patient_id in ids) and len(set(kept)) == len(kept)

    if not is_fit:
        assert problems(*appointments)
    else:
        assert sorted(each.label.lower() for each in made(*appointments)) == sorted(kept)


@pytest.mark.acceptance("FI141")
@pytest.mark.parametrize(
    ("differing", "what"),
    [({"sex": "M"}, "sexes"), ({"birth_date": date(1991, 6, 15)}, "birth dates")],
)
def test_two_people_under_one_id_are_no_subject(differing: dict[str, Any], what: str) -> None:
    (problem,) = problems(an_appointment(), an_appointment(key=2, **differing))

    assert problem == f"Items 1, 2 name one participant with different {what}: correct them."


@pytest.mark.acceptance("FI141")
def test_what_one_appointment_does_not_know_is_taken_from_the_others() -> None:
    (participant,) = made(
        an_appointment(sex="", birth_date=None), an_appointment(key=2, scheduled=AT + 400 * DAY)
    )

    assert (participant.sex, [session.age for session in participant.sessions]) == ("F", [35, 37])


@pytest.mark.acceptance("FI141")
def test_all_that_is_wrong_is_told_at_once() -> None:
    said = problems(
        an_appointment(sex="M"),
        an_appointment(key=2),
        an_appointment("山", key=3),
        an_appointment("A-1", key=4),
        an_appointment("A_1", key=5),
    )

    assert [sentence.split(" ", 2)[1] for sentence in said] == ["1,", "ID", "IDs"]


@pytest.mark.acceptance("FI142")
@pytest.mark.parametrize(
    ("birth_date", "on", "age"),
    [
        (BORN, datetime(2026, 6, 14), 35),
        (BORN, datetime(2026, 6, 15), 36),
        (date(2024, 2, 29), datetime(2025, 2, 28), 0),
        (date(2024, 2, 29), datetime(2025, 3, 1), 1),
        (date(1936, 6, 15), datetime(2026, 6, 14), 89),
        (date(1936, 6, 15), datetime(2026, 6, 15), 89),  # 90
        (date(1899, 1, 1), datetime(2026, 6, 15), 89),
        (date(2026, 6, 15), datetime(2026, 6, 15), 0),
        (date(2026, 6, 16), datetime(2026, 6, 15), None),
        (None, datetime(2026, 6, 15), None),
    ],
)
def test_an_age_is_in_completed_years_and_89_at_most(
    birth_date: date | None, on: datetime, age: int | None
) -> None:
    (participant,) = made(an_appointment(birth_date=birth_date, scheduled=on))

    assert participant.sessions[0].age == age
    assert participant.row["age"] == ("n/a" if age is None else str(age))


@pytest.mark.acceptance("FI142")
def test_a_session_has_what_its_appointments_agree_on() -> None:
    (participant,) = made(
        an_appointment(weight=Decimal("70.10"), acquired=AT + timedelta(hours=1)),
        an_appointment(key=2, study_uid="2.25.1", modality="PT", scheduled=AT - timedelta(hours=1)),
    )

    assert dict(participant.sessions[0].row) == {
        "session_id": "ses-1",
        "acq_time": "2026-06-14T10:30:00",
        "scheduled_time": "2026-06-14T08:30:00",
        "age": "35",
        "weight": "70.10",
        "modality": "PT,MR",
        "status": "COMPLETED",
        "study_instance_uid": "2.25.1",
    }


@pytest.mark.acceptance("FI142")
def test_weights_that_disagree_are_no_weight() -> None:
    (participant,) = made(
        an_appointment(weight=Decimal("70.10")),
        an_appointment(key=2, study_uid="2.25.1", weight=Decimal("71")),
    )

    assert participant.sessions[0].row["weight"] == "n/a"


@pytest.mark.acceptance("FI143")
def test_sessions_are_numbered_in_the_order_of_time_whatever_is_asked_for() -> None:
    first = an_appointment(key=9, scheduled=AT)
    second = an_appointment(key=3, scheduled=AT + DAY)
    third = an_appointment(key=5, scheduled=AT + 2 * DAY)

    assert session_labels(third, second, first) == ["1", "2", "3"]
    assert session_labels(third, second, an_appointment(key=9, scheduled=AT, is_wanted=False)) == ["2", "3"]


@pytest.mark.acceptance("FI143")
def test_sessions_bear_the_label_of_their_visit() -> None:
    baseline = an_appointment(visit="base line")
    pet = an_appointment(key=2, visit="base line", modality="PT", scheduled=AT + DAY)
    after = an_appointment(key=3, visit="M-12", scheduled=AT + 365 * DAY)

    (participant,) = made(after, pet, baseline)

    assert [session.label for session in participant.sessions] == ["baseline", "M12"]
    assert participant.sessions[0].study_uids == ("2.25.1", "2.25.2")


@pytest.mark.acceptance("FI143")
def test_ids_that_differ_in_the_session_alone_are_one_subject() -> None:
    (participant,) = made(
        an_appointment("sub_0042_ses_2_site_7", key=1), an_appointment("sub_0042_ses_1_site_7", key=2)
    )

    assert participant.label == "0042"
    assert [session.label for session in participant.sessions] == ["2", "1"]


@pytest.mark.acceptance("FI143")
@pytest.mark.parametrize(
    ("visits", "said"),
    [
        (("V1", ""), "Items 1, 2 of one participant name a visit, none, or two: give each its own."),
        (("V1", "v1"), "Visits 'V1' and 'v1' of items 1, 2 would be one session."),
        (("V1", "V-1"), "Visits 'V-1' and 'V1' of items 1, 2 would be one session."),
        (
            ("V1", "二"),
            "Items 1, 2 name a visit that cannot name a session: "
            "a BIDS label has letters A to Z and digits alone.",
        ),
    ],
)
def test_visits_that_do_not_tell_sessions_apart_are_refused(visits: tuple[str, str], said: str) -> None:
    one, other = visits

    assert problems(an_appointment(visit=one), an_appointment(key=2, visit=other, scheduled=AT + DAY)) == [
        said
    ]


@pytest.mark.acceptance("FI144")
@given(
    days=st.integers(-365, 365),
    moments=st.lists(
        st.datetimes(datetime(1980, 1, 1), datetime(2120, 1, 1)), min_size=1, max_size=4, unique=True
    ),
)
@settings(max_examples=tries(200, nightly=5000), deadline=None)
def test_shifted_dates_lie_before_1926_and_keep_what_lies_between(days: int, moments: list[datetime]) -> None:
    how = HowTold(
        subject=lambda appointment: appointment.subject,
        study_uid=str,
        shift=lambda appointment: timedelta(days=days) - SHIFTED_BACK,
    )
    moments = [moment.replace(microsecond=0) for moment in sorted(moments)]

    (participant,) = made(
        *(
            an_appointment(key=key, scheduled=moment, acquired=moment, birth_date=date(1979, 5, 5))
            for key, moment in enumerate(moments, start=1)
        ),
        how=how,
    )

    told = [session.scheduled for session in participant.sessions]
    assert all(moment.year < 1926 for moment in told)
    assert [moment - told[0] for moment in told] == [moment - moments[0] for moment in moments]
    assert told == [session.acquired for session in participant.sessions]
    (true,) = made(
        *(
            an_appointment(key=key, scheduled=moment, acquired=moment, birth_date=date(1979, 5, 5))
            for key, moment in enumerate(moments, start=1)
        )
    )
    assert [session.age for session in participant.sessions] == [session.age for session in true.sessions]


@pytest.mark.acceptance("FI144")
def test_a_true_date_that_reads_as_a_shifted_one_is_refused() -> None:
    assert problems(an_appointment(scheduled=datetime(1925, 12, 31))) == [
        "Item 1 has a date that BIDS cannot tell from a shifted one: correct it."
    ]
