"""The client asks REDCap for dictionary, changes, records and rights, and reads the answers.

How it takes what goes wrong is in test_redcap_transport.py and test_redcap_batches.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sources.errors import AuthorisationError, ConfigurationError, TransientError
from sources.redcap.batches import ColumnsMissing
from sources.redcap.client import Client
from sources.rows import GROUP
from tests.redcap.project import Project, User
from tests.redcap.server import ALL_SWITCHES, Failure, RedcapServer, Switches
from tests.redcap.studies import BOSTON_TOKEN, TOKEN, cpip, long2arm, messy, multisite, repevent
from tests.sources.redcap_access import access, ids, read

Study = Callable[[], Project]
STUDIES: list[Study] = [cpip, long2arm, repevent, multisite, messy]
NOON = datetime(2030, 7, 1, 12, tzinfo=UTC)


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


# The project


@pytest.mark.acceptance("RC11", "RC13")
@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.__name__)
def test_every_kind_of_project_is_read_whole(study: Study) -> None:
    project = study()
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        fields = [name for name, field in dictionary.fields.items() if field.type != "descriptive"]
        found = read(client, dictionary, *fields)

    assert dictionary.record_id_field == project.id_field
    assert dictionary.is_longitudinal == project.longitudinal
    assert dictionary.has_repeats == bool(project.repeating)
    assert dictionary.repeating == frozenset(project.repeating)
    assert list(found) == project.records()
    for record, rows in found.items():
        keys = [(row.event, row.instrument, row.instance) for row in rows]
        assert sorted(keys) == sorted(tuple(key) for key, _ in project.rows(record))
        assert {row.values[dictionary.record_id_field] for row in rows} == {record}


@pytest.mark.acceptance("RC36")
def test_a_checkbox_is_read_in_all_its_columns() -> None:
    with RedcapServer(messy()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        [(_, [row])] = client.records(["007"], dictionary=dictionary, fields=["race"])

    columns = dictionary.fields["race"].columns
    assert columns.keys() == {"1", "2", "a", "-1"}
    assert {code: row.values[column] for code, column in columns.items()} == {
        **dict.fromkeys(columns, "0"),
        "2": "1",
    }


def test_a_flag_that_an_old_server_lacks_is_found_out_by_asking(project: Project) -> None:
    """A classic project refuses the question about events with a sentence, not with an empty list."""

    class Old(Client):
        def project(self) -> dict[str, object]:
            answer = super().project()
            return {name: value for name, value in answer.items() if not name.startswith(("is_", "has_"))}

    for study in (cpip, long2arm, multisite):
        with RedcapServer(study()) as server, Client(access(server)) as client, Old(access(server)) as old:
            assert old.dictionary() == client.dictionary()


def test_without_the_design_right_repeats_are_unknown(project: Project, client: Client) -> None:
    project.users[TOKEN].design = False

    dictionary = client.dictionary()

    assert dictionary.repeating is None
    assert dictionary.has_repeats


@pytest.mark.acceptance("RC76")
@pytest.mark.parametrize("content", ["repeatingFormsEvents", "log"])
def test_a_ban_is_no_missing_right(server: RedcapServer, client: Client, content: str) -> None:
    server.fail(Failure.BANNED_403, content=content)

    with pytest.raises(AuthorisationError, match="banned"):
        client.utc_offset() if content == "log" else client.dictionary()


def test_a_project_that_shows_no_fields_is_an_error() -> None:
    with RedcapServer(cpip()) as server, Client(access(server)) as client:
        server.projects[0].fields.clear()
        with pytest.raises(ConfigurationError, match="no fields"):
            client.dictionary()


@pytest.mark.acceptance("RC46")
def test_the_server_s_clock_is_compared(server: RedcapServer, client: Client) -> None:
    for minutes in (10, -10):
        server.clock.offset = timedelta(minutes=minutes)
        client.version()
        skew = client.skew
        assert skew is not None
        assert abs(skew - timedelta(minutes=minutes)) < timedelta(seconds=5)


@pytest.mark.acceptance("RC2")
@pytest.mark.parametrize("skew", [timedelta(), timedelta(minutes=40)])
@pytest.mark.parametrize("zone", ["America/Edmonton", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"])
def test_the_server_s_offset_is_seen_in_its_log(zone: str, skew: timedelta) -> None:
    project = cpip()
    project.tz = zone
    with RedcapServer(project) as server, Client(access(server)) as client:
        server.clock.advance(skew)
        offset = client.utc_offset()
        logs = [request for request in server.requests if request.content == "log"]

    assert offset == datetime.now(ZoneInfo(zone)).utcoffset()
    assert {request.params["logtype"] for request in logs} <= {"manage", "export"}, (
        "values stay where they are"
    )


@pytest.mark.acceptance("RC2")
def test_without_the_logging_right_there_is_no_offset(project: Project, client: Client) -> None:
    project.users[TOKEN].logging = False

    assert client.utc_offset() is None


# Which records changed


def test_ids_are_asked_for_alone(server: RedcapServer, client: Client) -> None:
    client.record_ids(id_field="record_id", since=NOON, server_timezone=ZoneInfo("America/Edmonton"))

    [request] = server.requests
    assert request.params["dateRangeBegin"] == "2030-07-01 06:00:00"
    assert request.values("fields") == ["record_id"]
    assert not request.values("records")
    assert "dateRangeEnd" not in request.params


def test_all_ids_are_asked_for_without_a_date(server: RedcapServer, client: Client) -> None:
    client.record_ids(id_field="record_id", server_timezone=ZoneInfo("UTC"))

    assert not {"dateRangeBegin", "dateRangeEnd"} & server.requests[-1].params.keys()


@pytest.mark.acceptance("RC43", "RC44", "RC45")
@pytest.mark.parametrize(
    ("zone", "away"),
    [
        pytest.param("America/Edmonton", timedelta(hours=3), id="RC43: three hours down"),
        pytest.param("America/Edmonton", timedelta(days=4), id="RC44: Friday to Tuesday"),
        pytest.param("America/Edmonton", timedelta(minutes=1), id="RC45: another zone than ours"),
        pytest.param("Asia/Tokyo", timedelta(minutes=1), id="RC45: one that is ahead"),
    ],
)
def test_a_change_since_the_mark_is_found(zone: str, away: timedelta) -> None:
    project = cpip()
    project.tz = zone
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        server.clock.at(NOON + timedelta(seconds=1))
        project.save("CP-0042", study_id="CPIP-0099")
        server.clock.advance(away)

        assert ids(client, dictionary, since=NOON, zone=zone) == ("CP-0042",)
        assert ids(client, dictionary, since=NOON + timedelta(minutes=1), zone=zone) == ()


@pytest.mark.acceptance("RC49")
@pytest.mark.parametrize(
    ("mark", "saved"),
    [
        # Edmonton's clocks go back at 08:00 UTC, from 02:00 to 01:00, and forward at 09:00 UTC.
        pytest.param("2030-11-03T07:50", "2030-11-03T08:05", id="back, in the second pass"),
        pytest.param("2030-11-03T06:55", "2030-11-03T07:05", id="back, in the first pass"),
        pytest.param("2030-11-03T08:30", "2030-11-03T08:31", id="back, both in the second"),
        pytest.param("2030-03-10T08:59", "2030-03-10T09:01", id="forward"),
    ],
)
def test_nothing_is_missed_when_clocks_change(mark: str, saved: str) -> None:
    project, begin = cpip(), datetime.fromisoformat(mark).replace(tzinfo=UTC)
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        server.clock.at(datetime.fromisoformat(saved).replace(tzinfo=UTC))
        project.save("CP-0042", study_id="CPIP-0099")

        assert "CP-0042" in ids(client, dictionary, since=begin, zone=project.tz)


@pytest.mark.acceptance("RC50", "RC51", "RC96")
@pytest.mark.parametrize("switches", ALL_SWITCHES, ids=str)
def test_a_changed_record_comes_whole_whatever_a_date_range_gives(
    switches: Switches,
) -> None:
    project = cpip()
    with RedcapServer(project, switches=switches) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        server.clock.at(NOON)
        key = next(key for key, _ in project.rows("CP-0042") if key.instrument == "mri")
        project.save("CP-0042", instrument="mri", instance=key.instance, mri_date="2026-12-24")
        changed = ids(client, dictionary, since=NOON - timedelta(hours=1), zone=project.tz)
        [(record, rows)] = client.records(changed, dictionary=dictionary, fields=["study_id", "mri_date"])

    assert record == "CP-0042"
    assert len(rows) == len(list(project.rows("CP-0042")))
    assert "CPIP-0042" in {row.values["study_id"] for row in rows}
    assert "2026-12-24" in {row.values["mri_date"] for row in rows}


# Records


def test_arrays_are_sent_in_php_s_notation(server: RedcapServer, client: Client) -> None:
    dictionary = client.dictionary()
    list(client.records(["CP-0042", "CP-0043"], dictionary=dictionary, fields=["study_id", "mri_date"]))

    request = server.requests[-1]
    assert request.values("fields") == ["record_id", "study_id", "mri_date"]
    assert request.values("records") == ["CP-0042", "CP-0043"]
    assert not {"fields", "records", "forms", "dateRangeBegin", "dateRangeEnd"} & request.params.keys()
    assert request.params["rawOrLabel"] == "raw"
    assert request.params["exportBlankForGrayFormStatus"] == "true"


def test_only_what_was_asked_for_is_answered(client: Client) -> None:
    dictionary = client.dictionary()
    [(_, rows)] = client.records(["CP-0042"], dictionary=dictionary, fields=["study_id"])

    assert {name for row in rows for name in row.values} == {"record_id", "study_id"}


@pytest.mark.parametrize("wanted", [[], [""]])
def test_for_no_record_nothing_is_asked(server: RedcapServer, client: Client, wanted: list[str]) -> None:
    dictionary = client.dictionary()
    before = client.requests

    assert list(client.records(wanted, dictionary=dictionary, fields=["study_id"])) == []
    assert client.requests == before


def test_a_record_asked_for_twice_comes_once(client: Client) -> None:
    dictionary = client.dictionary()
    found = list(client.records(["CP-0042", "CP-0042"], dictionary=dictionary, fields=["study_id"]))

    assert [record for record, _ in found] == ["CP-0042"]


@pytest.mark.acceptance("RC34")
def test_decimals_come_with_a_point() -> None:
    with RedcapServer(multisite()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        [(_, [row])] = client.records(["101-1"], dictionary=dictionary, fields=["weight"])

    assert row.values["weight"] == "61.5"


@pytest.mark.acceptance("RC39")
def test_missing_data_codes_are_blanks() -> None:
    with RedcapServer(multisite()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        found = read(client, dictionary, *dictionary.fields)

    assert dictionary.missing_codes == {"-999", "UNK"}
    assert [row.values["weight"] for row in found["101-2"]] == [""]
    values = {value for rows in found.values() for row in rows for value in row.values.values()}
    assert not values & dictionary.missing_codes


def test_a_form_that_was_never_opened_has_no_status() -> None:
    project = long2arm()
    form = next(iter(project.forms))
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        found = read(client, dictionary, f"{form}_complete")

    statuses = {row.values[f"{form}_complete"] for rows in found.values() for row in rows}
    assert "" in statuses


# Rights


@pytest.mark.acceptance("RC22")
def test_groups_come_with_the_right() -> None:
    with RedcapServer(multisite()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        [(_, rows)] = client.records(["101-1"], dictionary=dictionary, fields=[], columns=[GROUP])

    assert [row.data_access_group for row in rows] == ["boston_site"]


@pytest.mark.acceptance("RC22", "RC101")
def test_the_token_of_a_group_s_member_sees_its_own_records_and_no_groups() -> None:
    with RedcapServer(multisite()) as server, Client(access(server, token=BOSTON_TOKEN)) as client:
        dictionary = client.dictionary()

        assert ids(client, dictionary) == ("101-1", "101-2")
        assert all(read(client, dictionary, "study_id").values())
        with pytest.raises(ColumnsMissing, match=GROUP) as raised:
            list(client.records(["101-1"], dictionary=dictionary, fields=["study_id"], columns=[GROUP]))

    assert (raised.value.names, raised.value.refused) == ((GROUP,), False)


@pytest.mark.acceptance("RC23", "RC101")
def test_without_the_right_to_groups_they_are_refused_once_and_the_rest_is_read() -> None:
    project = multisite()
    project.users[TOKEN].dags = False
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        before = client.requests
        with pytest.raises(ColumnsMissing) as raised:
            list(client.records(["101-1"], dictionary=dictionary, fields=[], columns=[GROUP]))
        asked = client.requests - before
        found = read(client, dictionary, "study_id")

    assert (raised.value.names, raised.value.refused, asked) == ((GROUP,), True, 1)
    assert all(found.values())


@pytest.mark.acceptance("RC101")
@pytest.mark.parametrize("column", ["redcap_event_name", "redcap_repeat_instance", "mri_date"])
def test_a_column_that_is_left_out_is_missed(column: str) -> None:
    with RedcapServer(cpip()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        server.left_out = {column}
        with pytest.raises(ColumnsMissing, match=column):
            list(client.records(["CP-0042"], dictionary=dictionary, fields=["mri_date"], columns=[column]))


@pytest.mark.acceptance("RC101")
def test_a_column_that_some_rows_lack_is_missed(server: RedcapServer, client: Client) -> None:
    dictionary = client.dictionary()
    server.fail(Failure.UNEVEN_ROWS, content="record")

    with pytest.raises(ColumnsMissing, match="mri_date"):
        list(client.records(["CP-0042", "CP-0043"], dictionary=dictionary, fields=["mri_date"]))


@pytest.mark.acceptance("RC101")
def test_an_answer_without_rows_shows_no_columns_and_misses_none(
    server: RedcapServer, client: Client
) -> None:
    dictionary = client.dictionary()
    server.left_out = {"mri_date"}

    found = client.records(["gone"], dictionary=dictionary, fields=["mri_date"], columns=[GROUP])
    assert dict(found) == {"gone": ()}


@pytest.mark.acceptance("RC101")
def test_every_column_of_a_checkbox_is_needed() -> None:
    with RedcapServer(messy()) as server, Client(access(server)) as client:
        dictionary = client.dictionary()
        unknown = replace(dictionary.fields["race"], columns={})
        without = replace(dictionary, fields={**dictionary.fields, "race": unknown})
        with pytest.raises(ColumnsMissing, match="race"):
            list(client.records(["007"], dictionary=without, fields=["race"]))
        server.left_out = {"race___a"}
        with pytest.raises(ColumnsMissing, match="race"):
            list(client.records(["007"], dictionary=dictionary, fields=["race"]))


@pytest.mark.acceptance("RC65")
@pytest.mark.parametrize(
    ("right", "fields", "said"),
    [
        pytest.param(2, ["study_id", "family_id"], "family_id, study_id", id="de-identified"),
        pytest.param(2, [], "hashed", id="de-identified, IDs alone"),
        pytest.param(3, ["study_id", "family_id"], "family_id, study_id", id="without identifiers"),
    ],
)
def test_export_rights_that_change_the_answer_are_an_error(
    project: Project, client: Client, right: int, fields: list[str], said: str
) -> None:
    dictionary = client.dictionary()
    project.users[TOKEN] = User("pylantir", data_export=right)
    for field in project.fields[1:]:
        field["identifier"] = "y"

    with pytest.raises(ConfigurationError, match=said):
        list(client.records(["CP-0042"], dictionary=dictionary, fields=fields))


@pytest.mark.acceptance("RC65")
def test_a_form_without_access_is_an_error(project: Project, client: Client) -> None:
    dictionary = client.dictionary()
    project.users[TOKEN].data_export = {"mri": 0}

    with pytest.raises(ConfigurationError, match="mri_date"):
        read(client, dictionary, "study_id", "mri_date")


@pytest.mark.acceptance("RC65")
def test_hashed_ids_are_an_error_before_any_record_is_missed(project: Project, client: Client) -> None:
    project.users[TOKEN].data_export = 2

    with pytest.raises(ConfigurationError, match="Full Data Set"):
        client.record_ids(id_field="record_id", server_timezone=ZoneInfo("UTC"))


def test_ids_that_are_no_hashes_but_look_like_them_are_read() -> None:
    project = cpip()
    for record in project.records():
        project.delete_record(record)
    project.save("0123456789abcdef0123456789abcdef", study_id="CPIP-0001")
    with RedcapServer(project) as server, Client(access(server)) as client:
        dictionary = client.dictionary()

        assert list(read(client, dictionary, "study_id")) == project.records()


@pytest.mark.acceptance("RC10")
def test_a_field_that_is_gone_is_named_and_not_asked_for_again(client: Client) -> None:
    dictionary = client.dictionary()
    before = client.requests

    with pytest.raises(ConfigurationError, match="no_such_field"):
        list(client.records(["CP-0042"], dictionary=dictionary, fields=["no_such_field"]))
    assert client.requests == before + 1


def test_records_that_were_not_asked_for_are_an_error(server: RedcapServer, client: Client) -> None:
    dictionary = client.dictionary()
    fewer = replace(dictionary, fields={"study_id": dictionary.fields["study_id"]})

    with pytest.raises((TransientError, ConfigurationError)):
        list(client.records(["CP-0042"], dictionary=fewer, fields=["study_id"]))
