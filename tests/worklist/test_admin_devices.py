"""The admin shows devices: rules, presets, C-ECHO, activity, previews, and why a participant is missing."""

from __future__ import annotations

import html
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from tests.admin_pages import queries_of
from tests.conftest import free_port
from tests.worklist import activity
from tests.worklist.conftest import RunningServer, make_item
from worklist.devices import presets
from worklist.items import lifecycle
from worklist.models import Device, DeviceActivity, Status, WorklistItem
from worklist.scp import echo_scu

pytestmark = pytest.mark.django_db

ADD = "admin:worklist_device_add"
CHANGE = "admin:worklist_device_change"
PREVIEW = "admin:worklist_device_preview"
MISSING = "admin:worklist_missing"
ITEM_MISSING = "admin:worklist_worklistitem_missing"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


def page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


def a_device(**rules: Any) -> Device:
    device = Device(**{"ae_title": "MR1", **rules})
    device.save_as("test")
    return device


def test_a_device_is_added_with_its_rules_and_the_history_names_the_person(admin: Client) -> None:
    rules = {
        "ae_title": "MR1",
        "addresses": "10.0.0.5",
        "offered_statuses": ["COMPLETED", "SCHEDULED"],
        "days_back": "0",
        "time_zone": "Europe/Berlin",
        "specific_character_set": "\\ISO 2022 IR 87",
        "protocol_codes": "T1 = 12 | GEHC",
    }
    answer = admin.post(reverse(ADD), activity.device_form(**rules))
    assert answer.status_code == 302, page(answer)
    device = Device.objects.get()
    assert device.offered_statuses == ["SCHEDULED", "COMPLETED"]
    assert (device.days_back, device.days_ahead) == (0, None)
    assert device.specific_character_set == "\\ISO 2022 IR 87"
    assert device.history.latest().history_user_id == "alice"


def test_a_rule_that_cannot_be_kept_is_refused_beside_its_field(admin: Client) -> None:
    rules = {"ae_title": "MR1", "addresses": "10.0.0", "protocol_codes": "T1 = 12", "host": "10.0.0.5"}
    text = page(admin.post(reverse(ADD), activity.device_form(**rules)))
    assert "10.0.0 is no address or network" in text
    assert "Line 1: a code needs its scheme" in text
    assert "Give both host and port, or none." in text
    assert not Device.objects.exists()


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.key)
def test_a_preset_fills_in_its_rules_with_their_sources_and_can_be_saved(
    admin: Client, preset: presets.Preset
) -> None:
    answer = admin.get(reverse(ADD), {"preset": preset.key})
    text = page(answer)
    for rule in preset.rules:
        assert rule.why in text
        assert rule.source in text
    form = answer.context["adminform"].form
    sent = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "", [])}
    assert admin.post(reverse(ADD), {**sent, "ae_title": "NEW", "enabled": "on"}).status_code == 302
    device = Device.objects.get()
    assert {name: getattr(device, name) for name in preset.values} == preset.values
    device.full_clean()


def test_every_rule_of_a_preset_has_its_source_and_fits_the_device() -> None:
    assert {preset.vendor for preset in presets.PRESETS} >= {"GE", "Siemens", "Philips", "Canon", "Esaote"}
    assert "US" in {preset.modality for preset in presets.PRESETS}
    for preset in presets.PRESETS:
        Device(ae_title="NEW", **preset.values).full_clean()
        assert all(rule.why and rule.source for rule in preset.rules)


def test_a_preset_changes_nothing_of_a_device_until_it_is_saved(
    admin: Client,
) -> None:
    device = a_device(longest_patient_name=40)
    answer = admin.get(reverse(CHANGE, args=[device.pk]), {"preset": "ge_mr"})
    assert answer.context["adminform"].form["longest_patient_name"].value() is None
    device.refresh_from_db()
    assert device.longest_patient_name == 40


