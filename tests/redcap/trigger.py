"""REDCap's Data Entry Trigger posts a form when a person saves an instrument."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from tests.redcap.dictionary import status_of
from tests.redcap.log import RowKey
from tests.redcap.project import COORDINATOR, Project

SURVEY_RESPONDENT = "[survey respondent]"


def trigger(
    url: str,
    project: Project,
    record: str,
    instrument: str,
    *,
    instance: int | None = None,
    event: str = "",
    username: str = COORDINATOR,
) -> int:
    """Post it, and return the status of the answer, which REDCap itself does not look at."""
    form = trigger_form(project, record, instrument, instance=instance, event=event, username=username)
    return post(url, urlencode(form).encode())


def test_trigger(url: str) -> int:
    """Post what the "Test" button posts: nothing."""
    return post(url, b"")


test_trigger.__test__ = False  # type: ignore[attr-defined]  # REDCap's own word, no test of ours


def trigger_form(
    project: Project,
    record: str,
    instrument: str,
    *,
    instance: int | None = None,
    event: str = "",
    username: str = COORDINATOR,
) -> dict[str, str]:
    """Return the form in REDCap's order; a longitudinal project's event is by default its first."""
    event = event or (project.events[0].name if project.longitudinal else "")
    repeats = (event, instrument) in project.repeating
    status = project.row(record, RowKey(event, instrument if repeats else "", instance or 0))
    optional = {
        "redcap_event_name": event,
        "redcap_data_access_group": project.dag(record),
        status_of(instrument): status.get(status_of(instrument), "0"),
        "redcap_repeat_instance": "" if instance is None else str(instance),
        "redcap_repeat_instrument": instrument if repeats else "",
    }
    return {
        "project_id": str(project.id),
        "username": username,
        "instrument": instrument,
        "record": record,
        **{name: value for name, value in optional.items() if value},
        "redcap_url": project.base_url,
        "project_url": f"{project.base_url}redcap_v{project.version}/index.php?pid={project.id}",
    }


def post(url: str, body: bytes) -> int:
    """Post as REDCap does: once, without following a redirect."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=10)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("POST", target, body, {"Content-Type": "application/x-www-form-urlencoded"})
        return connection.getresponse().status
    finally:
        connection.close()
