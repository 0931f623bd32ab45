"""What only QIDO-RS has: credentials, addresses, and answers that are no data sets."""

from __future__ import annotations

from typing import Any

import pytest

from archives.contract import ArchiveClient
from sources.errors import AuthorisationError, ConfigurationError, OverloadError, SourceError, TransientError
from tests.archives.conftest import MakeStandIn, client_of
from tests.archives.images import MadeSeries, MadeStudy
from tests.archives.stand_in import PASSWORD, TOKEN, USER

ONE = MadeStudy("1.2.3.1")


def access_of(client: ArchiveClient) -> str:
    return repr(client._access)  # type: ignore[attr-defined]


@pytest.mark.acceptance("CL40")
def test_credentials_go_with_each_question_and_into_no_representation(stand_in: MakeStandIn) -> None:
    archive = stand_in(ONE, credentials=f"Bearer {TOKEN}")
    with client_of("QIDO-RS", archive, token=TOKEN) as client:
        assert client.studies(study_instance_uids=["1.2.3.1"])
        assert TOKEN not in access_of(client)
    archive.credentials = "Basic dGVzdGVyOmEtdGVzdC1vbmx5"
    with client_of("QIDO-RS", archive, user=USER, password=PASSWORD) as client:
        assert client.series("1.2.3.1")
        assert PASSWORD not in access_of(client)
    with client_of("QIDO-RS", archive) as client, pytest.raises(AuthorisationError, match="401"):
        client.test()


@pytest.mark.acceptance("CL40")
def test_a_netrc_is_not_used(
    stand_in: MakeStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    with client_of("QIDO-RS", stand_in(ONE)) as client:
        client.test()  # the stand-in lets in who says nothing of who it is, and nobody else


@pytest.mark.acceptance("CL41")
@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (b"", None, ""),
        (b"[]", None, ""),
        (b"<html><title>Sign in</title></html>", ConfigurationError, "web page titled"),
        (b"{}", ConfigurationError, "no list"),
        (b"[1]", ConfigurationError, "no list"),
        (b"[{", OverloadError, "cut off"),
        (b"[{}, {}]", None, ""),
        (b'[{"0020000D": 5}, {"0020000D": {"Value": {}}}, {"0020000D": {"vr": "UI"}}]', None, ""),
        (b"\xff\xfe[]", TransientError, "UTF-8"),
    ],
)
def test_what_is_no_answer_is_none(
    stand_in: MakeStandIn, body: bytes, error: type[SourceError] | None, says: str
) -> None:
    archive = stand_in(ONE, answer=body)
    with client_of("QIDO-RS", archive) as client:
        if error is None:
            assert client.studies(patient_id="P1") == []
            return
        with pytest.raises(error, match=says):
            client.studies(patient_id="P1")


@pytest.mark.acceptance("CL41")
def test_a_redirect_is_told_and_not_followed(stand_in: MakeStandIn) -> None:
    other = stand_in(ONE)
    archive = stand_in(ONE, status=302, location=f"{other.url}/studies?PatientID=P1")
    with client_of("QIDO-RS", archive) as client, pytest.raises(ConfigurationError, match="redirects to"):
        client.studies(patient_id="P1")
    assert other.asked == []


@pytest.mark.acceptance("CL213")
@pytest.mark.parametrize(
    ("switches", "count", "questions"),
    [({"page": 3}, 8, 3), ({"page": 4}, 8, 3), ({"page": 3, "pages": False}, 3, 2), ({}, 8, 2)],
    ids=["three at once", "four at once", "no pages", "all at once"],
)
def test_what_comes_in_pages_is_read_to_its_end(
    stand_in: MakeStandIn,
    monkeypatch: pytest.MonkeyPatch,
    switches: dict[str, Any],
    count: int,
    questions: int,
) -> None:
    """Studies on a page that nobody asked for would be taken for missing, or for gone."""
    monkeypatch.setattr("archives.dicomweb.client.SMALLEST_PAGE", 3)
    studies = [MadeStudy(f"1.2.7.{number}", series=(MadeSeries("1"),)) for number in range(8)]
    with client_of("QIDO-RS", stand_in(*studies, **switches)) as client:
        found = client.studies(patient_id="P1")
        assert len({study.study_instance_uid for study in found}) == len(found) == count
        assert client.questions == questions