NARROW = presets.Preset(
    "ge_mr",
    "Narrow",
    "",
    "MR",
    (
        presets.OPERATORS_LEAVE_IT_OPEN,
        presets.PresetRule("Why", "Source", "longest_patient_id", 16),
        presets.PresetRule("Why", "Source", "longest_patient_name", 10),
    ),
)


def items_of_today(*each: dict[str, Any]) -> None:
    for number, values in enumerate(each, start=1):
        make_item(number, **{"scheduled_start_date": timezone.localdate(), **values}).save_as("test")


@pytest.mark.acceptance("D216")
def test_a_preset_that_would_leave_items_out_says_which_and_why_before_and_after_it_is_saved(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(presets.BY_KEY, "ge_mr", NARROW)
    yesterday = timezone.localdate() - timedelta(days=1)
    items_of_today(
        {"patient_id": "P" * 36},
        {"patient_name": "Y^A=" + "B" * 11},
        {"scheduled_station_aetitle": "MR2"},
        {"scheduled_station_aetitle": ""},
        {"patient_id": "P" * 36, "modality": "CT"},
        {"patient_id": "P" * 36, "scheduled_start_date": yesterday},
    )
    other = "This device is offered only items for station MR1; this item is for MR2"
    device = a_device()

    text = page(admin.get(reverse(CHANGE, args=[device.pk]), {"preset": "ge_mr"}))
    new = page(admin.get(reverse(ADD), {"preset": "ge_mr"}))

    assert f"1 coming item is left out: {WorklistItem.objects.get(patient_id='P3')}: {other}" in text
    assert "2 coming items are left out" in text
    assert "Patient ID is longer than this scanner takes: 36 characters, and it takes 16" in text
    assert "Patient's Name is longer than this scanner takes: 11 characters, and it takes 10" in text
    assert "2 coming items are left out" in new
    assert other not in new
    any_title = a_device(ae_title=Device.ANY)
    assert "for station" not in page(admin.get(reverse(CHANGE, args=[any_title.pk]), {"preset": "ge_mr"}))
    any_title.delete()

    sent = {"ae_title": "MR1", "enabled": "on", **NARROW.values, "station_filter": "OWN_OR_ANY"}
    form = admin.get(reverse(CHANGE, args=[device.pk])).context["adminform"].form
    stored = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "", [])}
    saved = admin.post(reverse(CHANGE, args=[device.pk]), {**stored, **sent}, follow=True)
    told = [str(message) for message in saved.context["messages"]]
    assert any(other in sentence for sentence in told)
    again = admin.post(reverse(CHANGE, args=[device.pk]), {**stored, **sent, "name": "Room 1"}, follow=True)
    assert not [message for message in again.context["messages"] if "left out" in str(message)]


@pytest.mark.acceptance("D217")
def test_with_the_preset_of_ge_a_scanner_sees_ids_of_36_characters_and_names_of_64(admin: Client) -> None:
    items_of_today({"patient_id": "P" * 36}, {"patient_id": "P" * 64, "patient_name": "N" * 64})

    text = page(admin.get(reverse(ADD), {"preset": "ge_mr"}))

    assert "No coming item would be left out by them" in text
    assert "does not take the weight from the worklist" in text
    a_device(**presets.BY_KEY["ge_mr"].values)
    told = page(admin.get(reverse(PREVIEW), {"device": "MR1"}))
    assert "2 answers" in told


