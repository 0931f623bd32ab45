"""From a file that somebody uploads to the scanner's list, by the pages, the worker's pull and a real C-FIND.

Not here: each part by itself (test_admin_tables.py, test_table_pulls.py).
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.models import DataSource, SourceState, State
from tests.scu import keys, query
from tests.sources.conftest import pull
from tests.sources.source_pages import filled_in, page_of
from tests.sources.study import today
from tests.sources.table_study import FRIENDLY, as_csv, as_workbook
from tests.sources.test_admin_tables import a_file, add, choose
from tests.worklist.conftest import RunningServer, _shared_server, server, start_server

__all__ = ["_shared_server", "server", "start_server"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def press(client: Client, source: DataSource, name: str, **sent: str) -> Any:
    return client.post(reverse(f"admin:sources_datasource_{name}", args=[source.pk]), sent, follow=True)


def booked() -> tuple[str, ...]:
    return ("0042", "baseline", "Qwertz", "Jane", "1990-01-31", "F", f"{today()}", "09:30")


def found(server: RunningServer) -> list[tuple[str, str, str]]:
    """Return whom the scanner is offered today."""
    step = {"ScheduledProcedureStepStartDate": f"{today():%Y%m%d}", "ScheduledStationAETitle": "MR2"}
    asked = keys(step, PatientName="", PatientID="", PatientBirthDate="")
    answers = [answer for _, answer in query(server.port, asked) if answer is not None]
    return [(str(each.PatientName), each.PatientID, each.PatientBirthDate) for each in answers]


@pytest.mark.acceptance("FI74")
def test_an_uploaded_file_reaches_the_scanner_and_a_bad_one_takes_nothing_away(
    server: RunningServer, client: Client, alice: User
) -> None:
    client.force_login(alice)
    add(client, upload=a_file(as_workbook(booked(), headers=FRIENDLY), "bookings.xlsx"))
    source = DataSource.objects.get()
    choose(client, source, record="Subject ID", session="Visit")
    suggested = press(client, source, "suggest")
    press(client, source, "suggest", seen=suggested.context["seen"], take="yes")
    client.post(
        page_of(source),
        {**filled_in(client, page_of(source)), "scheduled_station_aetitle": "MR2"},
        follow=True,
    )
    page = press(client, source, "preview")
    assert page.context["wanted"] == 1, page.context["lacking"]
    press(client, source, "enable", seen=page.context["previewed"])
    pull(source)

    assert found(server) == [("Qwertz^Jane", "0042", "19900131")]

    sent = {**filled_in(client, page_of(source)), "upload": a_file(as_csv(), "other.csv")}
    client.post(page_of(source), sent, follow=True)
    assert pull(source, full=True).message == ""
    assert SourceState.objects.get().state == State.OK
    assert found(server) == [("Qwertz^Jane", "0042", "19900131")]
