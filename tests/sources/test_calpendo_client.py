"""The client asks a stand-in Calpendo over real sockets, and takes what goes wrong on the way."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from datetime import date, datetime

import pytest

from sources.calpendo.address import normalise_url
from sources.calpendo.client import IDS_AT_ONCE
from sources.calpendo.client import CalpendoClient as Client
from sources.calpendo.literals import DateLiteral
from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    SourceError,
    TokenRefused,
    TooMuchError,
    TransientError,
)
from tests.calpendo.bookings import EEG, Named
from tests.calpendo.server import PASSWORD, USER, CalpendoServer, Failure, Shape, Switches
from tests.sources.calpendo_access import access, booking

ATTEMPTS = 4
DAY = date(2026, 1, 27)
NOON = datetime(2026, 1, 27, 12)
PATHS = ("id", "title", "status", "dateRange.start", "resource.name")
TRANSIENT = [
    Failure.EMPTY_500, Failure.PROXY_502, Failure.PROXY_503, Failure.PROXY_504, Failure.TIMEOUT_408,
    Failure.TOO_MANY_429, Failure.SSO_PAGE, Failure.OFFLINE_PAGE, Failure.NOT_JSON_200, Failure.EMPTY_200,
    Failure.TRUNCATED_JSON, Failure.SHORT_BODY, Failure.RESET, Failure.INVALID_UTF8, Failure.PROXY_LOGIN_407,
]  # fmt: skip
LASTING = {
    Failure.BAD_REQUEST_400: ConfigurationError,
    Failure.NOT_FOUND_404: ConfigurationError,
    Failure.NOT_IMPLEMENTED_501: ConfigurationError,
    Failure.ERROR_OBJECT_200: ConfigurationError,
    Failure.REDIRECT: ConfigurationError,
    Failure.LOGIN_PAGE_401: TokenRefused,
    Failure.FIREWALL_PAGE_403: AuthorisationError,
}


@pytest.fixture
def server() -> Iterator[CalpendoServer]:
    with CalpendoServer(
        bookings=[
            booking(1, NOON, "Ängström - José"),
            booking(2, NOON, resource=EEG),
            booking(3, datetime(2026, 3, 1, 9)),
        ]
    ) as server:
        yield server


@pytest.fixture
def client(server: CalpendoServer) -> Iterator[Client]:
    with Client(access(server)) as client:
        yield client


def window(client: Client, *resources: str, literal: DateLiteral = DateLiteral.DASHED) -> list[str]:
    found = client.in_window(resources or ("3T Diagnostic",), DAY, DAY, literal=literal, paths=PATHS)
    return list(found)


# What is asked


@pytest.mark.acceptance("FI87")
def test_one_question_brings_all_of_a_window(server: CalpendoServer, client: Client) -> None:
    assert window(client, "3T Diagnostic", "EEG Lab") == ["1", "2"]
    assert len(server.requests) == 1
    asked = server.requests[0]
    assert asked.paths == PATHS
    assert asked.is_signed_in
    assert asked.expression.startswith(
        "AND/dateRange.start/GE/20260126-0000/dateRange.start/LT/20260129-0000/OR/"
    )


@pytest.mark.acceptance("FI80")
def test_a_slash_in_a_resource_is_part_of_its_name(server: CalpendoServer, client: Client) -> None:
    server.bookings.append(booking(4, NOON, resource=Named(9, "3T/PET")))

    assert window(client, "3T/PET") == ["4"]
    assert "/resource.name/EQ/3T%2FPET/" in server.requests[0].path


@pytest.mark.acceptance("FI80")
def test_a_server_that_refuses_slashes_is_told_of() -> None:
    with (
        CalpendoServer(switches=Switches(slashes="refused")) as server,
        Client(access(server)) as client,
    ):
        with pytest.raises(ConfigurationError, match="slash in its name"):
            window(client, "3T/PET")
        assert len(server.requests) == 1


@pytest.mark.parametrize("resource", ["", ".", "a\tb"])
def test_a_resource_that_no_address_can_carry_is_told(client: Client, resource: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be asked for"):
        client.in_window([resource], DAY, DAY, literal=DateLiteral.DASHED, paths=PATHS)


@pytest.mark.acceptance("FI88")
def test_bookings_are_asked_for_by_their_ids_some_at_once(server: CalpendoServer, client: Client) -> None:
    server.bookings = [booking(number, NOON) for number in range(1, IDS_AT_ONCE + 6)]
    wanted = [str(number) for number in range(1, IDS_AT_ONCE + 9)]

    found = client.by_id([*wanted, "x", "", "1"], paths=PATHS)

    assert sorted(map(int, found)) == list(range(1, IDS_AT_ONCE + 6))
    assert len(server.requests) == 3, "What an answer lacks is asked for twice."


def test_resources_are_listed_by_their_names(client: Client) -> None:
    assert client.resources() == ("3T Diagnostic", "EEG Lab")


def test_one_booking_shows_all_that_it_has(client: Client) -> None:
    assert client.whole("1")["properties"]["resource"]["name"] == "3T Diagnostic"


@pytest.mark.acceptance("FI88")
def test_bookings_that_nobody_asked_for_are_not_used() -> None:
    switches = Switches(literals=frozenset("T"), wrong_literal="everything")
    with (
        CalpendoServer(bookings=[booking(3, datetime(2026, 3, 1, 9))], switches=switches) as server,
        Client(access(server)) as client,
        pytest.raises(ConfigurationError, match="not asked for"),
    ):
        window(client)


@pytest.mark.acceptance("FI88")
def test_a_booking_of_another_resource_was_not_asked_for(server: CalpendoServer, client: Client) -> None:
    """As the original's question brought them: a server could understand this one so, too."""
    server.found = lambda expression: server.bookings[:2]  # type: ignore[method-assign]

    with pytest.raises(ConfigurationError, match="not asked for"):
        window(client)


