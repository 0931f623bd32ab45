"""The client takes what goes wrong on the way to REDCap: retries, time, redirects, TLS, limits, logs."""

from __future__ import annotations

import logging
import ssl
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    SourceError,
    TokenRefused,
    TooMuchError,
    TransientError,
)
from sources.http import limiter
from sources.redcap.client import Client
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer, Switches
from tests.redcap.studies import TOKEN, cpip
from tests.sources.redcap_access import access, read

ATTEMPTS = 4
IN_FRONT = [
    Failure.LOGIN_PAGE_401, Failure.FIREWALL_PAGE_403, Failure.FIREWALL_EMPTY_403, Failure.GATEWAY_JSON_403,
    Failure.PROXY_LOGIN_407, Failure.UNAVAILABLE_451,
]  # fmt: skip
TRANSIENT = [
    Failure.EMPTY_500, Failure.PROXY_502, Failure.PROXY_503, Failure.PROXY_504, Failure.TIMEOUT_408,
    Failure.TOO_MANY_429, Failure.TABS_BUG, Failure.SSO_PAGE, Failure.OFFLINE_PAGE, Failure.NOT_JSON_200,
    Failure.EMPTY_200, Failure.PHP_NOTICE, Failure.TRUNCATED_JSON, Failure.SHORT_BODY, Failure.RESET,
    *IN_FRONT,
]  # fmt: skip
LASTING = {
    Failure.BAD_REQUEST_400: ConfigurationError,
    Failure.NOT_FOUND_404: ConfigurationError,
    Failure.NOT_IMPLEMENTED_501: ConfigurationError,
    Failure.ERROR_OBJECT_200: ConfigurationError,
    Failure.REDIRECT: ConfigurationError,
    Failure.UNAUTHORISED_401: TokenRefused,
    Failure.FORBIDDEN_403: TokenRefused,
    Failure.BANNED_403: AuthorisationError,
}


@pytest.fixture
def project() -> Project:
    return cpip()


@pytest.fixture
def server(project: Project) -> Iterator[RedcapServer]:
    with RedcapServer(project) as server:
        yield server


@pytest.fixture
def client(server: RedcapServer) -> Iterator[Client]:
    with Client(access(server)) as client:
        yield client


# What is tried again


@pytest.mark.acceptance("RC71", "RC72")
@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: failure.name)
def test_what_time_may_mend_is_asked_again(
    server: RedcapServer, client: Client, project: Project, failure: Failure
) -> None:
    server.fail(failure, times=ATTEMPTS - 1)

    assert client.project()["project_id"] == project.id
    assert client.requests == len(server.requests) == ATTEMPTS


@pytest.mark.acceptance("RC71", "RC72")
@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: failure.name)
def test_what_time_does_not_mend_is_given_up(server: RedcapServer, client: Client, failure: Failure) -> None:
    server.fail(failure, times=50)

    with pytest.raises(TransientError) as raised:
        client.project()
    assert not isinstance(raised.value, TooMuchError)
    assert len(server.requests) == ATTEMPTS
    assert "<" not in str(raised.value)


@pytest.mark.acceptance("RC74", "RC75")
@pytest.mark.parametrize(("failure", "kind"), LASTING.items(), ids=lambda each: getattr(each, "name", ""))
def test_what_only_a_person_can_mend_is_asked_once(
    server: RedcapServer, client: Client, failure: Failure, kind: type[SourceError]
) -> None:
    server.fail(failure, times=50)

    with pytest.raises(kind) as raised:
        client.project()
    assert type(raised.value) is kind
    assert len(server.requests) == 1


@pytest.mark.acceptance("RC71")
def test_pauses_grow_and_differ(server: RedcapServer) -> None:
    pauses: list[float] = []
    server.fail(Failure.EMPTY_500, times=50)

    with Client(access(server, pause=1.0, attempts=5), wait=pauses.append) as client:
        for _ in range(2):
            with pytest.raises(TransientError):
                client.project()

    first, second = pauses[:4], pauses[4:]
    assert [1 <= pause / 2**number <= 1.5 for number, pause in enumerate(first)] == [True] * 4
    assert first != second


@pytest.mark.acceptance("RC71")
def test_a_server_that_is_not_there_is_waited_for() -> None:
    with RedcapServer(cpip()) as server:
        gone = access(server)

    with Client(gone) as client, pytest.raises(TransientError, match="connection"):
        client.project()
    assert client.requests == ATTEMPTS


