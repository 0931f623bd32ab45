"""DICOM is spoken over TLS, with certificates made here, and DCMTK and pynetdicom as clients."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests import scu
from tests.conftest import dcmtk, free_port, wait_until
from tests.scu import keys
from tests.worklist.conftest import SOON, RunningServer, StartServer
from tests.worklist.tls_certificates import Authority, Issued
from worklist.models import Device, DeviceActivity

REFUSED = (1, 1, 3)


@dataclass
class Secured:
    """A server requires client certificates, and this says who comes to it."""

    server: RunningServer
    port: int
    authority: Authority
    mr1: Issued
    expired: Issued
    stranger: Issued


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("certificates")
    authority, other = Authority(folder, "Hospital CA"), Authority(folder, "Other CA")
    return {
        "authority": authority,
        "server": authority.issue("mwl.example.org"),
        "mr1": authority.issue("MR1"),
        "expired": authority.issue("MR2", days=-1),
        "stranger": other.issue("MR3"),
    }


def tls_options(certificates: dict[str, Any], port: int) -> list[str]:
    server = certificates["server"]
    files = ["--tls-cert", str(server.certificate), "--tls-key", str(server.key)]
    return [*files, "--tls-ca", str(certificates["authority"].path), "--tls-port", str(port)]


@pytest.fixture(scope="module")
def _secured(start_recording_server: StartServer, certificates: dict[str, Any]) -> Secured:
    port = free_port()
    server = start_recording_server(*tls_options(certificates, port), MWL_NETWORK_TIMEOUT="2")
    server.wait_for_log(rf"{port} with TLS")
    server.endpoints = 2
    return Secured(server, port, **clients(certificates))


def clients(certificates: dict[str, Any]) -> dict[str, Any]:
    return {name: certificates[name] for name in ("authority", "mr1", "expired", "stranger")}


@pytest.fixture
def secured(transactional_db: None, _secured: Secured) -> Secured:
    return _secured


@pytest.fixture
def ask(users: ProcessPoolExecutor) -> Callable[..., Any]:
    """Return `ask(secured, client)`, which gives the patient IDs that a query over TLS finds.

    They are None where the client is refused.
    """

    def query(secured: Secured, client: Issued | None, **options: Any) -> Any:
        own = (client.certificate, client.key) if client else ()
        tls = scu.Tls(secured.authority.path, *own)
        responses = users.submit(
            scu.query_over_tls, secured.port, keys(PatientID=""), tls=tls, **options
        ).result(SOON)
        if not isinstance(responses, list):
            return responses
        return [answer.PatientID for _, answer in responses if answer is not None]

    return query


@pytest.mark.acceptance("D92")
def test_with_a_client_certificate_the_answers_are_those_of_the_plain_port(
    secured: Secured, ask: Callable[..., Any], query: Callable[..., Any], items: Callable[..., list[Any]]
) -> None:
    items(30)
    plain = [answer.PatientID for _, answer in query(keys(PatientID=""), port=secured.server.port)[:-1]]
    assert ask(secured, secured.mr1) == plain
    assert len(plain) == 30


@pytest.mark.acceptance("D92")
def test_dcmtk_asks_over_tls(secured: Secured, items: Callable[..., list[Any]]) -> None:
    items(2)
    done = dcmtk_over_tls(secured, secured.mr1, program=["findscu", "-W", "-k", "PatientID"])
    assert done.returncode == 0, done.stdout
    assert (done.stdout + done.stderr).count("(Pending)") == 2


@pytest.mark.acceptance("D92")
@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("expired", "its certificate is not accepted (certificate has expired)"),
        ("stranger", "its certificate is not accepted (unable to get local issuer certificate)"),
        (None, "it sent no certificate"),
    ],
)
def test_a_certificate_that_is_expired_unknown_or_missing_is_refused(
    secured: Secured, ask: Callable[..., Any], who: str | None, reason: str
) -> None:
    started = timezone.now()
    before = secured.server.log.count(reason)
    assert ask(secured, getattr(secured, who) if who else None) is None
    wait_until(lambda: secured.server.log.count(reason) > before)
    assert "Traceback" not in secured.server.log
    wait_until(lambda: refusals(started).filter(comment__startswith=f"TLS: {reason}"[:60]).exists())


@pytest.mark.acceptance("D92")
def test_a_plain_scanner_at_the_port_for_tls_is_refused(secured: Secured, ask: Callable[..., Any]) -> None:
    with scu.RawUser(secured.port) as user:
        assert user.associate() != scu.ASSOCIATE_AC
    secured.server.wait_for_log("TLS with 127.0.0.1 refused: it does not speak TLS")
    assert ask(secured, secured.mr1) == []


def test_a_connection_that_says_nothing_keeps_nobody_waiting_and_is_closed(
    secured: Secured, ask: Callable[..., Any]
) -> None:
    with socket.create_connection(("127.0.0.1", secured.port)) as silent:
        assert ask(secured, secured.mr1) == []
        silent.settimeout(SOON)
        assert silent.recv(1) == b""
    wait_until(lambda: secured.server.is_at_rest)


def test_older_versions_than_tls_1_2_are_refused(secured: Secured) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", secured.port)) as connection,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(connection)
    secured.server.wait_for_log("it speaks no TLS of version 1.2 or later")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(secured: Secured, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(secured.authority.path))
    context.load_cert_chain(secured.mr1.certificate, secured.mr1.key)
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", secured.port)) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as tls,
    ):
        tls.sendall(scu.association_request("MR1", "MWL_SERVER", scu.VERIFICATION, 0, ()))
        assert tls.recv(1) == bytes([scu.ASSOCIATE_AC])


def test_a_device_is_bound_to_the_subject_of_its_certificate(
    secured: Secured, ask: Callable[..., Any], echo: Callable[..., Any]
) -> None:
    started = timezone.now()
    Device(ae_title="MR1", certificate_subject="CN=MR1,O=Hospital").save_as("test")
    Device(ae_title="CT1", certificate_subject="CN=CT1").save_as("test")
    assert ask(secured, secured.mr1, calling="MR1") == []
    assert ask(secured, secured.mr1, calling="CT1") == REFUSED
    assert echo(port=secured.server.port, calling="MR1") == REFUSED
    wait_until(lambda: refusals(started).count() == 2)
    wait_until(lambda: DeviceActivity.objects.queries().filter(at__gte=started).exists())
    (found,) = DeviceActivity.objects.queries().filter(at__gte=started)
    assert found.certificate_subject == "CN=MR1,O=Hospital"


def test_an_optional_certificate_lets_both_in_and_no_plain_closes_the_other_port(
    start_server: StartServer, transactional_db: None, ask: Callable[..., Any], certificates: dict[str, Any]
) -> None:
    port = free_port()
    options = [*tls_options(certificates, port), "--tls-client-certificate", "optional", "--no-plain"]
    server = start_server(*options, "--processes", "2")
    secured = Secured(
        server, port, **{name: certificates[name] for name in ("authority", "mr1", "expired", "stranger")}
    )
    assert ask(secured, secured.mr1) == []
    assert ask(secured, None) == []
    assert ask(secured, secured.stranger) is None
    with pytest.raises(ConnectionRefusedError):
        scu.RawUser(server.port)
    assert server.stop() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--tls-key", "x"], "--tls-key needs --tls-cert"),
        (["--no-plain"], "--no-plain needs --tls-cert"),
        (["--tls-cert", "{folder}/none.crt"], "none.crt cannot be read: No such file"),
        (["--tls-cert", "{server}"], "must hold a certificate and its key in PEM"),
        (["--tls-cert", "{server}", "--tls-key", "{mr1_key}"], "is not that of the certificate"),
        (["--tls-cert", "{server}", "--tls-key", "{locked_key}"], "is encrypted"),
        (["--tls-cert", "{server}", "--tls-key", "{key}", "--tls-ca", "{key}"], "of authorities"),
        (
            ["--tls-cert", "{server}", "--tls-key", "{key}", "--tls-client-certificate", "required"],
            "give --tls-ca",
        ),
    ],
)
def test_files_that_cannot_be_used_are_told_before_anything_is_served(
    certificates: dict[str, Any], tmp_path: Path, options: list[str], complaint: str
) -> None:
    server = certificates["server"]
    locked = Authority(tmp_path, "Locked CA").issue("locked", password=b"secret")
    named = {
        "folder": tmp_path,
        "server": server.certificate,
        "key": server.key,
        "mr1_key": certificates["mr1"].key,
        "locked_key": locked.key,
    }
    with pytest.raises(CommandError, match=complaint):
        call_command("run_mwl", *(option.format(**named) for option in options))


def test_a_certificate_that_ends_soon_is_told(
    certificates: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    from worklist.scp.tls import warn_of_expiry

    warn_of_expiry(certificates["server"].certificate)
    assert not caplog.records
    warn_of_expiry(certificates["authority"].issue("short", days=3).certificate)
    warn_of_expiry(certificates["expired"].certificate)
    assert ["expires" in caplog.messages[0], "has expired" in caplog.messages[1]] == [True, True]


def refusals(since: Any) -> Any:
    return DeviceActivity.objects.filter(kind=DeviceActivity.Kind.REFUSED, at__gte=since)


def dcmtk_over_tls(
    secured: Secured, client: Issued, *, program: list[str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            dcmtk(program[0]),
            "+tls",
            str(client.key),
            str(client.certificate),
            "+cf",
            str(secured.authority.path),
            *program[1:],
            "-aet",
            "MR1",
            "127.0.0.1",
            str(secured.port),
        ],
        capture_output=True,
        text=True,
        timeout=SOON,
        check=False,
    )


TLS_OF_START = {
    "tls_cert": "mwl.crt",
    "tls_key": "mwl.key",
    "tls_ca": None,
    "tls_client_certificate": "none",
    "tls_port": 2762,
}


def test_start_tells_both_ports() -> None:
    from pylantir_site.management.commands import start

    both = {**TLS_OF_START, "no_plain": False}
    told = {
        "ip": "0.0.0.0",
        "port": 4242,
        "AEtitle": "MWL",
        "no_web": True,
        "no_worker": True,
        "no_dicom": False,
    }
    assert "0.0.0.0:4242 and 0.0.0.0:2762 with TLS" in start.where_to_go({**told, **both})
    assert ": 0.0.0.0:2762 with TLS" in start.where_to_go({**told, **both, "no_plain": True})


def test_start_refuses_options_of_tls_without_a_certificate() -> None:
    with pytest.raises(CommandError, match="--no-plain needs --tls-cert"):
        call_command("start", "--no-plain")