def test_two_versions_of_one_booking_spoil_the_answer(server: CalpendoServer, client: Client) -> None:
    server.bookings.append(booking(1, NOON, "Another"))

    with pytest.raises(TransientError, match="twice"):
        window(client)


# What goes wrong


@pytest.mark.acceptance("FI89")
@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: failure.name)
def test_what_time_may_mend_is_asked_again(server: CalpendoServer, client: Client, failure: Failure) -> None:
    server.fail(failure, times=ATTEMPTS - 1)

    assert window(client) == ["1"]
    assert client.requests == len(server.requests) == ATTEMPTS


@pytest.mark.acceptance("FI89")
@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: failure.name)
def test_what_time_does_not_mend_is_given_up(
    server: CalpendoServer, client: Client, failure: Failure
) -> None:
    server.fail(failure, times=50)

    with pytest.raises(TransientError) as raised:
        window(client)
    assert not isinstance(raised.value, TooMuchError)
    assert len(server.requests) == ATTEMPTS
    assert "<" not in str(raised.value)


@pytest.mark.acceptance("FI89")
@pytest.mark.parametrize(("failure", "kind"), LASTING.items(), ids=lambda each: getattr(each, "name", ""))
def test_what_only_a_person_can_mend_is_asked_once(
    server: CalpendoServer, client: Client, failure: Failure, kind: type[SourceError]
) -> None:
    server.fail(failure, times=50)

    with pytest.raises(kind) as raised:
        window(client)
    assert type(raised.value) is kind
    assert len(server.requests) == 1


@pytest.mark.acceptance("FI89")
def test_the_page_of_single_sign_on_is_told_with_its_title(server: CalpendoServer, client: Client) -> None:
    server.fail(Failure.SSO_PAGE, times=50)

    with pytest.raises(TransientError, match=r'titled "Sign in to your account".*local user'):
        window(client)