@pytest.mark.acceptance("RC75")
@pytest.mark.parametrize("switch", [401, 403])
def test_a_wrong_token_is_refused_at_once(project: Project, switch: int) -> None:
    with RedcapServer(project, switches=Switches(unknown_token_status=switch)) as server:
        with Client(access(server, token="F" * 32)) as client, pytest.raises(AuthorisationError) as raised:
            client.dictionary()
        assert len(server.requests) == 1

    assert raised.value.retry_after is None


@pytest.mark.acceptance("RC76")
def test_a_ban_is_recognised_and_never_hammered(server: RedcapServer, client: Client) -> None:
    server.ban_over = 2

    with pytest.raises(AuthorisationError, match="banned") as raised:
        client.dictionary()
    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= timedelta(hours=1)
    assert len(server.requests) == 3


# Time


@pytest.mark.acceptance("RC78")
@pytest.mark.parametrize("failure", [Failure.HANG, Failure.SLOW_DRIP], ids=lambda failure: failure.name)
def test_a_server_that_hangs_is_left(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure, times=50)
    server.drip = 0.05
    begun = time.monotonic()

    with Client(access(server, read_timeout=0.2, attempts=2)) as client, pytest.raises(TransientError):
        client.project()
    assert client.requests == 2
    assert time.monotonic() - begun < 3


@pytest.mark.acceptance("RC78")
def test_a_slow_answer_that_comes_in_time_is_read(server: RedcapServer, project: Project) -> None:
    server.fail(Failure.SLOW_DRIP, content="version")
    server.drip = 0.01

    with Client(access(server, read_timeout=5)) as client:
        assert client.version() == project.version


class Minutes:
    """This clock moves only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    """Give the limiter this clock, and let no limiter know the port from another test's server."""
    clock = Minutes()
    monkeypatch.setattr(limiter, "time", clock)
    monkeypatch.setattr(limiter, "_limiters", {})
    return clock


@pytest.mark.acceptance("RC56")
def test_no_more_is_asked_in_a_minute_than_allowed(minutes: Minutes) -> None:
    limited, taken = limiter.Limiter(), []
    for _ in range(25):
        limited.take(10, minutes.wait)
        taken.append(minutes.now)
        minutes.now += 0.1

    assert len(minutes.pauses) == 2
    for moment in taken:
        assert sum(moment - limiter.MINUTE < other <= moment for other in taken) <= 10


@pytest.mark.acceptance("RC56")
def test_sources_on_one_host_share_the_limit(server: RedcapServer, minutes: Minutes) -> None:
    slow = access(server, requests_per_minute=3)
    for _ in range(2):
        with Client(slow, wait=minutes.wait) as client:
            client.version()
            client.version()

    assert minutes.pauses == [pytest.approx(60, abs=1)]


@pytest.mark.acceptance("RC56")
def test_retries_count_as_well(server: RedcapServer, minutes: Minutes) -> None:
    server.fail(Failure.EMPTY_500, times=2)
    with Client(access(server, requests_per_minute=2), wait=minutes.wait) as client:
        client.version()

    assert max(minutes.pauses) > 50


def test_the_limit_is_one_for_each_host() -> None:
    assert limiter.limiter_of("a.example.org") is limiter.limiter_of("a.example.org")
    assert limiter.limiter_of("a.example.org") is not limiter.limiter_of("b.example.org")


# The way there


@pytest.mark.acceptance("RC1")
@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://new.example.org/redcap/api/?a=b", "redirects to https://new.example.org/redcap/api/:"),
        ("/login/", "redirects to {host}/login/:"),
    ],
)
def test_a_redirect_is_told_with_its_target_and_not_followed(
    server: RedcapServer, client: Client, location: str, told: str
) -> None:
    server.moved_to = location
    host = server.url.removesuffix("/redcap/api/")

    with pytest.raises(ConfigurationError, match="redirects to") as raised:
        client.project()
    assert told.format(host=host) in str(raised.value)
    assert client.requests == 1
    assert server.requests == []


