"""The stand-in REDCap answers at its door: HTTP, tokens, formats of errors, limits, trigger."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests
import trustme

from tests.redcap.client import ask, ids, refusal, rows
from tests.redcap.project import Project
from tests.redcap.server import (
    ALL_SWITCHES,
    SURVEY_RESPONDENT,
    RedcapServer,
    Switches,
    test_trigger,
    trigger,
    trigger_form,
)
from tests.redcap.studies import TOKEN, big, cpip, long2arm, multisite, repevent

NO_PERMISSION = "You do not have permissions to use the API"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def study() -> Project:
    return cpip()


@pytest.fixture
def server(study: Project) -> Iterator[RedcapServer]:
    with RedcapServer(study) as server:
        yield server


# HTTP


def test_without_the_last_slash_it_redirects(server: RedcapServer) -> None:
    response = requests.post(server.url.rstrip("/"), timeout=5, allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (301, server.url)


def test_a_moved_server_redirects_everything(server: RedcapServer) -> None:
    server.moved_to = "https://redcap.example.org/api/"
    response = ask(server, "version")
    assert (response.status_code, response.headers["Location"]) == (302, server.moved_to)


def test_get_is_not_implemented(server: RedcapServer) -> None:
    response = requests.get(server.url, timeout=5)
    assert (response.status_code, response.json()) == (
        501,
        {"error": "The requested method is not implemented."},
    )


def test_another_path_is_not_found_in_html(server: RedcapServer) -> None:
    response = requests.post(server.url + "v2/", timeout=5)
    assert response.status_code == 404
    assert "The requested URL was not found" in response.text


def test_several_requests_go_over_one_connection(server: RedcapServer) -> None:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    statuses = []
    for _ in range(3):
        connection.request("POST", "/redcap/api/", f"token={TOKEN}&content=version")
        response = connection.getresponse()
        statuses.append((response.status, response.read(), response.will_close))
    connection.close()
    assert statuses == [(200, b"14.5.5", False)] * 3


def test_tls_is_refused_by_who_does_not_know_the_authority(study: Project) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RedcapServer(study, ssl_context=context) as server, authority.cert_pem.tempfile() as bundle:
        assert server.url.startswith("https://")
        with pytest.raises(requests.exceptions.SSLError):
            ask(server, "version")
        data = {"token": TOKEN, "content": "version"}
        assert requests.post(server.url, data=data, verify=bundle, timeout=5).text == "14.5.5"


# Who is let in, and how errors look


def test_an_unknown_token_and_a_user_without_rights_get_the_same_answer(
    server: RedcapServer, study: Project
) -> None:
    wanted = (403, NO_PERMISSION)
    assert refusal(server, token=None) == refusal(server, token="F" * 32) == wanted
    study.users[TOKEN].api_export = False
    assert refusal(server) == wanted
    study.users[TOKEN].api_export, study.users[TOKEN].expired = True, True
    assert refusal(server) == wanted


def test_a_server_may_answer_401_to_an_unknown_token(study: Project) -> None:
    with RedcapServer(study, switches=Switches(unknown_token_status=401)) as server:
        assert refusal(server, token="F" * 32) == (401, NO_PERMISSION)


def test_the_token_chooses_the_project(study: Project) -> None:
    other = multisite()
    other.users["A" * 32] = other.users.pop(TOKEN)
    with RedcapServer(study, other) as server:
        assert ask(server, "project").json()["project_id"] == study.id
        assert ask(server, "project", token="A" * 32).json()["project_id"] == other.id


@pytest.mark.parametrize(
    ("formats", "text"),
    [
        ({"format": None, "returnFormat": None}, "<hash><error>The value of the parameter"),
        ({"format": "csv", "returnFormat": None}, "ERROR: The value of the parameter"),
        ({"format": "csv"}, '{"error":"The value of the parameter \\"content\\" is not valid"}'),
    ],
)
def test_errors_come_in_the_return_format_and_by_default_in_xml(
    server: RedcapServer, formats: dict[str, object], text: str
) -> None:
    response = ask(server, "nonsense", **formats)
    assert response.status_code == 400
    assert text in response.text


def test_a_server_may_call_its_json_html(study: Project) -> None:
    with RedcapServer(study, switches=Switches(content_type="text/html; charset=utf-8")) as server:
        response = ask(server, "project")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.json()["project_id"] == study.id


@pytest.mark.acceptance("RC96")
def test_the_switches_cover_every_pair_of_the_date_range_s_unknowns() -> None:
    pairs = {(each.daterange_rows, each.records_plus_daterange) for each in ALL_SWITCHES}
    assert len(pairs) == len(ALL_SWITCHES) == 6
    assert {each.id_only_rows for each in ALL_SWITCHES} == {"all", "first"}


# Clock and record of requests


def test_the_date_header_is_the_clock_s(server: RedcapServer) -> None:
    server.clock.at(NOON)
    server.clock.advance(timedelta(minutes=10))
    date = parsedate_to_datetime(ask(server, "version").headers["Date"])
    assert date == NOON + timedelta(minutes=10)


def test_the_offset_shifts_a_running_clock(server: RedcapServer) -> None:
    server.clock.offset = timedelta(hours=-3)
    date = parsedate_to_datetime(ask(server, "version").headers["Date"])
    assert abs(datetime.now(UTC) - timedelta(hours=3) - date) < timedelta(seconds=30)


def test_requests_are_kept_without_the_token(server: RedcapServer) -> None:
    server.clock.at(NOON)
    ask(server, "record", records=["CP-0042", "CP-0043"])
    (request,) = server.requests
    assert (request.content, request.at) == ("record", NOON)
    assert request.params == {
        "content": "record",
        "format": "json",
        "returnFormat": "json",
        "records[0]": "CP-0042",
        "records[1]": "CP-0043",
    }
    assert request.values("records") == ["CP-0042", "CP-0043"]


# Limits


def test_too_many_requests_in_a_minute_ban_until_someone_lifts_it(server: RedcapServer) -> None:
    server.clock.at(NOON)
    server.ban_over = 2
    assert [ask(server, "version").status_code for _ in range(3)] == [200, 200, 403]
    server.clock.advance(timedelta(hours=1))
    response = ask(server, "version")
    assert response.status_code == 403
    assert "banned" in response.text
    server.unban()
    assert ask(server, "version").status_code == 200


def test_slower_requests_are_not_banned(server: RedcapServer) -> None:
    server.clock.at(NOON)
    server.ban_over = 1
    for _ in range(3):
        assert ask(server, "version").status_code == 200
        server.clock.advance(timedelta(minutes=1))


def test_a_large_answer_ends_in_a_php_error_with_status_200() -> None:
    with RedcapServer(big(30)) as server:
        server.memory_limit = 100
        response = ask(server, "record")
        assert response.status_code == 200
        assert "<b>Fatal error</b>" in response.text
        assert response.text.endswith('smaller amount of data."}')
        assert len(rows(server, records=["1", "2"])) == 6


def test_the_record_limit_counts_records_but_not_of_a_list_of_ids() -> None:
    with RedcapServer(big(30)) as server:
        server.record_limit = 20
        assert "Fatal error" in ask(server, "record").text
        assert len(ids(server)) == 90
        assert len(rows(server, records=[str(number) for number in range(1, 21)])) == 60


def test_dropped_records_are_silently_missing_from_batches(server: RedcapServer) -> None:
    server.dropped = {"CP-0042"}
    assert set(ids(server, records=["CP-0042", "CP-0044"])) == {"CP-0044"}
    assert "CP-0042" in ids(server)


# Data Entry Trigger


def test_a_trigger_posts_the_form_of_a_repeating_instrument(server: RedcapServer, study: Project) -> None:
    trigger(server.url, study, "CP-0042", "mri", instance=2)
    assert server.requests[-1].params == {
        "project_id": "14",
        "username": "anna",
        "instrument": "mri",
        "record": "CP-0042",
        "mri_complete": "0",
        "redcap_repeat_instance": "2",
        "redcap_repeat_instrument": "mri",
        "redcap_url": server.url.removesuffix("api/"),
        "project_url": f"{server.url.removesuffix('api/')}redcap_v14.5.5/index.php?pid=14",
    }


def test_a_trigger_names_event_instance_and_group_where_there_are_any() -> None:
    form = trigger_form(repevent(), "P1", "booking", event="scan_arm_1", instance=3)
    assert (form["redcap_event_name"], form["redcap_repeat_instance"]) == ("scan_arm_1", "3")
    assert "redcap_repeat_instrument" not in form
    assert trigger_form(long2arm(), "S-001", "demographics")["redcap_event_name"] == "enrollment_arm_1"
    survey = trigger_form(multisite(), "101-1", "scan", username=SURVEY_RESPONDENT)
    assert (survey["redcap_data_access_group"], survey["username"]) == ("boston_site", SURVEY_RESPONDENT)


def test_the_test_button_posts_nothing(server: RedcapServer) -> None:
    assert test_trigger(server.url) == 403
    assert server.requests[-1].params == {}


# As a program


@pytest.mark.slow
def test_it_runs_as_a_program_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "tests.redcap.server", "--study", "cpip", "--today", "2026-03-02"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http"))
        response = requests.post(url, data={"token": TOKEN, "content": "version"}, timeout=5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert response.text == "14.5.5"
    assert TOKEN in line