@pytest.mark.slow
def test_what_a_preset_leaves_out_costs_the_same_queries_however_much_it_is(
    admin: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setitem(presets.BY_KEY, "ge_mr", NARROW)
    many = [
        make_item(number, scheduled_start_date=timezone.localdate(), patient_id=f"{'P' * 20}{number}")
        for number in range(1, 301)
    ]
    WorklistItem.objects.bulk_create(many)
    with django_assert_max_num_queries(60):
        text = page(admin.get(reverse(ADD), {"preset": "ge_mr"}))
    assert "300 coming items are left out" in text
    assert "and 295 more" in text


def test_the_list_and_the_page_tell_the_last_contact(reader: Client) -> None:
    device = a_device()
    activity.query("MR1", ago=timedelta(hours=3))
    told = "3 hours ago from 10.0.0.5: C-FIND"
    assert told in page(reader.get(reverse("admin:worklist_device_changelist")))
    assert told in page(reader.get(reverse(CHANGE, args=[device.pk])))


@pytest.mark.acceptance("AD44")
@pytest.mark.parametrize("model", ["device", "deviceactivity"])
def test_filters_have_words_and_columns_have_headings(reader: Client, model: str) -> None:
    a_device(vendor="Acme", modality="MR")
    a_device(ae_title="MR2")
    activity.query("MR1")
    DeviceActivity.objects.create(kind=DeviceActivity.Kind.REFUSED)
    text = page(reader.get(reverse(f"admin:worklist_{model}_changelist")))

    assert "Not said" in text
    filters = text.partition('id="changelist-filter"')[2].partition("</nav>")[0]
    assert re.findall(r"<a [^>]*>\s*\w", filters)
    assert not re.findall(r"<a [^>]*>\s*</a>", filters)
    headings = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', text, re.DOTALL)
    assert len(headings) > 5
    assert all(re.sub(r"<[^>]*>", "", heading).strip() for heading in headings)


def test_the_list_asks_as_often_for_many_devices_as_for_one(reader: Client) -> None:
    def many(numbers: range) -> int:
        for number in numbers:
            a_device(ae_title=f"MR{number}")
            activity.query(f"MR{number}")
        return queries_of(lambda: page(reader.get(reverse("admin:worklist_device_changelist"))))

    assert many(range(1)) == many(range(1, 20))


def test_the_row_with_an_asterisk_carries_a_standing_warning(admin: Client) -> None:
    device = a_device(ae_title="*")
    assert "The door is open" in page(admin.get(reverse(CHANGE, args=[device.pk])))
    assert "The door is open to any scanner" in page(admin.get(reverse("admin:index")))


def calling_ae_titles(listener: socket.socket) -> list[str]:
    """Take the two connections of a C-ECHO; return the calling AE title of each, "" where nothing is asked.

    The first connection only finds out whether anything listens (PS3.8 9.3.2 has the title at byte 26).
    """
    found = []
    for _ in range(2):
        with listener.accept()[0] as peer:
            found.append(peer.recv(4096)[26:42].decode().strip())
    return found


class TestEcho:
    def echo(self, client: Client, device: Device) -> list[str]:
        answer = client.post(reverse("admin:worklist_device_echo", args=[device.pk]), follow=True)
        return [str(message) for message in answer.context["messages"]]

    def test_a_device_that_answers_is_told_with_its_time(self, admin: Client, server: RunningServer) -> None:
        device = a_device(ae_title="MWL_SERVER", host="127.0.0.1", port=server.port)
        (told,) = self.echo(admin, device)
        assert told.startswith(f"MWL_SERVER at 127.0.0.1:{server.port} answered C-ECHO in ")

    def test_one_that_refuses_is_told_with_its_reason(self, admin: Client, server: RunningServer) -> None:
        device = a_device(ae_title="MWL_SERVER", host="127.0.0.1", port=server.port, called_ae_title="NOBODY")
        (told,) = self.echo(admin, device)
        assert "refused the association (1,1,3" in told

    @pytest.mark.parametrize("called", ["", "RIS"])
    def test_the_server_calls_itself_by_its_own_ae_title(
        self, admin: Client, settings: LazySettings, called: str
    ) -> None:
        settings.MWL_AETITLE = "HERE"
        with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
            asked = threads.submit(calling_ae_titles, listener)
            device = a_device(host="127.0.0.1", port=listener.getsockname()[1], called_ae_title=called)
            self.echo(admin, device)
        assert asked.result() == ["", called or "HERE"]

    def test_where_nothing_listens_is_told(self, admin: Client) -> None:
        (told,) = self.echo(admin, a_device(host="127.0.0.1", port=free_port()))
        assert told.endswith(": Connection refused.")

    def test_what_does_not_speak_dicom_is_told(
        self, admin: Client, live_server: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(echo_scu, "TIMEOUT", 0.5)
        (told,) = self.echo(admin, a_device(host="127.0.0.1", port=urlsplit(live_server.url).port))
        assert told.endswith("does not speak DICOM, or it aborted.")

    def test_without_host_and_port_it_asks_for_them(self, admin: Client) -> None:
        assert self.echo(admin, a_device()) == ["Enter host and port first: where does the scanner listen?"]

    def test_only_who_may_change_a_device_may_reach_out(self, reader: Client) -> None:
        device = a_device(host="127.0.0.1", port=free_port())
        url = reverse("admin:worklist_device_echo", args=[device.pk])
        assert reader.post(url).status_code == 403
        assert reader.get(url).status_code == 405


def test_activity_is_listed_with_what_was_asked_and_nobody_can_change_it(admin: Client) -> None:
    found = activity.query("MR1", keys={"PatientID": "P1"}, matches=3)
    activity.refusal("MR9")
    listed = page(admin.get(reverse("admin:worklist_deviceactivity_changelist")))
    assert "PatientID P1" in listed
    assert "no device has this AE title (1,1,3)" in listed
    only = page(admin.get(reverse("admin:worklist_deviceactivity_changelist"), {"kind__exact": "REFUSED"}))
    assert "PatientID P1" not in only
    url = reverse("admin:worklist_deviceactivity_change", args=[found.pk])
    shown = page(admin.get(url))
    assert "(0010,0020) LO Patient ID: P1" in shown
    assert admin.post(url, {"ae_title": "X"}).status_code == 403
    assert admin.get(reverse("admin:worklist_deviceactivity_add")).status_code == 403


def test_a_query_that_cannot_be_decoded_is_shown_as_such(admin: Client) -> None:
    broken = DeviceActivity.objects.create(
        kind="QUERY", ae_title="MR1", identifier=b"\x08\x00", status=0xC000
    )
    text = page(admin.get(reverse("admin:worklist_deviceactivity_change", args=[broken.pk])))
    assert "It cannot be decoded." in text


@pytest.fixture
def todays() -> dict[str, WorklistItem]:
    today = timezone.localdate()
    made = {
        "MR1": make_item(1, scheduled_start_date=today, patient_weight_kg="70.50"),
        "CT1": make_item(2, scheduled_start_date=today, scheduled_station_aetitle="CT1"),
    }
    for item in made.values():
        item.save_as("test")
    return made


class TestPreview:
    @pytest.mark.acceptance("D148")
    def test_a_device_sees_its_items_and_why_others_are_not_there(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        a_device()
        text = page(reader.get(reverse(PREVIEW), {"device": "MR1"}))
        assert "1 answer" in text
        assert "DOE, JOHN1 · P1" in text
        assert "70.5 kg" in text
        assert "The scanner asked for station MR1; this item is for CT1." in text
        assert (
            f'href="{reverse("admin:worklist_worklistitem_change", args=[todays["CT1"].pk])}">Change' in text
        )

    def test_keys_are_posted_and_never_in_the_url(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        a_device()
        text = page(reader.post(reverse(PREVIEW), {"device": "MR1", "PatientName": "doe^john2"}))
        assert "DOE, JOHN2 · P2" in text
        assert "PatientName <strong>doe^john2</strong>" in text

    def test_a_recorded_query_is_asked_again(self, reader: Client, todays: dict[str, WorklistItem]) -> None:
        recorded = activity.query("MR1", keys={"PatientID": "P2"}, matches=4)
        text = page(reader.get(reverse(PREVIEW), {"query": recorded.pk}))
        assert "DOE, JOHN2 · P2" in text
        assert "PatientID P2: 4 answers" in text

    @pytest.mark.acceptance("D184")
    def test_a_query_without_a_character_set_is_told_so_where_it_is_looked_at(self, reader: Client) -> None:
        name = "Müller*".encode()
        recorded = activity.query("MR1")
        recorded.identifier = b"\x10\0\x10\0PN" + len(name).to_bytes(2, "little") + name
        recorded.save()
        told = (
            "PatientName (0010,0010): The text is not ASCII, and no Specific Character Set (0008,0005) "
            "is given for it: it is read as UTF-8."
        )
        assert told in page(reader.get(reverse(PREVIEW), {"query": recorded.pk}))
        shown = reverse("admin:worklist_deviceactivity_change", args=[recorded.pk])
        assert told in page(reader.get(shown))

    @pytest.mark.parametrize("asked", [{"query": "999"}, {"query": "x"}, {"device": "a" * 17}])
    def test_what_is_not_there_is_not_found(self, reader: Client, asked: dict[str, str]) -> None:
        assert reader.get(reverse(PREVIEW), asked).status_code == 404

    def test_without_a_device_the_page_asks_for_one(self, reader: Client) -> None:
        a_device()
        assert '<option value="MR1">' in page(reader.get(reverse(PREVIEW)))
        assert "This field is required." in page(reader.post(reverse(PREVIEW), {"device": ""}))

    def test_a_malformed_key_is_told_as_the_scanner_would_be(self, reader: Client) -> None:
        a_device()
        asked = {"device": "MR1", "ScheduledProcedureStepStartDate": "soon"}
        assert "Not a value or range of VR DA" in page(reader.post(reverse(PREVIEW), asked))

    def test_an_ae_title_that_may_not_connect_is_told_so(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        a_device()
        text = page(reader.get(reverse(PREVIEW), {"device": "MR9"}))
        assert "MR9 cannot connect: no device has this AE title" in text


class TestMissing:
    def test_an_item_says_of_each_scanner_why_it_is_not_there_and_where_to_mend_it(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        mr1, closed = a_device(), a_device(ae_title="OLD", enabled=False)
        text = page(reader.get(reverse(ITEM_MISSING, args=[todays["CT1"].pk])))
        assert "The scanner asked for station MR1; this item is for CT1." in text
        assert "It cannot connect: the device OLD is disabled" in text
        assert f'href="{reverse(CHANGE, args=[closed.pk])}">Change the scanner' in text
        assert f'href="{reverse(CHANGE, args=[mr1.pk])}">MR1' in text
        yes = page(reader.get(reverse(ITEM_MISSING, args=[todays["MR1"].pk])))
        assert "It is among the answers." in yes

    def test_a_scanner_that_is_no_device_is_added_by_its_ae_title(
        self, admin: Client, todays: dict[str, WorklistItem]
    ) -> None:
        activity.refusal("MR_1")
        text = page(admin.get(reverse(ITEM_MISSING, args=[todays["CT1"].pk])))
        assert f'href="{reverse(ADD)}?ae_title=MR_1">Add the scanner' in text
        assert 'value="MR_1"' in page(admin.get(f"{reverse(ADD)}?ae_title=MR_1"))

    @pytest.mark.acceptance("D193")
    @pytest.mark.parametrize("sought", ["P2", "p-2", "john2", "Döe^John2", "S2"])
    def test_a_participant_is_found_by_a_part_of_a_name_or_an_id_which_is_posted(
        self, reader: Client, todays: dict[str, WorklistItem], sought: str
    ) -> None:
        a_device()
        answer = reader.post(reverse(MISSING), {"sought": sought})
        assert "The scanner asked for station MR1; this item is for CT1." in page(answer)
        assert [each["item"] for each in answer.context["found"]] == [todays["CT1"]]
        assert sought not in answer.wsgi_request.get_full_path()

    def test_nobody_is_found_by_what_is_written_nowhere(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        text = page(reader.post(reverse(MISSING), {"sought": "P9"}))
        assert "No item of the worklist has this in a name or an ID" in text
        assert "Please say whom you miss." in page(reader.post(reverse(MISSING), {"sought": " "}))

    @pytest.mark.acceptance("D193")
    def test_of_several_who_are_found_a_person_chooses_one(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        answer = reader.post(reverse(MISSING), {"sought": "doe"})
        assert {each.patient_id for each in answer.context["people"]} == {"P1", "P2"}
        assert answer.context["found"] == []
        assert "Whom do you mean?" in page(answer)
        chosen = reader.post(reverse(MISSING), {"sought": "doe", "patient_id": "P1"})
        assert [each["item"] for each in chosen.context["found"]] == [todays["MR1"]]
        assert [each.patient_id for each in chosen.context["people"]] == ["P2"]

    def test_a_whole_id_is_that_one_and_those_that_contain_it_are_offered_besides(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        make_item(12, patient_id="P12").save_as("test")
        answer = reader.post(reverse(MISSING), {"sought": "P1"})
        assert [each["item"] for each in answer.context["found"]] == [todays["MR1"]]
        assert [each.patient_id for each in answer.context["people"]] == ["P12"]

    def test_the_newest_items_are_judged_and_the_others_counted(self, reader: Client) -> None:
        for number in range(1, 8):
            make_item(number, patient_id="P1").save_as("test")
        text = page(reader.post(reverse(MISSING), {"sought": "P1"}))
        assert "2 older items of this participant are not shown." in text

    @pytest.mark.acceptance("D194")
    def test_nothing_is_to_be_mended_of_what_is_over_and_it_is_said_what_happened(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        a_device(enabled=False)
        done = todays["MR1"]
        lifecycle.move(done, to=Status.IN_PROGRESS, actor="device:MR1")
        lifecycle.move(done, to=Status.COMPLETED, actor="device:MR1", reason="MPPS completed")
        past = make_item(3, scheduled_start_date=timezone.localdate() - timedelta(days=3))
        past.save_as("test")
        answers = [reader.get(reverse(ITEM_MISSING, args=[item.pk])) for item in (done, past)]
        for answer in answers:
            assert [row["remedies"] for each in answer.context["found"] for row in each["rows"]] == [[]]
            assert "It cannot connect: the device MR1 is disabled" in page(answer)
            assert "Change the" not in page(answer)
        assert "by device:MR1: MPPS completed." in page(answers[0])
        assert "Its day has passed, and no scanner has reported that it was performed." in page(answers[1])

    def test_a_cancelled_item_says_who_cancelled_it_when_and_why(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        lifecycle.move(todays["MR1"], to=Status.CANCELLED, actor="bob", reason="Has a cold.")
        text = page(reader.get(reverse(ITEM_MISSING, args=[todays["MR1"].pk])))
        assert f"Cancelled on {date_format(timezone.localdate(), 'j F Y')}" in text
        assert "by bob: Has a cold." in text

    @pytest.mark.acceptance("D195")
    def test_what_keeps_all_items_out_is_mended_before_the_one_item(self, reader: Client) -> None:
        device = a_device(station_filter="OWN")
        today = timezone.localdate()
        for number in (1, 2, 3):
            make_item(number, scheduled_start_date=today, scheduled_station_aetitle="").save_as("test")
        item = WorklistItem.objects.first()
        assert item is not None
        answer = reader.get(reverse(ITEM_MISSING, args=[item.pk]))
        (row,) = answer.context["found"][0]["rows"]
        assert row["verdict"].reason.sentence.endswith(
            "this item has no station. So it is with the 2 other items still to come."
        )
        assert [link.url for link in row["remedies"]] == [
            reverse(CHANGE, args=[device.pk]),
            reverse("admin:worklist_worklistitem_change", args=[item.pk]),
        ]
        make_item(4, scheduled_start_date=today).save_as("test")  # which MR1 is offered
        (row,) = reader.get(reverse(ITEM_MISSING, args=[item.pk])).context["found"][0]["rows"]
        assert [link.text for link in row["remedies"]] == ["Change the item"]

    def test_while_no_scanner_is_known_it_says_so(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        text = page(reader.get(reverse(ITEM_MISSING, args=[todays["MR1"].pk])))
        assert "No scanner is known yet" in text
        assert reader.get(reverse(ITEM_MISSING, args=[999])).status_code == 404

    def test_the_items_page_and_the_index_lead_there(
        self, reader: Client, todays: dict[str, WorklistItem]
    ) -> None:
        item = todays["MR1"]
        shown = page(reader.get(reverse("admin:worklist_worklistitem_change", args=[item.pk])))
        assert reverse(ITEM_MISSING, args=[item.pk]) in shown
        assert reverse(MISSING) in page(reader.get(reverse("admin:index")))


def test_who_is_not_signed_in_sees_none_of_it(client: Client, db: None) -> None:
    for url in (reverse(PREVIEW), reverse(MISSING), reverse(ITEM_MISSING, args=[1])):
        assert client.get(url).status_code == 302


def test_the_pages_ask_few_questions_of_the_database(
    reader: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    today = timezone.localdate()
    for number in range(1, 41):
        make_item(number, scheduled_start_date=today, scheduled_station_aetitle="CT1").save_as("test")
    a_device()
    with django_assert_max_num_queries(40 * 5 + 20):
        page(reader.get(reverse(PREVIEW), {"device": "MR1"}))


@pytest.mark.parametrize(
    "written",
    [
        {"time_zone": "Nowhere/Land"},
        {"protocol_codes": "T1"},
        {"specific_character_set": "ISO_IR 999"},
        {"station_filter": "SOMETIMES"},
        {"misfit": "guess", "protocol_codes_sent": "some"},
    ],
    ids=lambda written: next(iter(written)),
)
def test_a_row_that_was_written_past_the_form_is_told_and_breaks_no_page(
    reader: Client, todays: dict[str, WorklistItem], written: dict[str, str]
) -> None:
    a_device()
    Device.objects.update(**written)
    missing = page(reader.get(reverse(ITEM_MISSING, args=[todays["MR1"].pk])))
    assert "The rules of the device MR1 cannot be used: open its row and save it." in missing
    assert "The rules of this device cannot be used" in page(reader.get(reverse(PREVIEW), {"device": "MR1"}))
    assert "MR1" in page(reader.get(reverse("admin:worklist_device_changelist")))


def test_a_key_that_cannot_be_sent_is_refused_beside_its_field(reader: Client) -> None:
    a_device()
    text = page(reader.post(reverse(PREVIEW), {"device": "MR1", "Modality": "王"}))
    assert "Only ASCII can be asked for here." in text


@pytest.mark.slow
def test_whatever_was_recorded_is_shown(reader: Client, todays: dict[str, WorklistItem]) -> None:
    a_device()
    random = Random(6)
    for number in range(30):
        found = activity.query("MR1")
        at = random.randrange(len(bytes(found.identifier)))
        whole = bytes(found.identifier)
        found.identifier = (
            random.randbytes(40) if number % 3 == 0 else whole[:at] + random.randbytes(1) + whole[at + 1 :]
        )
        found.save()
        page(reader.get(reverse(PREVIEW), {"query": found.pk}))
        page(reader.get(reverse("admin:worklist_deviceactivity_change", args=[found.pk])))
        page(reader.get(reverse(ITEM_MISSING, args=[todays["MR1"].pk])))
    page(reader.get(reverse("admin:worklist_deviceactivity_changelist")))
