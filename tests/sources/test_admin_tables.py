"""A person adds a table in the admin, chooses its columns, and sees what a file would not do.

Not here: a browser (test_admin_tables_browser.py), what a pull makes of a file (test_table_pulls.py).
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from sources.models import DataSource, KnownDictionary, SourceState, UploadedTable
from tests.admin_pages import errors_in, said
from tests.api_client import client_of
from tests.sources.conftest import items, pull
from tests.sources.source_pages import filled_in, page_of
from tests.sources.table_study import BOOKED, FRIENDLY, a_row, as_csv, as_workbook, table_source, upload

pytestmark = pytest.mark.django_db

ADD = reverse("admin:sources_datasource_add") + "?kind=table"


@pytest.fixture
def boss(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def a_file(content: bytes, name: str = "bookings.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def add(client: Client, **typed: Any) -> Any:
    sent = {**filled_in(client, ADD), "name": "table", "place": "upload", "_continue": "yes", **typed}
    return client.post(ADD, sent, follow=True)


def columns_of(source: DataSource) -> str:
    return reverse("admin:sources_datasource_columns", args=[source.pk])


def choose(client: Client, source: DataSource, **chosen: str) -> Any:
    how = {"header_row": "1", "save": "yes", "session": "", "instance": ""}
    return client.post(columns_of(source), {**how, **chosen}, follow=True)


class TestAdding:
    @pytest.mark.acceptance("FI63")
    def test_from_a_file_to_the_worklist(self, boss: Client) -> None:
        response = add(boss, upload=a_file(as_csv(BOOKED, headers=FRIENDLY)))
        assert "was added" in said(response)[0], errors_in(response)
        source = DataSource.objects.get()
        assert not source.enabled
        assert (source.uploaded_table.name, source.uploaded_table.uploaded_by) == ("bookings.csv", "alice")

        step = boss.get(page_of(source)).context["steps"][0]
        assert (step.progress, step.button) == ("next", "columns")
        page = boss.post(columns_of(source))
        assert page.context["columns"]["record"].value() == "Subject ID"  # proposed
        assert "Qwertz" in page.content.decode()

        response = choose(boss, source, record="Subject ID", session="Visit")
        assert said(response)[0] == "1 row was read of 1 participant."
        source.refresh_from_db()
        assert (source.table_file.record_column, source.table_file.session_column) == ("Subject ID", "Visit")
        assert KnownDictionary.objects.get().dictionary().fields["family_name"].label == "Family name"

    @pytest.mark.acceptance("FI63")
    def test_the_file_comes_first(self, boss: Client) -> None:
        assert list(errors_in(add(boss))) == ["upload"]
        assert list(errors_in(add(boss, place="folder"))) == ["file_name"]
        assert list(errors_in(add(boss, place="folder", file_name="../secret.csv"))) == ["file_name"]
        assert not DataSource.objects.exists()

    @pytest.mark.acceptance("FI64")
    @pytest.mark.parametrize(
        ("content", "name", "told"),
        [
            (b"", "bookings.csv", "empty"),
            (b"\xff\xfe\xff", "bookings.csv", ""),
            ("ID;Größe\n1;2\n".encode("latin-1"), "bookings.csv", "line 1 is not in UTF-8"),
            (b"not a workbook", "bookings.xlsx", ""),
            (b"x", "bookings.xls", ".xls"),
            (b"x,y\n1,2\n", "bookings.pdf", ""),
        ],
    )
    def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_kept(
        self, boss: Client, content: bytes, name: str, told: str
    ) -> None:
        [error] = errors_in(add(boss, upload=a_file(content, name)))["upload"]

        assert error.startswith("Nothing was kept of this file")
        assert name in error
        assert told in error
        assert not DataSource.objects.exists()
        assert not UploadedTable.objects.exists()

    @pytest.mark.acceptance("FI65")
    def test_a_file_that_is_too_large_is_refused(self, boss: Client, settings: Any) -> None:
        settings.SOURCE_TABLE_MEGABYTES = 1

        [error] = errors_in(add(boss, upload=a_file(b"id,x\n" + b"1,2\n" * 300_000)))["upload"]

        assert "larger than 1 MB" in error
        assert not UploadedTable.objects.exists()


class TestReplacing:
    @pytest.fixture
    def source(self) -> DataSource:
        source = table_source()
        upload(source, as_csv(a_row("P-1")))
        return source

    def send(self, client: Client, source: DataSource, content: bytes, **typed: Any) -> Any:
        sent = {**filled_in(client, page_of(source)), "upload": a_file(content, "new.csv"), **typed}
        return client.post(page_of(source), sent, follow=True)

    @pytest.mark.acceptance("FI64")
    def test_a_new_file_is_taken_and_pulled(self, boss: Client, source: DataSource) -> None:
        self.send(boss, source, as_csv(a_row("P-2", "Roe")))

        assert UploadedTable.objects.get().name == "new.csv"
        assert SourceState.objects.get().requested_by == "alice"
        pull(source)
        assert set(items(source)) == {"P-2"}

    @pytest.mark.acceptance("FI64")
    def test_a_file_without_the_columns_of_a_running_source_is_refused(
        self, boss: Client, source: DataSource
    ) -> None:
        [error] = errors_in(self.send(boss, source, as_csv(BOOKED, headers=FRIENDLY)))["upload"]

        assert "Record ID" in error
        assert "disable the source first" in error
        assert UploadedTable.objects.get().name == "bookings.csv"

    @pytest.mark.acceptance("FI64")
    def test_of_a_disabled_source_the_columns_are_chosen_anew(self, boss: Client, source: DataSource) -> None:
        DataSource.objects.update(enabled=False)

        self.send(boss, source, as_csv(BOOKED, headers=FRIENDLY))

        source.table_file.refresh_from_db()
        assert UploadedTable.objects.get().name == "new.csv"
        assert (source.table_file.record_column, source.table_file.instance_column) == ("", "")

    @pytest.mark.acceptance("FI64")
    def test_a_source_that_goes_over_to_a_folder_keeps_no_upload(
        self, boss: Client, source: DataSource
    ) -> None:
        sent = {**filled_in(boss, page_of(source)), "place": "folder", "file_name": "bookings.csv"}
        boss.post(page_of(source), sent, follow=True)

        assert not UploadedTable.objects.exists()


class TestColumns:
    @pytest.fixture
    def source(self) -> DataSource:
        source = table_source(enabled=False, record_column="", instance_column="")
        upload(source, as_csv(BOOKED, headers=FRIENDLY))
        return source

    @pytest.mark.acceptance("FI63")
    def test_a_column_that_cannot_tell_rows_apart_keeps_them_out_and_says_so(
        self, boss: Client, source: DataSource
    ) -> None:
        upload(source, as_csv(BOOKED, BOOKED, headers=FRIENDLY))

        response = choose(boss, source, record="Subject ID")

        assert "0 rows were read" in said(response)[0]
        assert any("2" in text and "3" in text for text in said(response)[1:])

    @pytest.mark.acceptance("FI63")
    def test_the_sheet_and_the_row_of_headers_decide_what_there_is_to_choose(
        self, boss: Client, source: DataSource
    ) -> None:
        upload(source, as_workbook(FRIENDLY, BOOKED, headers=["Appointments of our study"]), "b.xlsx")

        page = boss.post(columns_of(source), {"header_row": "2", "look": "yes"})
        offered = [value for value, _ in page.context["columns"].fields["record"].choices]
        assert offered[1:] == list(FRIENDLY)

        choose(boss, source, record="Subject ID", header_row="2")
        source.table_file.refresh_from_db()
        assert source.table_file.header_row == 2

    @pytest.mark.acceptance("FI63")
    def test_dates_typed_as_text_get_their_order(self, boss: Client, source: DataSource) -> None:
        place = FRIENDLY.index("Scan date")

        choose(boss, source, record="Subject ID", **{f"order-{place}": "DMY"})

        source.table_file.refresh_from_db()
        assert source.table_file.date_orders == {"Scan date": "DMY"}
        assert source.table_file.history.latest().history_user_id == "alice"

    @pytest.mark.acceptance("FI63")
    def test_a_column_that_is_not_there_is_refused(self, boss: Client, source: DataSource) -> None:
        page = choose(boss, source, record="Nobody's")

        assert page.context["columns"].errors["record"]
        source.table_file.refresh_from_db()
        assert source.table_file.record_column == ""

    @pytest.mark.acceptance("FI66")
    def test_nothing_of_a_file_stands_in_the_log_or_the_audit_trail(
        self, boss: Client, source: DataSource, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        boss.post(columns_of(source))
        choose(boss, source, record="Subject ID")

        assert "Qwertz" not in caplog.text
        event = AuditEvent.objects.filter(path="admin:sources_datasource_columns").earliest("pk")
        assert (event.username, event.rows) == ("alice", [source.pk])
        assert "Qwertz" not in str(list(AuditEvent.objects.values()))


@pytest.mark.acceptance("FI67")
def test_a_mapping_is_suggested_from_the_headers_with_samples(boss: Client) -> None:
    source = table_source((), enabled=False, record_column="Subject ID", instance_column="")
    upload(source, as_csv(BOOKED, headers=FRIENDLY))

    page = boss.post(reverse("admin:sources_datasource_suggest", args=[source.pk]))

    taken = {
        proposal.proposal.target: [
            field for each in proposal.candidates if each.is_taken for field in each.candidate.fields
        ]
        for proposal in page.context["proposals"]
    }
    assert taken["patient_id"] == ["subject_id"]
    assert set(taken["patient_name"]) == {"family_name", "given_name"}
    assert taken["patient_birth_date"] == ["dob"]
    assert taken["patient_sex"] == ["sex"]
    assert taken["scheduled_start_date"] == ["scan_date"]
    assert taken["scheduled_start_time"] == ["scan_time"]
    assert "1990-01-31" in page.content.decode()


@pytest.mark.acceptance("FI68")
def test_a_table_is_read_by_rest_and_not_made_by_it(alice: User) -> None:
    source = table_source()
    client = client_of(alice)

    told = client.get(f"/sources/{source.name}").json()

    assert (told["name"], told["kind"]) == ("table", "table")
    assert told["url"] is None
    assert [each["name"] for each in client.get("/sources").json()] == ["table"]
    assert client.post("/sources", {"name": "other", "type": "table", "config": {}}).status_code == 400