@pytest.mark.acceptance("RC1")
def test_a_url_without_its_slash_is_told_the_right_one(server: RedcapServer) -> None:
    short = access(server)
    object.__setattr__(short, "url", server.url.rstrip("/"))

    with Client(short) as client, pytest.raises(ConfigurationError, match=f"redirects to {server.url}"):
        client.project()


@pytest.mark.acceptance("RC77")
def test_a_certificate_is_trusted_by_the_institution_s_bundle_alone(project: Project, tmp_path: Path) -> None:
    authority = trustme.CA()
    bundle, junk = tmp_path / "ca.pem", tmp_path / "junk.pem"
    authority.cert_pem.write_to_path(str(bundle))
    junk.write_text("no certificate")

    with RedcapServer(project, ssl_context=context_of(authority.issue_cert("127.0.0.1"))) as server:
        for changes, said in (
            ({}, r"not trusted \(.*certificate.*\).*CA bundle"),
            ({"ca_bundle": "/no/such/file"}, "CA bundle cannot be read"),
            ({"ca_bundle": str(junk)}, "CA bundle"),
        ):
            with Client(access(server, **changes)) as client, pytest.raises(ConfigurationError, match=said):
                client.project()
            assert client.requests == 1
        assert server.requests == []
        with Client(access(server, ca_bundle=str(bundle))) as client:
            assert client.project()["project_id"] == project.id


@pytest.mark.acceptance("RC77")
@pytest.mark.parametrize(
    ("name", "expired", "said"), [("127.0.0.1", True, "expired"), ("other.example.org", False, "mismatch")]
)
def test_a_certificate_that_does_not_hold_is_refused_with_the_reason(
    project: Project, tmp_path: Path, name: str, expired: bool, said: str
) -> None:
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    until = datetime(2020, 1, 1, tzinfo=UTC) if expired else None
    certificate = authority.issue_cert(name, not_after=until)

    with RedcapServer(project, ssl_context=context_of(certificate)) as server:
        given = access(server, ca_bundle=str(bundle))
        with Client(given) as client, pytest.raises(ConfigurationError, match=said):
            client.project()


@pytest.mark.acceptance("RC77")
def test_a_server_that_speaks_no_tls_is_told(server: RedcapServer) -> None:
    secure = access(server)
    object.__setattr__(secure, "url", server.url.replace("http:", "https:"))

    with Client(secure) as client, pytest.raises(ConfigurationError, match="TLS"):
        client.project()


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.mark.parametrize("failure", [Failure.GZIP, Failure.BOM], ids=lambda failure: failure.name)
def test_odd_but_right_answers_are_read(
    server: RedcapServer, client: Client, project: Project, failure: Failure
) -> None:
    dictionary = client.dictionary()
    whole = read(client, dictionary, "study_id", "mri_date")
    server.fail(failure, times=2, content="record")

    assert read(client, dictionary, "study_id", "mri_date") == whole


# Secrets


@pytest.mark.acceptance("RC82")
def test_nothing_secret_is_logged_or_told_at_any_level(
    server: RedcapServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dictionary = client.dictionary()
    told = []
    for failure in (*TRANSIENT, *LASTING, Failure.LATIN1, Failure.MISSING_ROWS, Failure.OUT_OF_MEMORY):
        server.fail(failure, times=ATTEMPTS, content="record")
        try:
            read(client, dictionary, "study_id", "family_id", "youth_dob_y", "mri_date")
        except SourceError as error:
            told.append("".join(traceback.format_exception(error)))
        server.recover()

    assert len(told) > len(LASTING)
    for text in (*told, caplog.text):
        for secret in (TOKEN, "CPIP-00", "CP-00", "F-7", "2012"):
            assert secret not in text.replace("/redcap", "")
    assert caplog.records, "urllib3 tells its connections at DEBUG: the check would see what else it told"


@pytest.mark.acceptance("RC82")
def test_nothing_secret_is_logged_of_a_server_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with RedcapServer(cpip()) as server:
        gone = access(server)

    with Client(gone) as client, pytest.raises(TransientError) as raised:
        client.project()
    assert TOKEN not in "".join(traceback.format_exception(raised.value)) + caplog.text


@pytest.mark.acceptance("RC82")
def test_the_token_is_in_no_representation(server: RedcapServer, client: Client) -> None:
    assert TOKEN not in f"{access(server)!r} {client!r} {vars(client)!r} {vars(client.transport)!r}"
