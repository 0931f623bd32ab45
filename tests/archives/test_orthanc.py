"""Debian's Orthanc and DCMTK's dcmqrscp are asked by both clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from archives.cfind.client import CFindClient
from archives.contract import ArchiveClient
from archives.dicomweb.access import DicomwebAccess
from archives.dicomweb.client import DicomwebClient
from sources.errors import AuthorisationError
from tests.archives import dcmqrscp, orthanc
from tests.archives.conftest import OFTEN, cfind_access
from tests.archives.dcmqrscp import Dcmqrscp, running_dcmqrscp
from tests.archives.images import MadeSeries, MadeStudy
from tests.archives.orthanc import Orthanc, running_orthanc
from tests.effort import tries

pytestmark = pytest.mark.slow

HELD = (
    MadeStudy("2.25.11", patient_name="Doe^Jane"),
    MadeStudy("2.25.12", patient_id="P2", patient_name="Müller^Jürgen", weight="72.25"),
    MadeStudy("2.25.13", patient_id="P3", patient_name="Wałęsa^Łukasz", weight="", study_date="20261127"),
    MadeStudy("2.25.14", patient_id="p2", patient_name="山田^太郎"),
    MadeStudy("2.25.15", series=(MadeSeries("1", 3), MadeSeries("2", 1, images=4))),
)


@pytest.fixture(scope="module")
def an_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    # Without it Orthanc answers in Latin 1, and drops letters of names that have others.
    with running_orthanc(tmp_path_factory.mktemp("orthanc"), DefaultEncoding="Utf8") as archive:
        archive.store(HELD)
        yield archive


@pytest.fixture(scope="module")
def a_dcmqrscp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dcmqrscp]:
    with running_dcmqrscp(tmp_path_factory.mktemp("dcmqrscp")) as archive:
        archive.store(HELD)
        yield archive


def by_dicomweb(archive: Orthanc, password: str = orthanc.PASSWORD) -> ArchiveClient:
    return DicomwebClient(
        DicomwebAccess(archive.dicomweb_url, orthanc.USER, password, requests_per_minute=OFTEN)
    )


@pytest.fixture(params=["Orthanc by C-FIND", "Orthanc by QIDO-RS", "dcmqrscp"])
def client(request: pytest.FixtureRequest) -> Iterator[ArchiveClient]:
    if request.param == "dcmqrscp":
        port = request.getfixturevalue("a_dcmqrscp").port
        opened: ArchiveClient = CFindClient(cfind_access(port, dcmqrscp.AE_TITLE))
    else:
        archive = request.getfixturevalue("an_orthanc")
        opened = CFindClient(cfind_access(archive.dicom_port, orthanc.AE_TITLE))
        if request.param == "Orthanc by QIDO-RS":
            opened = by_dicomweb(archive)
    with opened:
        yield opened


@pytest.mark.acceptance("CL46")
def test_studies_are_found_by_a_list_with_their_identity(client: ArchiveClient) -> None:
    found = client.studies(study_instance_uids=[study.uid for study in HELD] + ["2.25.99"])

    assert client.questions == 1
    for study, made in zip(found, HELD, strict=True):
        assert study.study_instance_uid == made.uid
        assert (study.patient_id, study.patient_name) == (made.patient_id, made.patient_name)
        assert study.patient_birth_date == date(1980, 1, 17)
        assert (study.patient_sex, study.accession_number) == ("F", "A1")
        assert study.study_description == "HEAD"
        # dcmqrscp counts nothing, and says no modalities.
        assert study.series_count in (len(made.series), None)
        assert study.image_count in (sum(series.images for series in made.series), None)
        assert study.modalities in (("MR",), ())


@pytest.mark.acceptance("CL46")
def test_a_patient_and_a_day_are_matched_exactly(client: ArchiveClient) -> None:
    by_id = client.studies(patient_id="P2")
    by_day = client.studies(day=date(2026, 11, 27))

    assert [study.study_instance_uid for study in by_id] == ["2.25.12"]
    assert [study.study_instance_uid for study in by_day] == ["2.25.13"]
    assert client.studies(patient_id="P") == []
    assert client.studies(patient_id="P*") == []


@pytest.mark.acceptance("CL46")
def test_series_come_in_order_with_the_weight_of_their_images(client: ArchiveClient) -> None:
    series = client.series("2.25.12")
    without = client.series("2.25.13")
    turned = client.series("2.25.15")

    assert [(each.number, each.modality) for each in series] == [(1, "MR"), (2, "MR")]
    assert series[0].patient_weight_kg == Decimal("72.25")
    assert series[0].patient_size_m == Decimal("1.7")
    assert without[0].patient_weight_kg is None
    assert [each.number for each in turned] == [1, 3]
    assert client.questions == 3  # each tells it of a series, so that no image is asked for
    assert client.series("2.25.99") == []


@pytest.mark.acceptance("CL46")
def test_the_archive_lets_us_test_it(client: ArchiveClient) -> None:
    client.test()


@pytest.mark.acceptance("CL46")
def test_a_wrong_password_is_told(an_orthanc: Orthanc) -> None:
    with by_dicomweb(an_orthanc, password="wrong") as client, pytest.raises(AuthorisationError, match="401"):
        client.test()


@pytest.mark.acceptance("CL47")
def test_images_that_arrive_are_seen_at_once(an_orthanc: Orthanc) -> None:
    study = MadeStudy("2.25.21", patient_id="P21")
    an_orthanc.store([study])
    more = replace(study, series=(MadeSeries("3", 3, "late", 4),))
    with CFindClient(cfind_access(an_orthanc.dicom_port, orthanc.AE_TITLE)) as client:
        [before] = client.studies(study_instance_uids=[study.uid])
        an_orthanc.store([more])
        [after] = client.studies(study_instance_uids=[study.uid])

    assert (before.series_count, before.image_count) == (2, 5)
    assert (after.series_count, after.image_count) == (3, 9)


@pytest.mark.acceptance("CL47")
def test_orthanc_drops_letters_unless_it_answers_in_unicode(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The manual tells to set DefaultEncoding; where that is no longer so, this fails."""
    with running_orthanc(tmp_path_factory.mktemp("latin")) as archive:
        archive.store(HELD[2:3])
        with CFindClient(cfind_access(archive.dicom_port, orthanc.AE_TITLE)) as client:
            [study] = client.studies(study_instance_uids=["2.25.13"])

    assert study.patient_name == "Wasa^ukasz"


