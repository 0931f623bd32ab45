"""Both clients ask for the same and find the same, however an archive answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from archives.contract import FoundStudy
from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    OverloadError,
    SourceError,
    TooMuchError,
    TransientError,
)
from tests.archives.conftest import BOTH, MakeStandIn, client_of
from tests.archives.images import MadeSeries, MadeStudy
from tests.conftest import free_port

ONE = MadeStudy("1.2.3.1", patient_name="Müller^Jürgen=山田^太郎")
OTHERS = tuple(MadeStudy(f"1.2.3.{n}", patient_id=f"P{n}", weight=f"6{n}.25") for n in range(2, 8))
UIDS = tuple(study.uid for study in (ONE, *OTHERS))
pytestmark = pytest.mark.parametrize("kind", BOTH)


@pytest.mark.acceptance("CL31")
def test_a_study_is_found_with_all_that_the_archive_tells(kind: str, stand_in: MakeStandIn) -> None:
    with client_of(kind, stand_in(ONE, *OTHERS)) as client:
        [found] = client.studies(study_instance_uids=["1.2.3.1", "1.2.3.99"])

    assert found == FoundStudy(
        study_instance_uid="1.2.3.1",
        patient_id="P1",
        patient_name="Müller^Jürgen=山田^太郎",
        patient_birth_date=date(1980, 1, 17),
        patient_sex="F",
        accession_number="A1",
        study_description="HEAD",
        study_date=date(2026, 11, 26),
        study_time=time(9, 15),
        modalities=("MR",),
        series_count=2,
        image_count=5,
    )


@pytest.mark.acceptance("CL32")
@pytest.mark.parametrize("lists", ["matched", "literal", "first", "refused"])
def test_studies_are_found_whether_or_not_an_archive_knows_lists(
    kind: str, stand_in: MakeStandIn, lists: str
) -> None:
    archive = stand_in(ONE, *OTHERS, lists=lists)
    with client_of(kind, archive) as client:
        first = client.studies(study_instance_uids=[*UIDS, "1.2.3.99"])
        count = client.questions
        again = client.studies(study_instance_uids=UIDS)

    assert [study.study_instance_uid for study in first] == list(UIDS)
    assert again == first
    assert len(archive.asked) == client.questions
    assert (count, client.questions - count) == (
        (1, 1) if lists == "matched" else (1 + 8 - (lists == "first"), 7)
    )


@pytest.mark.acceptance("CL32")
def test_a_list_that_found_one_is_not_believed_of_the_others(kind: str, stand_in: MakeStandIn) -> None:
    """One study that is there proves nothing: an archive may have looked at one UID of the list."""
    with client_of(kind, stand_in(ONE)) as client:
        found = client.studies(study_instance_uids=["1.2.3.1", "9.1", "9.2"])

    assert [study.study_instance_uid for study in found] == ["1.2.3.1"]
    assert client.questions == 3


@pytest.mark.acceptance("CL33")
def test_a_patient_id_and_a_day_are_matched_exactly(kind: str, stand_in: MakeStandIn) -> None:
    archive = stand_in(
        ONE,
        MadeStudy("1.2.4.1", patient_id="p1"),
        MadeStudy("1.2.4.2", study_date="20261127"),
        MadeStudy("1.2.4.3", patient_id="*"),
        MadeStudy("1.2.4.4", patient_id="P,1"),
    )

    def uids(**keys: Any) -> list[str]:
        return sorted(study.study_instance_uid for study in client.studies(**keys))

    with client_of(kind, archive) as client:
        assert uids(patient_id="P1") == ["1.2.3.1", "1.2.4.2"]
        assert uids(patient_id="P1", day=date(2026, 11, 26)) == ["1.2.3.1"]
        assert uids(day=date(2026, 11, 27)) == ["1.2.4.2"]
        assert uids(patient_id="*") == ["1.2.4.3"]
        assert uids(patient_id="P,1") == ["1.2.4.4"]
        with pytest.raises(ValueError, match="nobody"):
            client.studies()


@pytest.mark.acceptance("CL34")
@pytest.mark.parametrize(("weight", "questions"), [("SERIES", 1), ("IMAGE", 2), ("refused", 3)])
def test_the_weight_is_found_where_the_archive_tells_it(
    kind: str, stand_in: MakeStandIn, weight: str, questions: int
) -> None:
    archive = stand_in(ONE, *OTHERS, weight=weight)
    with client_of(kind, archive) as client:
        series = client.series("1.2.3.2")
        count = client.questions

    assert [each.series_instance_uid for each in series] == ["1.2.3.2.1", "1.2.3.2.2"]
    assert [(each.number, each.modality, each.description) for each in series] == [
        (1, "MR", "Localizer"),
        (2, "MR", "T1w"),
    ]
    assert [(each.image_count, each.station_name) for each in series] == [(3, "MR1"), (2, "MR1")]
    assert (series[0].patient_weight_kg, series[0].patient_size_m) == (Decimal("62.25"), Decimal("1.7"))
    assert count == questions


@pytest.mark.acceptance("CL34")
def test_images_are_asked_no_more_where_they_never_tell_a_weight(kind: str, stand_in: MakeStandIn) -> None:
    with client_of(kind, stand_in(ONE, *OTHERS, weight="")) as client:
        weights = [client.series(uid)[0].patient_weight_kg for uid in UIDS]

    assert weights == [None] * 7
    assert client.questions == 7 + 5


@pytest.mark.acceptance("CL34")
@pytest.mark.parametrize(("sent", "read"), [("0", None), ("61.50", "61.50"), ("", None), ("7e1", "70")])
def test_a_weight_is_what_the_images_say_and_never_made_up(
    kind: str, stand_in: MakeStandIn, sent: str, read: str | None
) -> None:
    with client_of(kind, stand_in(MadeStudy("1.2.5", weight=sent))) as client:
        weight = client.series("1.2.5")[0].patient_weight_kg

    assert weight == (Decimal(read) if read else None)


@pytest.mark.acceptance("CL35")
def test_counts_that_are_not_told_are_unknown_and_not_zero(kind: str, stand_in: MakeStandIn) -> None:
    with client_of(kind, stand_in(ONE, counts=False)) as client:
        [study] = client.studies(study_instance_uids=["1.2.3.1"])
        series = client.series("1.2.3.1")

    assert (study.series_count, study.image_count) == (None, None)
    assert [each.image_count for each in series] == [None, None]


@pytest.mark.acceptance("CL35")
def test_there_are_no_series_of_a_study_that_is_not_there(kind: str, stand_in: MakeStandIn) -> None:
    with client_of(kind, stand_in(ONE)) as client:
        assert client.series("9.9") == []


@pytest.mark.acceptance("CL36")
def test_more_answers_than_are_taken_are_not_taken_for_all(
    kind: str, stand_in: MakeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archives.asking.MOST_ANSWERS", 3)
    with client_of(kind, stand_in(ONE, *OTHERS)) as client:
        with pytest.raises(TooMuchError, match="more than 3 answers"):
            client.studies(day=date(2026, 11, 26))
        assert len(client.studies(study_instance_uids=UIDS[:2])) == 2  # and goes on being asked


@pytest.mark.acceptance("CL37")
def test_a_test_asks_little_and_says_nothing_where_all_is_well(kind: str, stand_in: MakeStandIn) -> None:
    archive = stand_in(ONE, *OTHERS)
    with client_of(kind, archive) as client:
        client.test()

    assert len(archive.asked) == client.questions == 1


REFUSED = {
    "C-FIND": [
        (0xA700, TooMuchError, "out of resources"),
        (0xA900, ConfigurationError, "does not take the question"),
        (0xC001, TransientError, "could not process"),
        (0x0124, AuthorisationError, "does not let this server ask"),
        (0x0122, ConfigurationError, "does not answer C-FIND"),
        (0xFE00, OverloadError, "broken its answer off"),
    ],
    "QIDO-RS": [
        (400, ConfigurationError, "does not take the question"),
        (401, AuthorisationError, "user name and password"),
        (403, AuthorisationError, "right to search"),
        (404, ConfigurationError, "before /studies"),
        (413, TooMuchError, "too much"),
        (429, TransientError, "no time"),
        (500, OverloadError, "look into its log"),
        (504, OverloadError, "in time"),
        (418, ConfigurationError, "418"),
    ],
}


@pytest.mark.acceptance("CL38")
def test_a_refusal_says_what_was_wrong_and_what_to_do(kind: str, stand_in: MakeStandIn) -> None:
    archive = stand_in(ONE)
    for status, error, says in REFUSED[kind]:
        archive.status = status
        with client_of(kind, archive) as client, pytest.raises(error, match=says) as raised:
            client.studies(patient_id="P-SECRET")
        assert "P-SECRET" not in str(raised.value)


@pytest.mark.acceptance("CL38")
def test_nobody_there_is_told_apart(kind: str, stand_in: MakeStandIn) -> None:
    archive = stand_in(ONE)
    nobody = replace(archive, dicom_port=free_port(), http_port=free_port())
    with client_of(kind, nobody) as client, pytest.raises(TransientError, match="connection"):
        client.test()


@pytest.mark.acceptance("CL38")
def test_addresses_that_nobody_asks_are_not_asked(kind: str, stand_in: MakeStandIn) -> None:
    place: dict[str, Any] = (
        {"url": "http://169.254.169.254/dicom-web"} if kind == "QIDO-RS" else {"host": "169.254.169.254"}
    )
    with client_of(kind, stand_in(), **place) as client, pytest.raises(ConfigurationError, match="own use"):
        client.test()


@pytest.mark.acceptance("CL38")
def test_an_archive_may_come_back(kind: str, stand_in: MakeStandIn) -> None:
    """A question that failed leaves nothing behind that the next one would read."""
    archive = stand_in(ONE)
    with client_of(kind, archive) as client:
        assert client.studies(study_instance_uids=["1.2.3.1"])
        archive.status = 0xC000 if kind == "C-FIND" else 503
        with pytest.raises(SourceError):
            client.studies(study_instance_uids=["1.2.3.1"])
        archive.status = 0
        assert client.studies(study_instance_uids=["1.2.3.1"])


@pytest.mark.acceptance("CL39")
def test_series_come_by_number_and_the_first_ones_weight_counts(kind: str, stand_in: MakeStandIn) -> None:
    made = MadeStudy(
        "1.2.6",
        weight="",
        series=(
            MadeSeries("9", 12, "late", attributes={"PatientWeight": "80"}),
            MadeSeries("8", 2, "early", attributes={"PatientWeight": "70"}),
        ),
    )
    with client_of(kind, stand_in(made)) as client:
        series = client.series("1.2.6")

    assert [(each.number, each.patient_weight_kg) for each in series] == [(2, Decimal(70)), (12, Decimal(80))]


@pytest.mark.acceptance("CL204")
@pytest.mark.parametrize("weight", ["SERIES", "IMAGE"])
def test_no_study_gets_the_series_and_weight_of_another(
    kind: str, stand_in: MakeStandIn, weight: str
) -> None:
    """An archive that answers all of its series and images has answered nothing of this study."""
    archive = stand_in(OTHERS[0], replace(ONE, series=()), weight=weight, narrows=False)
    with client_of(kind, archive) as client:
        assert client.series(ONE.uid) == []
        own = client.series(OTHERS[0].uid)

    assert {each.patient_weight_kg for each in own} <= {Decimal("62.25"), None}
