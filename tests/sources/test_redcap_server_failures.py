"""The stand-in REDCap fails in each way, and goes on after it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from threading import Thread

import pytest
import requests

from tests.redcap.client import ask, ids, rows
from tests.redcap.failures import INSTEAD
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN, cpip


@pytest.fixture
def study() -> Project:
    return cpip()


@pytest.fixture
def server(study: Project) -> Iterator[RedcapServer]:
    with RedcapServer(study) as server:
        yield server


@pytest.mark.parametrize("failure", INSTEAD)
def test_a_failure_comes_once_instead_of_the_answer(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure)
    response = ask(server, "project")
    wanted = INSTEAD[failure]
    assert (response.status_code, response.content) == (wanted.status, wanted.body)
    assert ask(server, "project").json()["project_id"] == 14


def test_failures_wait_for_their_content_and_their_turn(server: RedcapServer) -> None:
    server.fail(Failure.EMPTY_500, times=2, content="record", after=1)
    asked = ["record", "project", "record", "record", "record"]
    assert [ask(server, content).status_code for content in asked] == [200, 200, 500, 500, 200]


def test_failures_can_be_called_off(server: RedcapServer) -> None:
    server.fail(Failure.EMPTY_500, times=5)
    server.recover()
    assert ask(server, "project").status_code == 200


@pytest.mark.parametrize("failure", [Failure.TRUNCATED_JSON, Failure.PHP_NOTICE])
def test_a_spoiled_answer_is_no_json(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure)
    response = ask(server, "record")
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.content)


@pytest.mark.parametrize("failure", [Failure.GZIP, Failure.LATIN1, Failure.BOM, Failure.INVALID_UTF8])
def test_odd_encodings_hold_the_right_answer(study: Project, failure: Failure) -> None:
    study.save("CP-0042", family_id="Núñez 王")
    with RedcapServer(study) as server:
        right = ask(server, "record").json()
        server.fail(failure)
        response = ask(server, "record")
    if failure is Failure.INVALID_UTF8:
        with pytest.raises(UnicodeDecodeError):
            response.content.decode()
    else:
        encoding = {Failure.LATIN1: "latin-1", Failure.BOM: "utf-8-sig"}.get(failure, "utf-8")
        assert json.loads(response.content.decode(encoding)) == right


def test_half_of_the_rows_may_be_missing(server: RedcapServer) -> None:
    whole = rows(server)
    server.fail(Failure.MISSING_ROWS)
    assert rows(server) == whole[: len(whole) // 2]


def test_the_last_row_may_lack_a_column(server: RedcapServer) -> None:
    whole = rows(server)
    server.fail(Failure.UNEVEN_ROWS)
    uneven = rows(server)
    assert uneven[:-1] == whole[:-1]
    assert len(uneven[-1]) == len(whole[-1]) - 1


def test_columns_may_be_left_out_without_a_word(server: RedcapServer) -> None:
    whole = rows(server)
    server.left_out = {"study_id", "redcap_repeat_instance"}
    fewer = rows(server)
    assert [{*row} for row in fewer] == [{*row} - server.left_out for row in whole]


@pytest.mark.parametrize(("failure", "status"), [(Failure.PROXY_504, 504), (Failure.EMPTY_500, 500)])
def test_what_passes_a_limit_may_fail_in_any_way(server: RedcapServer, failure: Failure, status: int) -> None:
    server.record_limit, server.overload = 1, failure
    fields = ["record_id", "study_id"]
    assert ask(server, "record", fields=fields).status_code == status
    assert ask(server, "record", fields=fields, records=["CP-0042"]).status_code == 200


@pytest.mark.parametrize("failure", [Failure.SHORT_BODY, Failure.RESET])
def test_a_connection_may_end_within_the_answer(server: RedcapServer, failure: Failure) -> None:
    server.fail(failure)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        ask(server, "project")
    assert ask(server, "project").status_code == 200


def test_a_hanging_answer_ends_when_the_server_closes(study: Project) -> None:
    server = RedcapServer(study)
    server.fail(Failure.HANG)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(server.url, data={"token": TOKEN}, timeout=(5, 0.05))
    started = time.monotonic()
    server.close()
    assert time.monotonic() - started < 3


def test_a_slow_answer_comes_byte_by_byte(server: RedcapServer) -> None:
    server.drip = 0.001
    server.fail(Failure.SLOW_DRIP)
    assert ask(server, "version").text == "14.5.5"


def test_a_slow_answer_ends_when_the_server_closes(study: Project) -> None:
    server = RedcapServer(study)
    server.fail(Failure.SLOW_DRIP)
    response = requests.post(server.url, data={"token": TOKEN, "content": "version"}, timeout=5, stream=True)
    started = time.monotonic()
    server.close()
    response.close()
    assert time.monotonic() - started < 3


def test_data_can_change_just_before_a_request(server: RedcapServer, study: Project) -> None:
    server.before("record", lambda: study.delete_record("CP-0042"))
    assert ask(server, "project").status_code == 200
    assert "CP-0042" in study.records()
    assert "CP-0042" not in ids(server)
    assert "CP-0043" in ids(server)


def test_its_own_mistakes_are_raised_when_it_closes(study: Project) -> None:
    def mistake() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), RedcapServer(study) as server:
        server.before("project", mistake)
        with pytest.raises(requests.exceptions.ConnectionError):
            ask(server, "project")


def test_people_may_save_while_it_answers(server: RedcapServer, study: Project) -> None:
    def save() -> None:
        for number in range(300):
            study.save(f"NEW-{number}", family_id=f"F-{number}")

    saving = Thread(target=save)
    saving.start()
    while saving.is_alive():
        assert len(ids(server)) >= 10
    saving.join()
    assert len(study.records()) == 304
