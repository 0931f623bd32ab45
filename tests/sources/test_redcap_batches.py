"""Whole records come in batches: halved where they are too much, complete, few in memory at a time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from sources.dictionary import Dictionary
from sources.errors import TooMuchError, TransientError
from sources.redcap.client import Client
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import big, cpip, messy
from tests.sources.redcap_access import access, ids, read


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


@pytest.fixture
def dictionary(client: Client) -> Dictionary:
    return client.dictionary()


def batches(server: RedcapServer) -> list[list[str]]:
    """Return the records of each request for records by ID."""
    return [asked for request in server.requests if (asked := request.values("records"))]


# Too much


def test_records_are_asked_for_a_batch_at_a_time() -> None:
    with RedcapServer(big(25)) as server, Client(access(server, batch_size=10)) as client:
        dictionary = client.dictionary()
        found = client.records(ids(client, dictionary), dictionary=dictionary, fields=["dob"])
        next(found)
        assert [len(asked) for asked in batches(server)] == [10]
        assert len(list(found)) == 24
        assert [len(asked) for asked in batches(server)] == [10, 10, 5]


@pytest.mark.acceptance("RC54", "RC73")
@pytest.mark.parametrize("limit", [1, 7, 30])
def test_a_batch_that_is_too_much_is_halved(limit: int) -> None:
    with RedcapServer(big(60)) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        records = ids(client, dictionary)
        server.record_limit = limit
        found = list(client.records(records, dictionary=dictionary, fields=["dob"]))

    assert [record for record, _ in found] == list(records)
    assert {len(rows) for _, rows in found} == {3}


@pytest.mark.slow
def test_row_54_5000_records_are_read_whatever_the_server_can_take() -> None:
    with RedcapServer(big(5000)) as server, Client(access(server, batch_size=400)) as client:
        dictionary = client.dictionary()
        records = ids(client, dictionary)
        server.record_limit = 200
        found = client.records(records, dictionary=dictionary, fields=["dob", "scan_date"])
        counts = [(record, len(rows)) for record, rows in found]

    assert counts == [(str(number), 3) for number in range(1, 5001)]


@pytest.mark.slow
def test_row_54_memory_holds_one_batch() -> None:
    with RedcapServer(big(1000)) as server, Client(access(server, batch_size=50)) as opened:
        project = opened.dictionary()
        records = ids(opened, project)

        def peak(wanted: tuple[str, ...]) -> int:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            for _ in opened.records(wanted, dictionary=project, fields=["dob", "scan_date"]):
                server.requests.clear()  # what the stand-in keeps is not ours
            return tracemalloc.get_traced_memory()[1] - before

        tracemalloc.start()
        try:
            peak(records[:100])  # what is made once, of any pull
            assert peak(records) < 3 * peak(records[:100])
        finally:
            tracemalloc.stop()


@pytest.mark.acceptance("RC73")
def test_one_record_that_is_too_much_is_an_error(
    server: RedcapServer, client: Client, dictionary: Dictionary
) -> None:
    server.fail(Failure.OUT_OF_MEMORY, times=50)

    with pytest.raises(TooMuchError):
        list(client.records(["CP-0042", "CP-0043"], dictionary=dictionary, fields=["study_id"]))
    assert batches(server) == [["CP-0042", "CP-0043"], ["CP-0042"]]


OVERLOADS = [
    Failure.EMPTY_500, Failure.PROXY_502, Failure.PROXY_503, Failure.PROXY_504, Failure.TOO_LARGE_413,
    Failure.OUT_OF_MEMORY, Failure.OUT_OF_TIME, Failure.TOO_MUCH_DATA, Failure.EMPTY_200,
    Failure.NOT_JSON_200, Failure.TRUNCATED_JSON, Failure.SHORT_BODY, Failure.RESET, Failure.HANG,
    Failure.SLOW_DRIP,
]  # fmt: skip
SAYS_SO = {Failure.TOO_LARGE_413, Failure.OUT_OF_MEMORY, Failure.OUT_OF_TIME, Failure.TOO_MUCH_DATA}
EIGHT = [str(number) for number in range(1, 9)]
WAITED_FOR = {Failure.PROXY_504, Failure.HANG, Failure.SLOW_DRIP}


@pytest.mark.acceptance("RC106")
@pytest.mark.parametrize("failure", OVERLOADS, ids=lambda failure: failure.name)
def test_whatever_an_overburdened_server_answers_less_is_asked_for(failure: Failure) -> None:
    with RedcapServer(big(12)) as server, Client(access(server, read_timeout=0.5, batch_size=8)) as client:
        dictionary = client.dictionary()
        records = ids(client, dictionary)
        server.record_limit, server.overload, server.drip = 3, failure, 0.01
        found = list(client.records(records, dictionary=dictionary, fields=["dob"]))
        sizes = [len(asked) for asked in batches(server)]

    assert [record for record, _ in found] == list(records)
    assert {len(rows) for _, rows in found} == {3}
    if failure in SAYS_SO:
        assert sizes == [8, 4, 2, 2, 2, 2, 2, 2], "at once, and small for the rest of the pull"
    elif failure in WAITED_FOR:
        assert sizes == [8, 1, 4, 1, 2, 2, 2, 2, 2], "one shows the server well"
    else:
        assert sizes == [8, 8, 1, 4, 4, 1, 2, 2, 2, 2, 2], "a second time; one shows the server well"


@pytest.mark.acceptance("RC106")
def test_a_smaller_batch_stays_for_the_next_records_of_the_pull() -> None:
    with RedcapServer(big(10)) as server, Client(access(server, batch_size=8)) as client:
        dictionary = client.dictionary()
        server.record_limit = 2
        list(client.records(EIGHT, dictionary=dictionary, fields=["dob"]))
        server.requests.clear()
        list(client.records(["9", "10", "1", "2"], dictionary=dictionary, fields=["dob"]))

        assert [len(asked) for asked in batches(server)] == [2, 2]


@pytest.mark.acceptance("RC106")
def test_a_short_trouble_makes_no_batch_smaller() -> None:
    with RedcapServer(big(8)) as server, Client(access(server, batch_size=8)) as client:
        dictionary = client.dictionary()
        server.fail(Failure.EMPTY_500, content="record")
        found = list(
            client.records([str(number) for number in range(1, 9)], dictionary=dictionary, fields=[])
        )

        assert len(found) == 8
        assert [len(asked) for asked in batches(server)] == [8, 8]


@pytest.mark.acceptance("RC107")
@pytest.mark.parametrize("failure", [*OVERLOADS[:4], *OVERLOADS[8:13]], ids=lambda failure: failure.name)
def test_a_server_that_is_down_is_asked_a_few_times_and_left(failure: Failure) -> None:
    with RedcapServer(big(100)) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        records = ids(client, dictionary)
        server.fail(failure, times=1000)
        with pytest.raises(TransientError):
            list(client.records(records, dictionary=dictionary, fields=["dob"]))
        sizes = [len(asked) for asked in batches(server)]

    assert sizes == [*[100] * (1 if failure in WAITED_FOR else 2), 1, 1, 1, 1]


@pytest.mark.acceptance("RC107")
@pytest.mark.parametrize(
    "failure", [Failure.FIREWALL_PAGE_403, Failure.TOO_MANY_429, Failure.SSO_PAGE], ids=lambda each: each.name
)
def test_what_is_in_front_of_the_server_makes_no_batch_smaller(failure: Failure) -> None:
    with RedcapServer(big(10)) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        server.fail(failure, times=1000)
        with pytest.raises(TransientError):
            list(client.records(["1", "2", "3"], dictionary=dictionary, fields=["dob"]))

        assert [len(asked) for asked in batches(server)] == [3, 3, 3, 3]


@pytest.mark.acceptance("RC107")
def test_a_server_that_is_not_there_is_asked_for_no_less() -> None:
    with RedcapServer(big(10)) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        server.close()
        before = client.requests
        with pytest.raises(TransientError, match="connection"):
            list(client.records(["1", "2", "3"], dictionary=dictionary, fields=["dob"]))

    assert client.requests - before <= 4 + 2


# Complete


@pytest.mark.acceptance("RC55")
def test_records_that_an_answer_lacks_are_asked_for_again(
    server: RedcapServer, client: Client, dictionary: Dictionary, project: Project
) -> None:
    whole = read(client, dictionary, "study_id", "mri_date")
    server.fail(Failure.MISSING_ROWS, content="record", after=1)

    found = read(client, dictionary, "study_id", "mri_date")

    assert found == whole
    assert list(found) == project.records()


@pytest.mark.acceptance("RC55")
def test_rows_that_an_answer_lacks_come_with_the_records_it_lacks(
    server: RedcapServer, client: Client, dictionary: Dictionary, project: Project
) -> None:
    """The answer is cut within CP-0043: where its neighbour was left out, its own rows may be too."""
    wanted = ["CP-0042", "CP-0043", "CP-0044"]
    whole = dict(client.records(wanted, dictionary=dictionary, fields=["mri_date"]))
    cut = sum(map(len, whole.values())) // 2
    assert len(whole["CP-0042"]) < cut < len(whole["CP-0042"]) + len(whole["CP-0043"])
    server.fail(Failure.MISSING_ROWS, content="record")

    assert dict(client.records(wanted, dictionary=dictionary, fields=["mri_date"])) == whole


@pytest.mark.acceptance("RC55")
def test_a_record_that_its_own_answer_lacks_is_asked_for_once_more(
    server: RedcapServer, client: Client, dictionary: Dictionary
) -> None:
    server.fail(Failure.MISSING_ROWS, content="record")
    [(_, rows)] = client.records(["CP-0045"], dictionary=dictionary, fields=["study_id"])

    assert [row.values["study_id"] for row in rows] == ["CPIP-0045"]
    assert batches(server) == [["CP-0045"], ["CP-0045"]]


def test_a_record_that_is_gone_has_no_rows(
    server: RedcapServer, client: Client, dictionary: Dictionary
) -> None:
    found = dict(client.records(["CP-0042", "gone"], dictionary=dictionary, fields=["study_id"]))

    assert found["CP-0042"]
    assert found["gone"] == ()
    assert batches(server) == [["CP-0042", "gone"], ["gone"]]


def test_a_record_deleted_after_it_was_named_has_no_rows(
    server: RedcapServer, client: Client, dictionary: Dictionary, project: Project
) -> None:
    server.before("record", lambda: None)
    server.before("record", lambda: project.delete_record("CP-0043"))

    found = read(client, dictionary, "study_id")

    assert found["CP-0043"] == ()
    assert found["CP-0042"]


def test_what_a_server_never_gives_is_gone_as_far_as_it_says(
    server: RedcapServer, client: Client, dictionary: Dictionary
) -> None:
    server.dropped = {"CP-0043"}

    found = read(client, dictionary, "study_id")

    assert [record for record, rows in found.items() if not rows] == ["CP-0043"]


# Identity


@pytest.mark.acceptance("RC13")
def test_records_that_differ_in_case_alone_are_kept_apart() -> None:
    with RedcapServer(messy()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        found = dict(client.records(["ab1", "AB1"], dictionary=dictionary, fields=["first_name"]))

    assert {record: rows[0].values["first_name"] for record, rows in found.items()} == {
        "ab1": "Pat",
        "AB1": "Jane",
    }


def test_bytes_that_are_no_utf8_are_never_guessed_at() -> None:
    with RedcapServer(messy()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        for failure in (Failure.LATIN1, Failure.INVALID_UTF8):
            server.fail(failure, times=4, content="record")
            with pytest.raises(TransientError, match="UTF-8"):
                list(client.records(["007"], dictionary=dictionary, fields=["first_name"]))
        [(_, [row])] = client.records(["007"], dictionary=dictionary, fields=["first_name"])

    assert row.values["first_name"] == "José"
