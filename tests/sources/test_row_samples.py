"""Beside each row of a mapping stands a value of the first records, for who may see a preview."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.admin import row_samples
from sources.models import DataSource
from tests.admin_pages import shown
from tests.redcap.failures import Failure
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources.source_pages import page_of
from tests.sources.study import enrol, participant

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def samples(client: Client, source: DataSource) -> tuple[str, dict[str, tuple[str, str]]]:
    """Return why there are none, and the value and the note of each target."""
    response = client.get(reverse("admin:sources_datasource_samples", args=[source.pk]))
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    answer: Any = response.json()
    targets = {str(pk): target for pk, target in source.rules.values_list("pk", "target")}
    rows = {targets[pk]: (row["value"], row["note"]) for pk, row in answer["rows"].items()}
    return answer["why_not"], rows


@pytest.mark.acceptance("AD93")
def test_a_row_shows_what_it_makes_of_the_first_value(
    coordinator: Client, source: DataSource, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        participant(project, f"P-{number}", "Tremblay")
    project.save("P-0", sex="")

    with caplog.at_level(logging.DEBUG):
        why_not, rows = samples(coordinator, source)

    assert why_not == ""
    assert rows["patient_name"] == ("Tremblay, Jane", "in 3 of 3 records")
    assert rows["patient_sex"] == ("2 → F", "in 2 of 3 records")
    assert rows["modality"] == ("MR", "in 3 of 3 records")
    assert rows["PatientComments"] == ("", "no value in the first 3 records")
    assert "Tremblay" not in caplog.text


@pytest.mark.acceptance("AD93")
def test_a_row_that_has_to_be_mended_is_not_read(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-1")
    source.rules.filter(target="patient_weight_kg").update(field="no_such_field")

    _why_not, rows = samples(coordinator, source)

    assert rows["patient_weight_kg"] == ("", "not read: this row has to be mended")
    assert rows["patient_id"][0] == "P-1"


@pytest.mark.acceptance("AD93")
def test_no_more_than_one_batch_is_read(
    coordinator: Client, source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_samples, "RECORDS", 2)
    for number in range(3):
        participant(project, f"P-{number}")

    assert samples(coordinator, source)[1]["patient_id"][1] == "in 2 of 2 records"


@pytest.mark.acceptance("AD93")
def test_a_project_without_sessions_says_so_in_a_line(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    none = samples(coordinator, source)
    assert none == ("No sample values. The project has no record that this token may read.", {})

    enrol(project, "P-1")
    assert samples(coordinator, source) == ("No sample values: the first record has no session.", {})


@pytest.mark.acceptance("AD93")
def test_a_redcap_that_fails_is_told_in_a_line_and_the_page_never_asks_it(
    coordinator: Client, source: DataSource, redcap: RedcapServer
) -> None:
    assert "data-samples=" in shown(coordinator, page_of(source))
    assert redcap.requests == []

    redcap.fail(Failure.PROXY_503, times=50)
    why_not, rows = samples(coordinator, source)
    assert why_not
    assert rows == {}


@pytest.mark.acceptance("AD93")
def test_who_may_not_see_a_preview_sees_no_sample(client: Client, charlie: User, source: DataSource) -> None:
    client.force_login(charlie)

    assert "data-samples=" not in shown(client, page_of(source))
    url = reverse("admin:sources_datasource_samples", args=[source.pk])
    assert client.get(url).status_code == 403


@pytest.mark.acceptance("AD95")
def test_each_input_of_a_row_has_its_own_name_and_no_header_is_empty(
    client: Client, alice: User, source: DataSource
) -> None:
    client.force_login(alice)

    page = shown(client, page_of(source))

    assert 'aria-label="REDCap field of row 4, Patient&#x27;s Sex"' in page
    assert 'aria-label="Delete of row 4, Patient&#x27;s Sex"' in page
    table = page[page.index('id="rules-group"') : page.index("</table>", page.index('id="rules-group"'))]
    inputs = re.findall(r"<(?:input|select|textarea) [^>]*>", table)
    seen = [each for each in inputs if 'type="hidden"' not in each]
    assert len(seen) > 80
    assert [each for each in seen if "aria-label=" not in each] == []
    names = re.findall(r'aria-label="([^"]*)"', "".join(inputs))
    assert len(names) - len(set(names)) == 8  # the empty row, of which new ones are made
    assert re.findall(r"<th\b[^>]*>\s*</th>", table) == []


@pytest.mark.acceptance("AD95")
@pytest.mark.parametrize("button", ["check", "preview", "compare"])
def test_a_page_has_one_landmark_of_breadcrumbs(coordinator: Client, source: DataSource, button: str) -> None:
    page = coordinator.post(reverse(f"admin:sources_datasource_{button}", args=[source.pk])).content.decode()

    assert page.count('aria-label="Breadcrumbs"') == 1
