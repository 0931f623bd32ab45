"""Writing back is set up on a source's page, looked at before it is done, and decided about in a list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from accounts.models import User
from sources import tasks
from sources.models import DataSource, OutcomeWrite, WriteIssue, WriteRule, WriteState
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources import making
from tests.sources.conftest import new_source, only_item, pull
from tests.sources.queue import queued, work_off
from tests.sources.source_pages import page_of, save
from tests.sources.study import participant
from tests.sources.writing import (
    WRITE_TOKEN,
    open_issues,
    row,
    scan,
    scanning_study,
    set_write_rules,
    states,
    write,
    writing_source,
)

pytestmark = pytest.mark.django_db
ROW = {"write_rules__0__field": "scan_status", "write_rules__0__fact": "status"}
CODES = {"write_rules__0__codes": "IN_PROGRESS=1, COMPLETED=2"}


@pytest.fixture
def project() -> Project:
    return scanning_study()


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def writer(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def reading(redcap: RedcapServer, project: Project, db: None) -> DataSource:
    """Return a source that has been pulled, and writes nothing yet."""
    made = new_source(redcap)
    participant(project, "P-001")
    pull(made)
    return made


@pytest.fixture
def source(redcap: RedcapServer, project: Project, db: None) -> DataSource:
    made = writing_source(redcap)
    participant(project, "P-001")
    pull(made)
    return made


def press(client: Client, source: DataSource, button: str, **given: str) -> Any:
    url = reverse(f"admin:sources_datasource_{button}", args=[source.pk])
    return client.post(url, given, follow=True)


def decide(client: Client, write_row: OutcomeWrite, what: str, **given: str) -> Any:
    url = reverse(f"admin:sources_outcomewrite_{what}", args=[write_row.pk])
    return client.post(url, given, follow=True)


@pytest.mark.acceptance("CL23")
def test_writing_is_set_up_on_the_sources_page(admin: Client, reading: DataSource, project: Project) -> None:
    response = save(
        admin,
        reading,
        **ROW,
        **CODES,
        writes_back="on",
        write_token=WRITE_TOKEN,
        write_rules__TOTAL_FORMS="1",
    )
    assert response.status_code == 200
    assert reading.writes_back
    project_row = reading.redcap
    project_row.refresh_from_db()
    assert project_row.write_token() == WRITE_TOKEN
    assert project_row.token() != WRITE_TOKEN
    assert WRITE_TOKEN not in project_row.write_token_cipher
    assert WRITE_TOKEN not in response.content.decode()
    assert [str(rule) for rule in reading.write_rules.all()] == ["scan_status ← status"]
    assert not reading.state.full_requested  # what is written changes nothing of what is read
    assert not any("token_cipher" in vars(entry) for entry in project_row.history.all())

    history = reverse("admin:sources_datasource_history", args=[reading.pk])
    assert "scan_status ← status" in admin.get(history).content.decode()

    scan(only_item(reading))
    write(reading)
    assert row(project) == {"scan_status": "2"}


@pytest.mark.acceptance("CL23")
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({**ROW, **CODES}, "needs a token of its own"),
        ({"write_token": WRITE_TOKEN}, "Say in a row at least"),
        ({**ROW, "write_token": WRITE_TOKEN}, "say which code to write"),
        ({**ROW, **CODES, "write_rules__0__field": "mri_date", "write_token": WRITE_TOKEN}, "is read by row"),
        (
            {**ROW, **CODES, "write_rules__0__field": "scan_stat", "write_token": WRITE_TOKEN},
            "no field scan_stat",
        ),
        ({**ROW, "write_rules__0__field": "scan_name", "write_token": WRITE_TOKEN}, "as an identifier"),
        ({**ROW, "write_rules__0__field": "scan_total", "write_token": WRITE_TOKEN}, "calculated by REDCap"),
        ({**ROW, **CODES, "write_token": "two words"}, "neither spaces"),
    ],
)
def test_what_cannot_be_right_is_not_enabled(
    admin: Client, reading: DataSource, changed: dict[str, str], says: str
) -> None:
    response = save(admin, reading, writes_back="on", **changed)
    assert says in response.content.decode()
    assert not reading.writes_back
    assert not WriteRule.objects.exists()


@pytest.mark.acceptance("CL23")
def test_a_field_that_is_written_is_not_read_either(admin: Client, source: DataSource) -> None:
    response = save(admin, source, rules__0__field="scan_operator")
    assert "scan_operator is read by row patient_id" in response.content.decode()


@pytest.mark.acceptance("CL23")
def test_a_stored_token_for_writing_is_forgotten_and_goes_to_no_other_server(
    admin: Client, source: DataSource
) -> None:
    response = save(admin, source, url="https://other.example.org/api/", token="C" * 32)
    assert "enter the token for it" in response.content.decode()
    save(admin, source, writes_back="", forget_write_token="on")
    assert not making.value(source, "write_token_cipher")


@pytest.mark.acceptance("CL24")
@pytest.mark.parametrize(("may", "says"), [(True, "API Import"), (False, "lacks the right API Import")])
def test_the_connection_test_tells_the_right_without_writing(
    admin: Client, source: DataSource, project: Project, may: bool, says: str
) -> None:
    project.users[WRITE_TOKEN].api_import = may
    before = {record: list(project.rows(record)) for record in project.records()}
    page = press(admin, source, "check").content.decode()
    assert says in page
    assert {record: list(project.rows(record)) for record in project.records()} == before


@pytest.mark.acceptance("CL25")
def test_the_page_shows_what_would_be_written_and_writes_nothing(
    writer: Client, source: DataSource, project: Project
) -> None:
    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta")
    scan(only_item(source))
    change = OutcomeWrite.objects.get().change
    page = press(writer, source, "written").content.decode()

    for told in ("scan_start", "2026-01-10 09:31", "Berta", "Tech, Anna", "differs, and stays", "to write"):
        assert told in page
    assert row(project) == {"scan_operator": "Berta"}
    assert OutcomeWrite.objects.get().change == change
    assert not WriteIssue.objects.exists()


@pytest.mark.acceptance("CL26")
def test_what_is_due_is_written_again_after_the_rows_have_changed(
    admin: Client, source: DataSource, project: Project
) -> None:
    set_write_rules(source, [("scan_status", "status", "COMPLETED=2")])
    scan(only_item(source))
    write(source)
    set_write_rules(source, [("scan_series", "series")])
    response = press(admin, source, "write_again")
    assert "1 outcome is compared" in response.content.decode()
    write(source)

    assert row(project) == {"scan_status": "2", "scan_series": "2"}


@pytest.mark.acceptance("CL26")
def test_outcomes_from_before_it_was_enabled_are_found(
    admin: Client, reading: DataSource, project: Project
) -> None:
    scan(only_item(reading))
    assert not OutcomeWrite.objects.exists()
    making.change(reading, writes_back=True)
    reading.redcap.set_write_token(WRITE_TOKEN, by="alice")
    reading.save_with_details("alice")
    set_write_rules(reading, [("scan_series", "series")])
    press(admin, reading, "write_again")
    write(reading)

    assert row(project) == {"scan_series": "2"}


@pytest.mark.acceptance("CL27")
def test_a_person_decides_on_the_outcomes_page(writer: Client, source: DataSource, project: Project) -> None:
    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta")
    scan(only_item(source))
    write(source)
    held = OutcomeWrite.objects.get()
    listed = writer.get(reverse("admin:sources_outcomewrite_changelist")).content.decode()
    assert "scan_operator" in listed
    assert "Berta" not in listed
    page = writer.get(reverse("admin:sources_outcomewrite_change", args=[held.pk])).content.decode()
    assert "Berta" in page
    assert "Tech, Anna" in page

    decide(writer, held, "leave")
    assert states(source) == ["LEFT"]
    decide(writer, held, "try")
    write(source)
    assert states(source) == ["HELD"]
    decide(writer, held, "overwrite", issue=str(WriteIssue.objects.get(closed_at=None).pk))
    write(source)
    assert row(project)["scan_operator"] == "Tech, Anna"
    assert (states(source), open_issues(source)) == (["DONE"], [])
    gone = decide(writer, held, "overwrite", issue=str(WriteIssue.objects.first().pk))  # type: ignore[union-attr]
    assert "so no longer" in gone.content.decode()


@pytest.mark.acceptance("CL27")
def test_who_may_only_look_decides_nothing(
    client: Client, charlie: User, source: DataSource, project: Project
) -> None:
    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta")
    scan(only_item(source))
    write(source)
    client.force_login(charlie)
    held = OutcomeWrite.objects.get()
    page = client.get(reverse("admin:sources_outcomewrite_change", args=[held.pk])).content.decode()
    assert "Write ours" not in page
    for what in ("leave", "try", "overwrite"):
        assert decide(client, held, what).status_code == 403
    shown = client.get(page_of(source)).content.decode()
    assert "REDCAP_" not in shown
    assert "Token for writing" not in shown


@pytest.mark.acceptance("CL28")
def test_the_worker_writes_at_its_next_look(source: DataSource, project: Project) -> None:
    scan(only_item(source))
    OrmQ.objects.all().delete()
    tasks.pull_due()
    asked = [task for task in queued() if task[0] == "sources.tasks.write_back"]
    assert asked == [("sources.tasks.write_back", (source.pk,))]
    work_off()
    assert row(project)["scan_status"] == "2"

    OrmQ.objects.all().delete()
    tasks.pull_due()
    assert not [task for task in queued() if task[0] == "sources.tasks.write_back"]


@pytest.mark.acceptance("CL28")
@pytest.mark.parametrize("switched_off", ["enabled", "writes_back"])
def test_a_source_that_is_switched_off_is_not_written_to(
    source: DataSource, project: Project, switched_off: str
) -> None:
    scan(only_item(source))
    change: dict[str, Any] = {switched_off: False}
    making.change(source, **change)
    tasks.pull_due()
    assert not [task for task in queued() if task[0] == "sources.tasks.write_back"]
    write(source)
    assert row(project) == {}


@pytest.mark.acceptance("CL28")
def test_a_server_that_fails_is_left_alone_for_longer_each_time(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    scan(only_item(source))
    project.users[WRITE_TOKEN].expired = True
    waits = []
    for _ in range(3):
        write(source)
        found = WriteState.objects.get(source=source)
        waits.append(found.next_at)
        assert found.failures == len(waits)
    assert waits == sorted(waits)
    tasks.pull_due()
    assert not [task for task in queued() if task[0] == "sources.tasks.write_back"]


@pytest.mark.acceptance("CL29")
def test_what_a_pull_reads_again_is_looked_at_again(source: DataSource, project: Project) -> None:
    project.save("P-001", instrument="mri", instance=1, scan_operator="Berta")
    scan(only_item(source))
    write(source)
    waits_until = OutcomeWrite.objects.get().due_at
    project.save("P-001", instrument="mri", instance=1, scan_operator="")
    pull(source)
    assert OutcomeWrite.objects.get().due_at < waits_until
    tasks.pull_due()
    work_off()

    assert row(project)["scan_operator"] == "Tech, Anna"
    assert states(source) == ["DONE"]
