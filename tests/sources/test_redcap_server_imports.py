"""The stand-in REDCap takes records by its API as REDCap does, and refuses them in REDCap's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from redcap.project import Project as PyCap
from redcap.request import RedcapError, _session

from sources.errors import AuthorisationError, SourceError, TransientError, WriteRefused
from sources.redcap import imports
from sources.redcap.client import Access, Client
from tests.redcap.client import ask, refusal
from tests.redcap.log import RowKey
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN, cpip, repevent

MRI: dict[str, str | int] = {"redcap_repeat_instrument": "mri", "redcap_repeat_instance": 1}


@pytest.fixture
def study() -> Project:
    project = cpip()
    project.users[TOKEN].api_import = True
    return project


@pytest.fixture
def server(study: Project) -> Iterator[RedcapServer]:
    with RedcapServer(study) as server:
        yield server


@pytest.fixture
def client(server: RedcapServer) -> Iterator[Client]:
    with Client(Access(server.url, TOKEN, pause=0.001, read_timeout=5)) as client:
        yield client


def sent(*rows: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"action": "import", "data": json.dumps(rows), **others}


@pytest.mark.acceptance("CL21")
def test_blanks_change_nothing_and_a_count_or_the_ids_come_back(study: Project, server: RedcapServer) -> None:
    row = {"record_id": "CP-0042", **MRI, "mri_comments": "Fine", "mri_time": ""}
    assert ask(server, "record", **sent(row)).json() == {"count": 1}
    assert ask(server, "record", **sent(row, returnContent="ids")).json() == ["CP-0042"]
    held = study.row("CP-0042", RowKey("", "mri", 1))
    assert (held["mri_comments"], held["mri_time"]) == ("Fine", "09:30")
    assert study.log.entries[-1].user == "pylantir_api"


@pytest.mark.acceptance("CL21")
@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"mri_date": "02.03.2026"}, '"CP-0042","mri_date","02.03.2026","The value you provided could not'),
        ({"status": "9"}, '"CP-0042","status","9","The value is not a valid category for status"'),
        (
            {"nonsense": "1"},
            "The following fields were not found in the project as real data fields: nonsense",
        ),
        ({"study_id": "1"}, '"This field does not exist on this event or instrument."'),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_stored(
    study: Project, server: RedcapServer, row: dict[str, str], says: str
) -> None:
    before = dict(study.row("CP-0042", RowKey("", "mri", 1)))
    whole = {"record_id": "CP-0042", **MRI, "mri_comments": "Fine", **row}
    status, text = refusal(server, "record", **sent(whole))
    assert status == 400
    assert says in text
    assert study.row("CP-0042", RowKey("", "mri", 1)) == before


@pytest.mark.acceptance("CL21")
def test_without_the_right_nothing_is_taken(study: Project, server: RedcapServer, client: Client) -> None:
    study.users[TOKEN].api_import = False
    row = {"record_id": "CP-0042", **MRI, "mri_comments": "Fine"}
    assert refusal(server, "record", **sent(row))[0] == 403
    assert not client.may_import()
    with pytest.raises(AuthorisationError):
        client.import_rows([row])
    study.users[TOKEN].api_import = True
    before = len(study.log.entries)
    assert client.may_import()
    assert len(study.log.entries) == before


@pytest.mark.acceptance("CL21")
def test_pycap_writes_what_it_reads(study: Project, server: RedcapServer) -> None:
    pycap = PyCap(server.url, TOKEN)
    row = {"record_id": "CP-0044", **MRI, "mri_comments": "Größe ☃"}
    assert pycap.import_records([row]) == {"count": 1}
    told: Any = pycap.export_records(records=["CP-0044"], fields=["mri_comments"])
    assert [each["mri_comments"] for each in told if each["redcap_repeat_instance"] == 1] == ["Größe ☃"]
    study.lock_form("CP-0044", "mri", instrument="mri", instance=1)
    with pytest.raises(RedcapError, match="form that is locked"):
        pycap.import_records([row])
    _session.close()


@pytest.mark.acceptance("CL22")
def test_a_refusal_names_fields_and_kinds_and_no_value(study: Project, client: Client) -> None:
    study.lock_form("CP-0042", "mri", instrument="mri", instance=1)
    rows = [{"record_id": "CP-0042", **MRI, "mri_comments": 'Fine, "really"', "mri_time": "10:00"}]
    with pytest.raises(WriteRefused) as refused:
        client.import_rows(rows)
    assert refused.value.reasons == (("mri_comments", imports.LOCKED), ("mri_time", imports.LOCKED))
    assert not any(text in str(refused.value) for text in ("Fine", "CP-0042", "10:00"))


@pytest.mark.acceptance("CL22")
@pytest.mark.parametrize(
    ("status", "error", "reasons"),
    [
        (400, '"1 (scan_arm_1)","a","5","This field is on a form that is locked."', [("a", "LOCKED")]),
        (400, '"1","a","5\n6","bad"\n"1","b","","bad"', [("a", "INVALID"), ("b", "INVALID")]),
        (200, '"1","a","Doe","The value is not a valid category for a"', [("a", "INVALID")]),
        (400, "The following fields were not found in the project as real data fields: a, b",
         [("a", "UNKNOWN_FIELD"), ("b", "UNKNOWN_FIELD")]),
        (400, "The following values of the parameter redcap_event_name are not valid: x", [("", "GONE")]),
        (400, "You must have 'API Import/Update' privileges in the project.", [("", "REFUSED")]),
        (400, "Something nobody has seen of Doe", [("", "REFUSED")]),
    ],
)  # fmt: skip
def test_what_redcap_says_is_understood(status: int, error: str, reasons: list[tuple[str, str]]) -> None:
    with pytest.raises(WriteRefused) as refused:
        imports.count_of(status, json.dumps({"error": error}).encode())
    assert list(refused.value.reasons) == reasons
    assert "Doe" not in str(refused.value)


@pytest.mark.acceptance("CL22")
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", TransientError),
        (200, b'{"count": "x"}', TransientError),
        (200, b"[]", TransientError),
        (500, b'{"error": "\\"1\\",\\"a\\",\\"Doe\\",\\"bad\\""}', TransientError),
        (403, b'{"error": "You do not have permissions to use the API, Doe"}', AuthorisationError),
        (403, b"<html><title>Firewall</title></html>", TransientError),
        (302, b"", SourceError),
    ],
)
def test_any_other_answer_fails_without_a_value(status: int, body: bytes, kind: type[SourceError]) -> None:
    with pytest.raises(kind) as failed:
        imports.count_of(status, body)
    assert not isinstance(failed.value, WriteRefused)
    assert "Doe" not in str(failed.value)


@pytest.mark.acceptance("CL22")
@pytest.mark.parametrize("is_before", [True, False])
def test_an_import_is_asked_for_once(
    study: Project, server: RedcapServer, client: Client, is_before: bool
) -> None:
    server.fail(Failure.PROXY_504, content="import", is_before=is_before)
    with pytest.raises(TransientError):
        client.import_rows([{"record_id": "CP-0042", **MRI, "mri_comments": "Fine"}])
    held = study.row("CP-0042", RowKey("", "mri", 1)).get("mri_comments", "")
    assert held == ("" if is_before else "Fine")
    assert len(server.requests) == 1


@pytest.mark.acceptance("CL21")
def test_a_repeating_event_is_written_by_its_instance() -> None:
    project = repevent()
    project.users[TOKEN].api_import = True
    record = project.records()[0]
    key = next(key for key, _ in project.rows(record) if key.event == "scan_arm_1")
    form = project.form_event["scan_arm_1"][0]
    with RedcapServer(project) as server:
        row = {
            project.id_field: record,
            "redcap_event_name": "scan_arm_1",
            "redcap_repeat_instrument": "",
            "redcap_repeat_instance": key.instance,
            f"{form}_complete": "2",
        }
        assert ask(server, "record", **sent(row)).json() == {"count": 1}
    assert project.row(record, key)[f"{form}_complete"] == "2"
