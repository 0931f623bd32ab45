"""A Calpendo is set up in the admin: its password goes in and never comes out, its resources are chosen.

Not here: what every source's page does (test_admin_source.py, test_admin_buttons.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import roles
from accounts.models import User
from sources.models import CalpendoSite, DataSource, MappingRule, SyncIssue
from tests.admin_pages import errors_in, said
from tests.calpendo.server import PASSWORD, USER, CalpendoServer
from tests.sources import making
from tests.sources.calpendo_sources import booked, calpendo_source
from tests.sources.conftest import items, pull
from tests.sources.source_pages import page_of, save

pytestmark = pytest.mark.django_db

ADD = "admin:sources_datasource_add"
LEAST = {
    "name": "bookings",
    "time_zone": "America/Edmonton",
    "user_name": USER,
    "password": PASSWORD,
    "states": "Approved = wanted",
    "booking_type": "Calpendo.Booking",
    "read_timeout": "60",
    "requests_per_minute": "60",
    "sync_interval": "60",
    "horizon_back_days": "7",
    "horizon_ahead_days": "30",
    "without_time": "issue",
    "most_records_gone": "2",
    "most_records_gone_percent": "20",
    "most_withdrawn": "5",
    "most_withdrawn_percent": "20",
    "most_renamed": "2",
    "most_renamed_percent": "20",
    "rules-TOTAL_FORMS": "0",
    "rules-INITIAL_FORMS": "0",
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.backends.calpendo.backend.FIRST_PAUSE", 0.001)


@pytest.fixture
def server() -> Iterator[CalpendoServer]:
    with CalpendoServer(bookings=[booked(1), booked(2, status="Denied")]) as server:
        yield server


@pytest.fixture
def source(db: None, server: CalpendoServer) -> DataSource:
    return calpendo_source(server)


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def add(client: Client, server: CalpendoServer, **given: str) -> Any:
    return client.post(f"{reverse(ADD)}?kind=calpendo", {**LEAST, "url": server.url, **given}, follow=True)


def press(client: Client, source: DataSource, button: str, **given: Any) -> Any:
    url = reverse(f"admin:sources_datasource_{button}", args=[source.pk])
    response = client.post(url, given, follow=True)
    source.refresh_from_db()
    return response


# The form


@pytest.mark.acceptance("FI95")
def test_whoever_chooses_the_kind_reads_that_it_is_experimental(
    admin: Client, server: CalpendoServer
) -> None:
    choice = admin.get(reverse(ADD)).content.decode()
    page = admin.get(reverse(ADD), {"kind": "calpendo"}).content.decode()

    assert "Calpendo (experimental)" in choice
    assert "Experimental: it was tested against a stand-in" in page
    assert 'name="resources"' in page
    assert 'name="token"' not in page


@pytest.mark.acceptance("FI94", "FI98")
def test_a_source_is_added_and_its_password_is_never_shown(admin: Client, server: CalpendoServer) -> None:
    add(admin, server)

    source, site = DataSource.objects.get(), CalpendoSite.objects.get()
    assert (source.kind, source.enabled, site.password()) == ("calpendo", False, PASSWORD)
    assert (site.password_set_by, site.history.get().history_user_id) == ("alice", "alice")
    page = admin.get(page_of(source)).content.decode()
    assert PASSWORD not in page
    assert site.password_cipher not in page
    assert "by alice" in page

    save(admin, source, site_id="X")
    assert CalpendoSite.objects.get().password() == PASSWORD


@pytest.mark.acceptance("FI94")
def test_a_password_outlives_a_form_that_is_refused(admin: Client, server: CalpendoServer) -> None:
    refused = add(admin, server, name="a b")
    assert list(errors_in(refused)) == ["name"]
    assert "is kept, encrypted" in refused.content.decode()
    assert PASSWORD not in refused.content.decode()

    add(admin, server, password="", password_is_kept="on")
    assert CalpendoSite.objects.get().password() == PASSWORD


@pytest.mark.acceptance("FI98")
@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"url": "http://calpendo.example.org"}, "url", "password would travel in clear"),
        ({"scanners": "3T = MRI"}, "scanners", "Did you mean MR"),
        ({"states": "Approved"}, "states", "no line of the table"),
        ({"further_paths": "Operator name"}, "further_paths", "no path"),
        ({"booking_type": "a/b"}, "booking_type", "A type of Calpendo"),
        ({"time_zone": "Mars"}, "time_zone", "IANA"),
        ({"resources": "3T\n.."}, "resources", "cannot be asked"),
        ({"user_variable": "CALPENDO_USERNAME"}, "user_variable", "leave this empty"),
        ({"password_variable": "CALPENDO_PASSWORD"}, "password_variable", "stored here"),
        ({"password": "", "password_variable": "SECRET_KEY"}, "password_variable", "may not|own"),
        ({"forget_password": "on"}, "forget_password", "unticked"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    admin: Client, server: CalpendoServer, given: dict[str, str], field: str, told: str
) -> None:
    errors = errors_in(add(admin, server, **given))

    assert list(errors) == [field]
    assert any(part in " ".join(errors[field]) for part in told.split("|"))
    assert not DataSource.objects.exists()


def test_a_stored_password_goes_to_no_other_server(admin: Client, source: DataSource) -> None:
    refused = save(admin, source, url="https://other.example.org")

    assert "enter the password for it" in " ".join(errors_in(refused)["password"])


def test_a_second_source_of_a_resource_is_asked_about(
    admin: Client, server: CalpendoServer, source: DataSource
) -> None:
    refused = add(admin, server, name="second", resources="EEG Lab")
    assert "already read by bookings" in " ".join(errors_in(refused)["reads_too"])

    add(admin, server, name="second", resources="EEG Lab", reads_too="on")
    assert DataSource.objects.count() == 2
    assert [other.name for other in source.details.others()] == ["second"]

    add(admin, server, name="third", resources="7T")
    assert DataSource.objects.filter(name="third").exists()


# What its buttons do


@pytest.mark.acceptance("FI98")
def test_resources_are_chosen_from_those_of_the_calpendo(admin: Client, server: CalpendoServer) -> None:
    add(admin, server)
    source = DataSource.objects.get()
    assert "No resource is chosen yet" in admin.get(page_of(source)).content.decode()

    page = press(admin, source, "choose_resources").content.decode()
    assert "3T Diagnostic" in page
    assert "EEG Lab" in page
    press(admin, source, "choose_resources", choose="", resource=["EEG Lab", "Not there"])

    assert CalpendoSite.objects.get().resources == "EEG Lab"
    assert CalpendoSite.history.first().history_change_reason == "Resources chosen"
    assert "Choose one resource" in said(press(admin, source, "choose_resources", choose=""))[-1]


def test_a_calpendo_out_of_reach_is_told_on_the_page(
    admin: Client, server: CalpendoServer, source: DataSource
) -> None:
    source.calpendo.set_password("wrong", by="alice")
    source.save_with_details("alice")

    assert "does not let the user in" in said(press(admin, source, "choose_resources"))[-1]
    assert "does not let the user in" in said(press(admin, source, "check"))[-1]


@pytest.mark.acceptance("FI98")
def test_connection_preview_and_comparison_are_those_of_every_source(
    admin: Client, source: DataSource
) -> None:
    connection = press(admin, source, "check").content.decode()
    preview = press(admin, source, "preview").content.decode()
    compared = press(admin, source, "compare").content.decode()

    assert "2: 1 Approved, 1 Denied" in connection
    assert "never against a Calpendo" in connection
    assert "SUB001" in preview
    assert "its state is “Denied”" in preview
    assert "SUB001" in compared
    assert "REDCap" not in connection + preview + compared


@pytest.mark.acceptance("FI98")
def test_a_mapping_begins_without_who_it_is(admin: Client, source: DataSource) -> None:
    """The common suggestion would take the booking's ID for the patient's."""
    assert "There is a mapping already" in said(press(admin, source, "begin_mapping"))[-1]
    assert "Begin the mapping" not in admin.get(page_of(source)).content.decode()
    source.rules.all().delete()
    DataSource.objects.update(enabled=False)
    step = admin.get(page_of(source)).context["steps"][2]
    assert (step.button, step.label) == ("begin_mapping", "Begin the mapping")

    response = press(admin, source, "begin_mapping")

    assert "Map patient_id and patient_name" in said(response)[-1]
    assert set(source.rules.values_list("target", flat=True)) == {
        *("scheduled_start_datetime", "modality", "scheduled_station_aetitle", "study_description"),
    }
    assert MappingRule.history.first().history_user == "alice"
    url = f"/admin/sources/datasource/{source.pk}/suggest/"
    assert admin.post(url).status_code == 404
    assert "Nothing is mapped to patient_id" in press(admin, source, "check").content.decode()


def test_an_issue_leads_into_calpendo(admin: Client, server: CalpendoServer, source: DataSource) -> None:
    server.booking(1).title = "Nobody"
    pull(source)
    issue = SyncIssue.objects.filter(target="patient_id").get()

    page = admin.get(reverse("admin:sources_syncissue_changelist")).content.decode()

    assert issue.record == "1"
    assert f'href="{server.url}/"' in page
    assert "Open Calpendo" in page
    assert "Nobody" not in page


def test_the_mapping_is_edited_by_paths(admin: Client, server: CalpendoServer, source: DataSource) -> None:
    row = MappingRule.objects.get(target="study_description")
    number = list(source.rules.values_list("pk", flat=True)).index(row.pk)
    pull(source)

    refused = save(admin, source, **{f"rules__{number}__field": "project.nam"})
    assert "Did you mean project.name?" in refused.content.decode()

    save(
        admin,
        source,
        **{f"rules__{number}__field": "", f"rules__{number}__transforms": "template {project.name}, {id}"},
    )
    pull(source, full=True)
    assert items(source)["SUB001"].study_description == "BRISKP, 1"


def test_who_may_not_change_it_sees_what_it_reads_and_no_user(
    client: Client, bob: User, source: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = frozenset({"sources.view_datasource"})
    monkeypatch.setitem(roles.PERMISSIONS, roles.Role.WRITE, may)
    client.force_login(bob)
    making.change(source, user_name="somebody-of-calpendo")

    page = client.get(page_of(source)).content.decode()

    assert "3T Diagnostic" in page
    assert "somebody-of-calpendo" not in page
    assert client.post(f"/admin/sources/datasource/{source.pk}/choose_resources/").status_code == 403
