"""What only C-FIND has: associations, rejections, TLS, and answers that break off."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archives.cfind import connection, tls
from archives.cfind.client import CFindClient
from archives.cfind.connection import Connection
from sources.errors import AuthorisationError, ConfigurationError, SlowError, TransientError
from tests.archives.conftest import MakeStandIn, cfind_access, client_of
from tests.archives.images import MadeSeries, MadeStudy
from tests.archives.stand_in import AE_TITLE, StandIn
from tests.dropped_answers import drop_answers
from tests.worklist.tls_certificates import Authority

ONE = MadeStudy("1.2.3.1")
MANY = tuple(MadeStudy(f"1.2.3.{n}") for n in range(1, 30))


@pytest.mark.acceptance("CL42")
@pytest.mark.parametrize(
    ("switches", "access", "error", "says"),
    [
        ({"knows": ("OTHER",)}, {}, AuthorisationError, "does not know PYLANTIR: enter this server there"),
        ({}, {"called_ae_title": "WRONG"}, ConfigurationError, "not its AE title"),
        ({"offers_find": False}, {}, ConfigurationError, "does not offer C-FIND in the study root"),
        ({}, {"host": "no-such-host.invalid"}, ConfigurationError, "There is no host"),
    ],
)
def test_an_association_that_is_refused_says_what_to_do(
    stand_in: MakeStandIn,
    switches: dict[str, Any],
    access: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    with client_of("C-FIND", stand_in(ONE, **switches), **access) as client, pytest.raises(error, match=says):
        client.test()


@pytest.mark.acceptance("CL42")
def test_what_speaks_no_dicom_is_told(stand_in: MakeStandIn) -> None:
    archive = stand_in(ONE)
    with (
        CFindClient(cfind_access(archive.http_port, AE_TITLE, read_timeout=1)) as client,
        pytest.raises(TransientError, match="does not speak DICOM"),
    ):
        client.test()


@pytest.fixture
def silent() -> Iterator[int]:
    """Give a port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.acceptance("CL42")
def test_nobody_waits_for_ever(silent: int) -> None:
    with (
        CFindClient(cfind_access(silent, AE_TITLE, read_timeout=0.2, connect_timeout=0.2)) as client,
        pytest.raises(TransientError, match="does not speak DICOM on this port, or has hung up"),
    ):
        client.test()


@pytest.mark.acceptance("CL43")
def test_an_answer_that_breaks_off_is_none_and_the_next_question_has_a_new_association(
    stand_in: MakeStandIn,
) -> None:
    archive = stand_in(*MANY, aborts_after=10)
    with client_of("C-FIND", archive) as client:
        with pytest.raises(SlowError, match="before its answer was whole"):
            client.studies(patient_id="P1")
        archive.aborts_after = None
        assert len(client.studies(patient_id="P1")) == len(MANY)


@pytest.mark.acceptance("CL43")
def test_a_weight_is_taken_of_one_image_and_the_rest_is_cancelled(stand_in: MakeStandIn) -> None:
    study = MadeStudy("1.2.7", series=(MadeSeries("1", images=400),))
    archive = stand_in(study, weight="IMAGE")
    with client_of("C-FIND", archive) as client:
        [series] = client.series("1.2.7")
        assert series.patient_weight_kg is not None
        assert len(client.studies(study_instance_uids=["1.2.7"])) == 1
    assert archive.cancelled == 1


@pytest.mark.acceptance("CL43")
def test_one_association_serves_many_questions(
    stand_in: MakeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Connection] = []

    def reachable(connection: Connection) -> str:
        opened.append(connection)
        return "127.0.0.1"

    monkeypatch.setattr(Connection, "_reachable", reachable)
    with client_of("C-FIND", stand_in(*MANY)) as client:
        for study in MANY:
            assert client.series(study.uid)
    assert len(opened) == 1