@pytest.mark.acceptance("CL48")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["C-FIND", "QIDO-RS"])
def test_many_items_cost_a_question_each_and_one_for_twenty(an_orthanc: Orthanc, kind: str) -> None:
    n_items = tries(200, nightly=1000)
    uids = [f"2.25.{100_000 + n}" for n in range(n_items)]
    one = (MadeSeries("1", 1, "Localizer"),)
    with _opened(an_orthanc, kind) as client:
        known = {study.study_instance_uid for study in client.studies(study_instance_uids=uids)}
    an_orthanc.store(
        MadeStudy(uid, patient_id=f"M{n}", weight=str(40 + n % 60), study_date="20250101", series=one)
        for n, uid in enumerate(uids)
        if uid not in known
    )
    with _opened(an_orthanc, kind) as client:
        studies = client.studies(study_instance_uids=uids)
        weights = [client.series(study.study_instance_uid)[0].patient_weight_kg for study in studies]
        questions = client.questions

    assert weights == [Decimal(40 + n % 60) for n in range(n_items)]
    assert questions <= n_items * 1.05


def _opened(archive: Orthanc, kind: str) -> ArchiveClient:
    if kind == "QIDO-RS":
        return by_dicomweb(archive)
    return CFindClient(cfind_access(archive.dicom_port, orthanc.AE_TITLE))
