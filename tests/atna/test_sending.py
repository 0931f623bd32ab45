"""Messages go by real syslog to a listener on loopback; who has one never waits, and what is lost is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import Client

from accounts.models import User
from pylantir_site.atna import codes, sending
from pylantir_site.atna.messages import MINOR_FAILURE, SUCCESS, ActiveParticipant, AuditMessage
from pylantir_site.atna.sending import MessageSender
from pylantir_site.environment import atna
from pylantir_site.environment.atna import AtnaSettings
from tests.atna.repository import TlsRepository, UdpRepository, parts
from tests.atna.schema import parsed
from tests.conftest import PASSWORD, free_port, wait_until

AT = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
BASE = AtnaSettings(
    transport="udp",
    host="127.0.0.1",
    port=0,
    ca="",
    certificate="",
    key="",
    source_id="MWL_SERVER",
    site_id="",
    longest_queue=100,
)
Start = Callable[[AtnaSettings], MessageSender]


def message(name: str, *, outcome: str = SUCCESS) -> AuditMessage:
    who = ActiveParticipant(name, is_requestor=False)
    return AuditMessage(codes.APPLICATION_ACTIVITY, "E", AT, (who,), outcome)


def put(sender: MessageSender, *names: str) -> None:
    for name in names:
        sender.put(lambda name=name: [message(name)])  # type: ignore[misc]


def told(messages: list[bytes]) -> list[str | None]:
    """Return whom each message names; all keep the schema."""
    return [parsed(each).findall("ActiveParticipant")[0].get("UserID") for each in messages]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(sending, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(sending, "IDLE", 0.1)
    monkeypatch.setattr(connections, "close_all", lambda: None)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[MessageSender] = []

    def begin(to: AtnaSettings) -> MessageSender:
        started.append(MessageSender(to))
        return started[-1]

    yield begin
    for sender in started:
        sender.end(2)


@pytest.fixture
def udp() -> Iterator[UdpRepository]:
    repository = UdpRepository()
    yield repository
    repository.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> Iterator[TlsRepository]:
    repository = TlsRepository(authority)
    yield repository
    repository.close()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.mark.acceptance("H94")
def test_a_message_goes_by_udp(udp: UdpRepository, start: Start) -> None:
    sender = start(replace(BASE, port=udp.port))
    put(sender, "one")
    sender.put(lambda: [message("two", outcome=MINOR_FAILURE)])

    wait_until(lambda: len(udp.frames) == 2)

    assert told(udp.messages) == ["one", "two"]
    assert [parts(frame)[0] for frame in udp.frames] == [b"85", b"84"]  # PS3.15 A.6: facility 10
    assert parts(udp.frames[0])[1] == b"2026-11-29T12:30:00.000Z"


@pytest.mark.acceptance("H94")
def test_messages_go_by_tls_each_after_its_length(tls: TlsRepository, ca: str, start: Start) -> None:
    sender = start(replace(BASE, transport="tls", port=tls.port, ca=ca))

    put(sender, "one", "zwei ü", "three")

    wait_until(lambda: len(tls.frames) == 3)
    assert told(tls.messages) == ["one", "zwei ü", "three"]


@pytest.mark.acceptance("H94")
def test_a_repository_that_nobody_vouches_for_gets_nothing(
    tls: TlsRepository, tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    sender = start(replace(BASE, transport="tls", port=tls.port, ca=str(other)))

    put(sender, "secret")

    wait_until(lambda: "does not take messages" in caplog.text)
    sender.end(2)
    assert tls.frames == []
    assert "1 audit messages were lost." in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.acceptance("H94")
def test_a_repository_may_ask_for_our_certificate(
    authority: trustme.CA, ca: str, tmp_path: Path, start: Start
) -> None:
    ours = authority.issue_cert("pylantir.example.org")
    certificate = tmp_path / "ours.pem"
    ours.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    repository = TlsRepository(authority, client_ca=authority)
    try:
        put(
            start(replace(BASE, transport="tls", port=repository.port, ca=ca, certificate=str(certificate))),
            "one",
        )
        wait_until(lambda: told(repository.messages) == ["one"])
    finally:
        repository.close()


@pytest.mark.acceptance("H95")
def test_messages_wait_for_a_repository_that_is_away(
    authority: trustme.CA, ca: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    sender = start(replace(BASE, transport="tls", port=port, ca=ca))
    put(sender, "one", "two")
    wait_until(lambda: "does not take messages" in caplog.text)

    repository = TlsRepository(authority, port=port)
    try:
        wait_until(lambda: told(repository.messages) == ["one", "two"])
        repository.hang_up()
        wait_until(lambda: _has_noticed(sender))
        put(sender, "three")
        wait_until(lambda: told(repository.messages) == ["one", "two", "three"])
    finally:
        repository.close()

    assert caplog.text.count("does not take messages") <= 2
    assert "takes messages again" in caplog.text
    assert sender.lost == 0


def _has_noticed(sender: MessageSender) -> bool:
    """Tell whether the end of the connection has come in: then what is sent next goes by another."""
    with suppress(OSError):
        sender._transport._refuse_a_closed_connection()  # type: ignore[union-attr]
        return False
    return True


@pytest.mark.acceptance("H95")
def test_nobody_waits_and_what_does_not_fit_is_counted(
    ca: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    sender = start(replace(BASE, transport="tls", port=free_port(), ca=ca, longest_queue=100))

    began = time.monotonic()
    put(sender, *map(str, range(1000)))
    seconds = time.monotonic() - began

    assert seconds < 0.5  # a thousand of them, with the repository away
    assert sender.lost >= 899
    assert caplog.text.count("Audit messages are lost") == 1
    sender.end(0.5)
    assert "1000 audit messages were lost." in caplog.text


@pytest.mark.acceptance("H95")
def test_what_was_lost_is_told_once_the_repository_is_back(
    udp: UdpRepository, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    sender = start(replace(BASE, port=udp.port))
    patient = "^".join(("DOE", "JOHN"))

    def broken() -> list[AuditMessage]:
        raise RuntimeError(patient)

    sender.put(broken)
    sender.put(lambda: [message("x" * 70_000)])
    put(sender, "last")

    wait_until(lambda: told(udp.messages) == ["last"])
    wait_until(lambda: "2 audit messages were lost." in caplog.text)
    assert "too long for UDP" in caplog.text
    assert patient not in caplog.text


@pytest.mark.acceptance("H95")
def test_what_is_queued_is_sent_before_the_process_ends(udp: UdpRepository, start: Start) -> None:
    sender = start(replace(BASE, port=udp.port))
    put(sender, *map(str, range(50)))

    sender.end(5)

    wait_until(lambda: len(udp.frames) == 50)


@pytest.mark.django_db
@pytest.mark.acceptance("H96")
def test_a_sign_in_to_the_admin_reaches_the_repository(
    udp: UdpRepository, bob: User, client: Client, settings: LazySettings
) -> None:
    settings.ATNA = replace(BASE, port=udp.port)
    try:
        client.post("/admin/login/?next=/admin/", {"username": "bob", "password": PASSWORD})
        wait_until(lambda: told(udp.messages) == ["bob"])
    finally:
        sending.end()


def test_nothing_is_sent_where_no_repository_is_named(settings: LazySettings) -> None:
    assert settings.ATNA is None
    sending.send(lambda: pytest.fail("No message is made."))
    assert sending._sender is None


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("tls://arr.example.org", ("tls", "arr.example.org", 6514)),
        ("udp://10.0.0.1", ("udp", "10.0.0.1", 514)),
        ("tls://[::1]:7000", ("tls", "::1", 7000)),
    ],
)
def test_a_repository_is_named_by_an_address(
    url: str, found: tuple[str, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATNA_SYSLOG", url)

    read = atna.settings(source_id="MWL_SERVER")

    assert read is not None
    assert (read.transport, read.host, read.port) == found
    assert read.source_id == "MWL_SERVER"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ATNA_SYSLOG": "arr.example.org:514"}, "ATNA_SYSLOG"),
        ({"ATNA_SYSLOG": "tcp://arr.example.org"}, "ATNA_SYSLOG"),
        ({"ATNA_SYSLOG": "tls://arr:99999"}, "ATNA_SYSLOG"),
        ({"ATNA_SYSLOG": "tls://arr", "ATNA_CA": "/none.pem"}, "ATNA_CA"),
        ({"ATNA_SYSLOG": "tls://arr", "ATNA_KEY": __file__}, "ATNA_CERTIFICATE"),
        ({"ATNA_SYSLOG": "tls://arr", "ATNA_QUEUE": "1"}, "ATNA_QUEUE"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    variables: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=named):
        atna.settings(source_id="MWL_SERVER")