@pytest.mark.acceptance("CL239")
@pytest.mark.parametrize("number", [0, 7, len(MANY)], ids=["the first", "one between", "the last"])
def test_an_answer_that_was_dropped_on_its_way_is_asked_for_again(
    stand_in: MakeStandIn, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with client_of("C-FIND", stand_in(*MANY), read_timeout=0.5) as client:
        client.test()
        drop_answers(monkeypatch, {number})
        asked = client.questions

        found = client.studies(patient_id="P1")

        assert {study.study_instance_uid for study in found} == {study.uid for study in MANY}
        assert client.questions == asked + 2


@pytest.mark.acceptance("CL239")
def test_answers_that_are_dropped_each_time_are_told_and_none_is_made_of_the_rest(
    stand_in: MakeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client_of("C-FIND", stand_in(*MANY)) as client:
        client.test()
        drop_answers(monkeypatch, range(1, 4 * len(MANY), 5))
        with pytest.raises(TransientError, match="were lost here, 3 times"):
            client.studies(patient_id="P1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "Hospital CA")


def secured(stand_in: MakeStandIn, authority: Authority, *, asks: bool = False, **switches: Any) -> StandIn:
    """Return a stand-in that speaks TLS; `asks` for a certificate of its clients."""
    issued = authority.issue("archive.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.path)
    return stand_in(ONE, tls=context, **switches)


@pytest.mark.acceptance("CL44")
def test_tls_is_spoken_with_an_archive_whose_certificate_is_trusted(
    stand_in: MakeStandIn, authority: Authority
) -> None:
    own = authority.issue("PYLANTIR")
    context = tls.context(ca_bundle=str(authority.path), certificate=str(own.certificate), key=str(own.key))
    with client_of("C-FIND", secured(stand_in, authority, asks=True), tls=context) as client:
        client.test()
        assert client.studies(study_instance_uids=["1.2.3.1"])


@pytest.mark.acceptance("CL44")
def test_a_certificate_that_is_not_trusted_is_told(stand_in: MakeStandIn, authority: Authority) -> None:
    archive = secured(stand_in, authority)
    with (
        client_of("C-FIND", archive, tls=tls.context()) as client,
        pytest.raises(ConfigurationError, match="is not trusted"),
    ):
        client.test()


@pytest.mark.acceptance("CL44")
def test_the_host_must_be_the_certificates_unless_it_names_none(
    stand_in: MakeStandIn, authority: Authority
) -> None:
    archive = secured(stand_in, authority, address="127.0.0.2")
    bundle = str(authority.path)
    strict = {"host": "127.0.0.2", "tls": tls.context(ca_bundle=bundle)}
    lenient = {"host": "127.0.0.2", "tls": tls.context(ca_bundle=bundle, names_host=False)}
    with (
        client_of("C-FIND", archive, **strict) as client,
        pytest.raises(ConfigurationError, match=r"127\.0\.0\.2"),
    ):
        client.test()
    with client_of("C-FIND", archive, **lenient) as client:
        client.test()


@pytest.mark.acceptance("CL44")
def test_a_port_without_tls_is_told(stand_in: MakeStandIn) -> None:
    with (
        client_of("C-FIND", stand_in(ONE), tls=tls.context(), connect_timeout=1) as client,
        pytest.raises((ConfigurationError, TransientError), match=r"speak TLS|no connection"),
    ):
        client.test()


@pytest.mark.acceptance("CL44")
def test_files_that_are_no_certificates_are_told(tmp_path: Path, authority: Authority) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("", encoding="ascii")
    locked = authority.issue("locked", password=b"secret")
    with pytest.raises(ConfigurationError, match="CA bundle"):
        tls.context(ca_bundle=str(empty))
    with pytest.raises(ConfigurationError, match="Client certificate and key"):
        tls.context(certificate=str(locked.certificate), key=str(locked.key))


@pytest.mark.acceptance("CL207")
def test_an_answer_that_drips_is_given_up(stand_in: MakeStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each data set comes within the time-out, and two thousand of them would take hours."""
    archive = stand_in(*(MadeStudy(f"1.2.3.{number}") for number in range(3)))
    clock = SimpleNamespace(monotonic=count(step=40).__next__, sleep=time.sleep)
    monkeypatch.setattr(connection, "time", clock)
    with client_of("C-FIND", archive) as client:
        with pytest.raises(SlowError, match="took too long"):
            client.studies(patient_id="P1")
        monkeypatch.undo()
        assert len(client.studies(patient_id="P1")) == 3
