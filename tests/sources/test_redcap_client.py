"""The REDCap client against the stand-in: what it asks, how it takes what goes wrong (acceptance rows)."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import trustme

from sources.errors import AuthorisationError, ConfigurationError, SourceError, TooMuchError, TransientError
from sources.redcap import answers, limiter
from sources.redcap.address import normalise_url
from sources.redcap.client import Access, Client, wall_time
from sources.redcap.dictionary import Dictionary
from sources.redcap.rows import Row
from tests.redcap_project import Project, User
from tests.redcap_server import Failure, RedcapServer
from tests.redcap_studies import TOKEN, big, cpip, long2arm, messy, multisite, repevent

UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def project() -> Project:
    return cpip()


@pytest.fixture
def server(project: Project) -> Iterator[RedcapServer]:
    with RedcapServer(project) as server:
        yield server


def access(server: RedcapServer, **changes: object) -> Access:
    given = {"pause": 0.001, "read_timeout": 2, "connect_timeout": 2, "requests_per_minute": 6000, **changes}
    return Access(server.url, TOKEN, **given)  # type: ignore[arg-type]


def ids(client: Client, dictionary: Dictionary, since: datetime | None = None) -> tuple[str, ...]:
    return client.record_ids(id_field=dictionary.record_id_field, since=since, server_timezone=UTC_ZONE)


def read(client: Client, dictionary: Dictionary, *fields: str) -> dict[str, tuple[Row, ...]]:
    return dict(client.records(ids(client, dictionary), dictionary=dictionary, fields=fields))


@pytest.mark.parametrize(
    "study", [cpip, long2arm, repevent, multisite, messy], ids=lambda study: study.__name__
)
def test_every_kind_of_project_is_read_whole(study: type[Project]) -> None:
    project: Project = study()  # type: ignore[call-arg]
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        fields = [name for name, field in dictionary.fields.items() if field.type != "descriptive"]
        found = read(client, dictionary, *fields)

    assert dictionary.record_id_field == project.id_field
    assert dictionary.is_longitudinal == project.longitudinal
    assert dictionary.repeating == frozenset(project.repeating)
    assert set(found) == set(project.records())
    for record, rows in found.items():
        keys = [(row.event, row.instrument, row.instance) for row in rows]
        assert sorted(keys) == sorted(tuple(key) for key, _ in project.rows(record))


def test_a_dictionary_is_the_same_after_it_was_kept() -> None:
    for study in (cpip, long2arm, multisite):
        with RedcapServer(study()) as server, Client(access(server)) as client:
            dictionary = client.dictionary()

        assert Dictionary.from_json(dictionary.to_json()) == dictionary


def test_labels_and_choices_are_plain_text() -> None:
    with RedcapServer(messy()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()

    texts = [text for field in dictionary.fields.values() for text in (field.label, *field.choices.values())]
    assert texts
    assert not any("<" in text or "&amp;" in text for text in texts)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://redcap.example.org/api", "https://redcap.example.org/api/"),
        (" https://redcap.example.org/redcap/ ", "https://redcap.example.org/redcap/api/"),
        ("https://redcap.example.org:8443", "https://redcap.example.org:8443/api/"),
        ("http://127.0.0.1:9000/redcap/api/", "http://127.0.0.1:9000/redcap/api/"),
    ],
)
def test_row_1_the_url_is_made_what_redcap_wants(given: str, url: str) -> None:
    assert normalise_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "redcap.example.org",
        "ftp://redcap.example.org/api/",
        "http://redcap.example.org/api/",
        "https://anna:secret@redcap.example.org/api/",
        "https://redcap.example.org/api/?pid=1",
        "https://169.254.169.254/api/",
        "",
    ],
)
def test_a_url_that_cannot_be_one_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        normalise_url(given)


def test_row_1_a_redirect_is_told_with_its_target_and_not_followed(server: RedcapServer) -> None:
    server.moved_to = "https://new.example.org/redcap/api/"

    with Client(access(server)) as client, pytest.raises(ConfigurationError, match=r"new\.example\.org"):
        client.project()
    assert server.requests == []


TRANSIENT = [
    Failure.EMPTY_500, Failure.PROXY_502, Failure.PROXY_503, Failure.PROXY_504, Failure.TABS_BUG,
    Failure.SSO_PAGE, Failure.OFFLINE_PAGE, Failure.PHP_NOTICE, Failure.TRUNCATED_JSON, Failure.SHORT_BODY,
    Failure.RESET, Failure.TOO_MANY_429, Failure.EMPTY_200,
]  # fmt: skip


@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: failure.name)
def test_rows_71_and_72_what_time_may_mend_is_asked_again(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure, times=3)

    with Client(access(server)) as client:
        assert client.project()["project_id"] == server.projects[0].id
        assert client.requests == 4


@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: failure.name)
def test_rows_71_and_72_what_time_does_not_mend_is_given_up(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure, times=50)

    with Client(access(server)) as client, pytest.raises(TransientError) as raised:
        client.project()
    assert client.requests == 4
    assert "<" not in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("failure", [Failure.HANG, Failure.SLOW_DRIP], ids=lambda failure: failure.name)
def test_row_78_a_server_that_hangs_is_left(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure, times=5)
    server.drip = 0.05

    with Client(access(server, read_timeout=0.3, attempts=1)) as client, pytest.raises(TransientError):
        client.project()


@pytest.mark.parametrize("failure", [Failure.GZIP, Failure.BOM], ids=lambda failure: failure.name)
def test_odd_but_right_answers_are_read(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure)

    with Client(access(server)) as client:
        assert client.project()["project_id"] == server.projects[0].id


def test_bytes_that_are_not_utf8_are_never_guessed_at() -> None:
    with RedcapServer(messy()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        server.fail(Failure.LATIN1, times=20, content="record")
        with pytest.raises(TransientError, match="UTF-8"):
            list(client.records(["007"], dictionary=dictionary, fields=list(dictionary.fields)))


def test_row_74_a_refusal_is_not_asked_again(server: RedcapServer) -> None:
    with Client(access(server)) as client:
        dictionary = client.dictionary()
        before = client.requests
        with pytest.raises(ConfigurationError, match="no_such_field"):
            list(client.records(["CP-0042"], dictionary=dictionary, fields=["no_such_field"]))
    assert client.requests == before + 1


def test_an_error_that_comes_with_200_is_one(server: RedcapServer) -> None:
    server.fail(Failure.ERROR_OBJECT_200)

    with Client(access(server)) as client, pytest.raises(ConfigurationError):
        client.project()


def test_row_75_a_wrong_token_is_refused_at_once(server: RedcapServer) -> None:
    wrong = Access(server.url, "F" * 32, pause=0.001)

    with Client(wrong) as client, pytest.raises(AuthorisationError):
        client.project()
    assert client.requests == 1


def test_row_76_a_ban_is_recognised_and_waited_out(server: RedcapServer) -> None:
    server.ban_over = 0

    with Client(access(server)) as client, pytest.raises(AuthorisationError, match="banned") as raised:
        client.project()
    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= timedelta(hours=1)


def test_row_77_a_certificate_is_trusted_by_the_institutions_bundle_alone(
    project: Project, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))

    with RedcapServer(project, ssl_context=context) as server:
        with Client(access(server)) as client, pytest.raises(ConfigurationError, match="CA bundle"):
            client.project()
        missing = access(server, ca_bundle="/no/such/file")
        with Client(missing) as client, pytest.raises(ConfigurationError, match="cannot be read"):
            client.project()
        with Client(access(server, ca_bundle=str(bundle))) as client:
            assert client.project()["project_id"] == project.id


def test_a_server_that_is_not_there_is_waited_for() -> None:
    with RedcapServer(cpip()) as server:
        gone = access(server, attempts=2)

    with Client(gone) as client, pytest.raises(TransientError, match="connection"):
        client.project()


@pytest.mark.parametrize("limit", [1, 7, 30])
def test_rows_54_and_73_a_batch_that_is_too_much_is_halved(limit: int) -> None:
    with RedcapServer(big(60)) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        records = ids(client, dictionary)
        server.record_limit = limit
        found = dict(client.records(records, dictionary=dictionary, fields=["dob"]))

    assert list(found) == list(records)
    assert all(found.values())


def test_one_record_that_is_too_much_is_an_error(server: RedcapServer) -> None:
    with Client(access(server)) as client:
        dictionary = client.dictionary()
        server.fail(Failure.OUT_OF_MEMORY, times=50)
        with pytest.raises(TooMuchError):
            list(client.records(["CP-0042"], dictionary=dictionary, fields=["study_id"]))


def test_row_55_records_that_a_batch_lacks_are_asked_for_again(server: RedcapServer) -> None:
    with Client(access(server)) as client:
        dictionary = client.dictionary()
        server.dropped = {"CP-0043"}
        found = read(client, dictionary, "study_id")
        assert found["CP-0043"] or server.dropped  # the stand-in leaves it out of batches, not of its own
    assert set(found) == set(server.projects[0].records())


def test_a_record_that_is_gone_has_no_rows(server: RedcapServer) -> None:
    with Client(access(server)) as client:
        dictionary = client.dictionary()
        found = dict(client.records(["CP-0042", "gone"], dictionary=dictionary, fields=["study_id"]))

    assert found["CP-0042"]
    assert found["gone"] == ()


def test_row_56_no_more_is_asked_in_a_minute_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    now, pauses = [1000.0], []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("sources.redcap.limiter.time.monotonic", lambda: now[0])
    limited = limiter.Limiter()
    for _ in range(25):
        limited.take(10, wait)
        now[0] += 0.1

    assert now[0] >= 1000 + 2 * limiter.MINUTE
    assert len(pauses) == 2


def test_the_limit_is_one_for_each_host() -> None:
    assert limiter.limiter_of("a.example.org") is limiter.limiter_of("a.example.org")
    assert limiter.limiter_of("a.example.org") is not limiter.limiter_of("b.example.org")


def test_arrays_are_sent_in_phps_notation(server: RedcapServer) -> None:
    with Client(access(server)) as client:
        dictionary = client.dictionary()
        read(client, dictionary, "study_id", "mri_date")

    sent = server.requests[-1].params
    assert sent["fields[0]"] == dictionary.record_id_field
    assert {"fields[1]", "fields[2]", "records[0]"} <= sent.keys()
    assert not {"fields", "records", "dateRangeEnd", "dateRangeBegin"} & sent.keys()


def test_ids_are_asked_since_a_moment_in_the_servers_time(server: RedcapServer) -> None:
    with Client(access(server)) as client:
        client.record_ids(
            id_field="record_id",
            since=datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
            server_timezone=ZoneInfo("America/Edmonton"),
        )

    sent = server.requests[-1].params
    assert sent["dateRangeBegin"] == "2026-07-01 06:00:00"
    assert not any(name.startswith("records") for name in sent)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "later"),
    [
        ("2026-11-01T07:50", "2026-11-01T08:05"),  # clocks go back at 08:00 UTC: 01:50, then 01:05 again
        ("2026-11-01T07:05", "2026-11-01T08:01"),
        ("2026-11-01T08:30", "2026-11-01T08:31"),
        ("2026-03-08T08:59", "2026-03-08T09:01"),  # clocks go forward at 09:00 UTC
        ("2026-07-01T12:00", "2026-07-01T12:01"),
    ],
)
def test_row_49_nothing_saved_later_looks_older_when_clocks_change(moment: str, later: str) -> None:
    zone = ZoneInfo("America/Edmonton")
    logged = at(later).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")

    assert wall_time(at(moment), zone) <= logged


def test_wall_time_is_the_servers_own_on_other_days() -> None:
    assert wall_time(at("2026-07-01T12:00"), ZoneInfo("Asia/Tokyo")) == "2026-07-01 21:00:00"


def test_row_46_the_servers_clock_is_compared(server: RedcapServer) -> None:
    server.clock.advance(timedelta(minutes=10))

    with Client(access(server)) as client:
        client.project()
        assert client.skew is not None
        assert abs(client.skew - timedelta(minutes=10)) < timedelta(seconds=3)


@pytest.mark.parametrize(("zone", "hours"), [("America/Edmonton", (-6, -7)), ("Asia/Kolkata", (5.5,))])
def test_row_2_the_servers_offset_is_seen_in_its_log(zone: str, hours: tuple[float, ...]) -> None:
    project = cpip()
    project.tz = zone
    project.log.zone = ZoneInfo(zone)
    with RedcapServer(project) as server, Client(access(server)) as client:
        offset = client.utc_offset()

    assert offset in [timedelta(hours=each) for each in hours]


def test_without_the_logging_right_there_is_no_offset(project: Project, server: RedcapServer) -> None:
    project.users[TOKEN].logging = False

    with Client(access(server)) as client:
        assert client.utc_offset() is None


def test_without_the_design_right_repeats_are_unknown(project: Project, server: RedcapServer) -> None:
    project.users[TOKEN].design = False

    with Client(access(server)) as client:
        assert client.dictionary().repeating is None


def test_row_23_without_the_right_to_groups_records_are_read_all_the_same() -> None:
    project = multisite()
    project.users[TOKEN].dags = False
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        fields = [dictionary.record_id_field]
        found = dict(client.records(["101-1"], dictionary=dictionary, fields=fields, groups=True))
        assert client.groups_refused
    assert found["101-1"]


def test_row_22_groups_come_with_the_right() -> None:
    with RedcapServer(multisite()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        fields = [dictionary.record_id_field]
        [(_, rows)] = client.records(["101-1"], dictionary=dictionary, fields=fields, groups=True)

    assert rows[0].data_access_group == "boston_site"


@pytest.mark.parametrize("right", [2, 3])
def test_row_65_export_rights_that_hide_fields_are_an_error(
    project: Project, server: RedcapServer, right: int
) -> None:
    project.users[TOKEN] = User("pylantir", data_export=right)
    for field in project.fields[1:]:
        field["identifier"] = "y"

    with Client(access(server)) as client, pytest.raises(ConfigurationError):
        dictionary = client.dictionary()
        read(client, dictionary, "study_id")


def test_missing_data_codes_are_blanks() -> None:
    project = multisite()
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        assert {"-999", "UNK"} <= dictionary.missing_codes
        found = read(client, dictionary, *dictionary.fields)

    values = {value for rows in found.values() for row in rows for value in row.values.values()}
    assert not values & dictionary.missing_codes


def test_row_82_nothing_secret_is_logged_at_any_level(
    server: RedcapServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Client(access(server)) as client:
        dictionary = client.dictionary()
        for failure in (*TRANSIENT, Failure.ERROR_OBJECT_200):
            server.fail(failure, content="record")
            try:
                read(client, dictionary, "study_id", "family_id")
            except SourceError as error:
                assert "CPIP" not in str(error)

    assert TOKEN not in caplog.text
    assert "CPIP-0042" not in caplog.text
    assert "F-7" not in caplog.text


def test_the_token_is_in_no_representation(server: RedcapServer) -> None:
    assert TOKEN not in repr(access(server))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"error":"The value of the parameter \\"content\\" is not valid"}', ConfigurationError),
        (401, b'{"error":"..."}', AuthorisationError),
        (403, b'{"error":"You do not have permissions to use the API"}', AuthorisationError),
        (403, b"<html><body>The IP address 10.0.0.1 has been banned</body></html>", AuthorisationError),
        (404, b"<html><title>404 Not Found</title></html>", ConfigurationError),
        (405, b"", ConfigurationError),
        (408, b"", TransientError),
        (429, b"", TransientError),
        (500, b"", TransientError),
        (501, b'{"error":"The requested method is not implemented."}', ConfigurationError),
        (503, b"<html>", TransientError),
        (200, b"", TransientError),
        (200, b"[{", TransientError),
        (200, b"<html><title>Sign in</title>", TransientError),
        (200, b"<div>multiple browser tabs of the same REDCap page</div>", TransientError),
        (200, b'{"error": "no"}', ConfigurationError),
        (200, b'<b>Fatal</b>{"error":"REDCap ran out of server memory."}', TooMuchError),
        (302, b"", ConfigurationError),
        (200, b"\xff[]", TransientError),
    ],
)
def test_every_answer_has_its_class(status: int, body: bytes, error: type[SourceError]) -> None:
    with pytest.raises(SourceError) as raised:
        answers.content_of(status, body, asked="the records")

    assert type(raised.value) is error
    assert str(raised.value).endswith((".", "API", "?", "valid", "no", "..."))


def test_a_pages_title_is_all_that_is_told_of_it() -> None:
    page = b"<html><title>REDCap is offline</title><body>Doe Jane</body></html>"

    with pytest.raises(TransientError) as raised:
        answers.content_of(200, page, asked="the records")

    assert "REDCap is offline" in str(raised.value)
    assert "Doe" not in str(raised.value)