def test_a_wrong_password_is_refused_at_once(server: CalpendoServer) -> None:
    with (
        Client(access(server, password="another")) as client,
        pytest.raises(TokenRefused, match="401"),
    ):
        window(client)
    assert len(server.requests) == 1


def test_a_type_that_the_user_may_not_read_is_told() -> None:
    switches = Switches(forbidden=frozenset({"Calpendo.Resource"}))
    with (
        CalpendoServer(switches=switches) as server,
        Client(access(server)) as client,
        pytest.raises(AuthorisationError, match="may not read resources"),
    ):
        client.resources()


@pytest.mark.acceptance("FI89")
def test_a_redirect_is_told_and_the_password_goes_nowhere_else(
    server: CalpendoServer, client: Client
) -> None:
    with CalpendoServer() as other:
        server.moved_to = f"{other.url}/webdav/q/Calpendo.Booking"
        with pytest.raises(ConfigurationError, match=f"redirects to {other.url}"):
            window(client)
        assert other.requests == []


@pytest.mark.acceptance("FI89")
@pytest.mark.parametrize("failure", [Failure.HANG, Failure.SLOW_DRIP], ids=lambda failure: failure.name)
def test_a_server_that_hangs_is_left(server: CalpendoServer, failure: Failure) -> None:
    server.fail(failure, times=50)
    server.drip = 0.05
    begun = time.monotonic()

    with (
        Client(access(server, read_timeout=0.2, attempts=2)) as client,
        pytest.raises(TransientError),
    ):
        window(client)
    assert time.monotonic() - begun < 3


def test_an_answer_that_is_too_large_is_not_used(server: CalpendoServer) -> None:
    server.bookings[0].title = "x" * 1_100_000

    with (
        Client(access(server, most_megabytes=1)) as client,
        pytest.raises(TooMuchError, match="fewer days"),
    ):
        window(client)


@pytest.mark.acceptance("FI90")
def test_no_title_and_no_password_is_logged_or_told(
    server: CalpendoServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    window(client)
    told = []
    for failure in (*TRANSIENT, *LASTING, Failure.LATIN1):
        server.fail(failure, times=ATTEMPTS)
        try:
            window(client)
        except SourceError as error:
            told.append("".join(traceback.format_exception(error)))
        server.recover()

    assert len(told) > len(LASTING)
    for text in (*told, caplog.text, f"{access(server)!r} {vars(client.transport)!r}"):
        for secret in (PASSWORD, "Ängström", "José", "John", "Basic "):
            assert secret not in text
    assert USER
    assert caplog.records


# The address


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://sfc.calpendo.com", "https://sfc.calpendo.com"),
        (" https://SFC.calpendo.com/ ", "https://sfc.calpendo.com"),
        ("https://x.example.org/calpendo/webdav/q/Calpendo.Booking", "https://x.example.org/calpendo"),
        ("https://x.example.org:8443/Calpendo/webdav", "https://x.example.org:8443/Calpendo"),
        ("http://127.0.0.1:9000/calpendo", "http://127.0.0.1:9000/calpendo"),
    ],
)
def test_the_base_url_is_what_the_api_is_below(given: str, url: str) -> None:
    assert normalise_url(given) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "must be a URL such as https://example.calpendo.com"),
        ("calpendo.example.org", "must be a URL"),
        ("http://calpendo.example.org", "password would travel in clear"),
        ("https://anna:secret@calpendo.example.org", "user name or password"),
        ("https://calpendo.example.org/?a=b", "without"),
        ("https://169.254.169.254/", "no Calpendo is there"),
    ],
)
def test_what_cannot_be_the_base_url_is_refused(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        normalise_url(given)


def test_every_shape_of_times_is_known_for_a_stranger(server: CalpendoServer) -> None:
    for times in ("utc", "offset", "naive", "formatted"):
        server.shape = Shape(times=times)
        with Client(access(server)) as client:
            assert window(client) == ["1"]
