"""A query that names a participant is found, in whatever letters a scanner writes it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scu import data_set, implicit
from tests.worklist import activity
from worklist.models import DeviceActivity
from worklist.privacy import asked
from worklist.privacy.asked import erase_asked
from worklist.privacy.traces import Traces

NAME = "Müller^Zoë=山田^太郎=やまだ^たろう"
NAMED = [
    ("ISO_IR 100", {"PatientName": "Müller^Zoë"}),
    ("ISO_IR 100", {"PatientName": "MÜLLER*"}),
    ("", {"PatientName": "MUELLER^ZOE"}),
    ("", {"PatientName": "Muller"}),
    ("", {"PatientName": "M?ller*"}),
    ("", {"PatientName": "*zo*"}),
    ("ISO_IR 192", {"PatientName": "Mülłer^Zoë"}),
    ("ISO_IR 192", {"PatientName": "山田*"}),
    ("/ISO 2022 IR 87", {"PatientName": "X^Y=山田^太郎"}),
    ("ISO_IR 13/ISO 2022 IR 87", {"PatientName": "X^Y=山田^太郎"}),
    ("GB18030", {"PatientName": "山田"}),
    ("", {"PatientID": "P-4711"}),
    ("", {"PatientID": "p-47*"}),
    ("", {"PatientBirthDate": "19370713"}),
    ("", {"AccessionNumber": "ACC77"}),
    ("", {"RequestedProcedureID": "RP77"}),
    ("", {"StudyInstanceUID": "1.2.3.77"}),
    ("ISO_IR 100", {"PatientComments": "Zoë Müller, by phone"}),
]
OTHERS = [
    ("", {"PatientName": "*"}),
    ("", {"PatientName": "Miller*"}),
    ("", {"PatientID": "P-47110"}),
    ("", {"PatientBirthDate": "19370714"}),
    ("ISO_IR 192", {"PatientName": "山本*"}),
]
LETTERS = st.text(st.characters(categories=["Lu", "Ll", "Lo"], codec="utf-8"), min_size=2, max_size=8)


@pytest.fixture
def traces() -> Traces:
    found = Traces()
    found.note(ids=["P-4711", "ACC77", "RP77", "1.2.3.77"], names=[NAME], birth_dates=[date(1937, 7, 13)])
    return found


def query(character_set: str, keys: dict[str, str]) -> DeviceActivity:
    identifier = implicit(data_set(SpecificCharacterSet=character_set.split("/"), **keys))
    return DeviceActivity.objects.create(
        kind="QUERY", ae_title="MR1", identifier=identifier, implicit_vr=True
    )


@pytest.mark.django_db
@pytest.mark.acceptance("H61")
@pytest.mark.parametrize(("character_set", "keys"), NAMED)
def test_a_query_that_names_the_participant_loses_what_it_asked(
    traces: Traces, character_set: str, keys: dict[str, str]
) -> None:
    row = query(character_set, keys)

    assert erase_asked(traces, {}) == 1

    row.refresh_from_db()
    assert (bytes(row.identifier), row.ae_title) == (b"", "MR1")


@pytest.mark.django_db
@pytest.mark.acceptance("H64")
@pytest.mark.parametrize(("character_set", "keys"), OTHERS)
def test_a_query_for_somebody_else_or_for_all_stays(
    traces: Traces, character_set: str, keys: dict[str, str]
) -> None:
    query(character_set, keys)

    assert erase_asked(traces, {}) == 0


@pytest.mark.django_db
def test_messages_follow_their_step_to_its_new_uid(traces: Traces) -> None:
    row = activity.query(sop_instance_uid="1.2.3")

    assert erase_asked(traces, {"1.2.3": "2.25.1"}) == 1

    row.refresh_from_db()
    assert row.sop_instance_uid == "2.25.1"


@given(LETTERS, LETTERS)
def test_no_query_that_would_be_found_is_left_undecoded(family: str, given_name: str) -> None:
    traces = Traces()
    traces.note(names=[f"{family}^{given_name}"])
    for value in (f"{family}^{given_name}", family, given_name.upper(), family.lower()):
        identifier = implicit(data_set(SpecificCharacterSet="ISO_IR 192", PatientName=value))
        if traces.are_asked_for(value):
            assert asked._may_name(identifier, asked._pieces(traces))
