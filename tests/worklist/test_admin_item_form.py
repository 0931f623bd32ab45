"""An item is typed in a form: names in parts, dates that nobody misreads, choices of what there is.

Not here: which dates are read (test_typed_dates.py), what happens while one types (test_admin_browser.py).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.admin_pages import errors_in, fields_of, queries_of, said, shown, typed_name
from tests.api_client import client_of
from tests.worklist import reported
from tests.worklist.item_pages import LIST, act, change_url
from tests.worklist.performed_steps import begun
from worklist.admin import choices, name_fields
from worklist.items import intake
from worklist.models import PERSON_NAMES, Device, WorklistItem

pytestmark = pytest.mark.django_db

ADD = reverse("admin:worklist_worklistitem_add")
FULL = "Yamada^Tarou^Jiro^Dr.^Jr.=山田^太郎^次郎^博士^二世=やまだ^たろう^じろう^はかせ^にせい"
SENTENCE = name_fields.WHOLE_NAME


def an_item(**values: Any) -> WorklistItem:
    least = {"patient_name": "Doe^John", "patient_id": "P1", "modality": "MR"}
    return intake.create({**least, "scheduled_start_date": timezone.localdate(), **values}, actor="alice")


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def added(client: Client, **typed: str) -> Any:
    least = {"patient_id": "P1", "modality": "MR", "scheduled_start_date": f"{timezone.localdate()}"}
    return client.post(ADD, {**fields_of(client, ADD), **least, **typed}, follow=True)


def changed(client: Client, item: WorklistItem, **typed: str) -> Any:
    return client.post(change_url(item), {**fields_of(client, change_url(item)), **typed}, follow=True)


class TestNames:
    @pytest.mark.acceptance("D163")
    def test_a_name_is_typed_in_parts_and_stored_as_a_pn(self, coordinator: Client) -> None:
        for number, field in enumerate(PERSON_NAMES):
            name = FULL.replace("Tarou", f"Tarou{number}")
            typed = {**typed_name("patient_name", "X^Y"), **typed_name(field, name)}
            response = added(coordinator, patient_id=f"P{number}", **typed)
            assert response.redirect_chain, errors_in(response)
            item = WorklistItem.objects.latest("pk")
            assert getattr(item, field) == name

    @pytest.mark.acceptance("D163")
    @pytest.mark.parametrize("name", [FULL, "==やまだ", "^John", "van der  Berg", 'O"Neil <b>&^Mary=山田'])
    def test_an_untouched_page_writes_nothing_of_a_name(self, coordinator: Client, name: str) -> None:
        item = an_item(**dict.fromkeys(PERSON_NAMES, name))
        response = changed(coordinator, item, protocol_name="BRAIN")
        assert response.redirect_chain, errors_in(response)
        newest, *_ = item.history.all()
        stored = WorklistItem.objects.get()
        assert {getattr(stored, field) for field in PERSON_NAMES} == {item.patient_name}
        assert newest.diff_against(newest.prev_record).changed_fields == ["protocol_name"]

    def test_one_part_is_changed_and_the_others_stay(self, coordinator: Client) -> None:
        item = an_item(patient_name=FULL)
        changed(coordinator, item, patient_name_phonetic_given="たろ")
        item.refresh_from_db()
        assert item.patient_name == FULL.replace("たろう", "たろ")

    def test_a_name_that_somebody_else_changed_meanwhile_is_a_conflict(self, coordinator: Client) -> None:
        item = an_item()
        sent = fields_of(coordinator, change_url(item))
        intake.change(item, {"patient_name": "Doe^Jane"}, actor="alice")
        response = coordinator.post(change_url(item), {**sent, "patient_name_given": "Jim"})
        assert errors_in(response) == {"patient_name": [str(intake.MOVED)]}
        untouched = coordinator.post(change_url(item), {**sent, "protocol_name": "BRAIN"})
        assert untouched.status_code == 302
        item.refresh_from_db()
        assert (item.patient_name, item.protocol_name) == ("Doe^Jane", "BRAIN")

    @pytest.mark.acceptance("D163")
    @pytest.mark.parametrize(
        ("part", "typed", "named"),
        [
            ("family", "Doe^John", "Family name"),
            ("given", "John=太郎", "Given name"),
            ("suffix", "A\\B", "Suffix"),
            ("ideographic_given", "太^郎", "Given name, ideographic"),
        ],
    )
    def test_a_delimiter_is_refused_by_the_name_of_its_part(
        self, coordinator: Client, part: str, typed: str, named: str
    ) -> None:
        whole = {**typed_name("patient_name", "Doe^John"), f"patient_name_{part}": typed}
        response = added(coordinator, **whole)
        assert errors_in(response) == {"patient_name": [f"{named}: {name_fields.OWN_FIELDS}"]}
        assert f'value="{typed}"' in response.content.decode()
        assert not WorklistItem.objects.exists()

    def test_a_name_is_needed_and_one_too_long_is_refused(self, coordinator: Client) -> None:
        assert errors_in(added(coordinator))["patient_name"] == ["This field is required."]
        long = {"patient_name_family": "A" * 40, "patient_name_given": "B" * 40}
        assert "at most 64 characters" in errors_in(added(coordinator, **long))["patient_name"][0]

    def test_a_page_that_sends_whole_names_loses_none(self, coordinator: Client) -> None:
        item = an_item(patient_name=FULL, performing_physician="Lee^Ann")
        sent = fields_of(coordinator, change_url(item))
        parts = {key for field in PERSON_NAMES for key in typed_name(field, "")}
        whole = {**dict.fromkeys(PERSON_NAMES, ""), "patient_name": FULL, "performing_physician": "Lee^Bob"}
        old = {key: text for key, text in sent.items() if key not in parts} | whole
        assert coordinator.post(change_url(item), old).status_code == 302
        item.refresh_from_db()
        assert (item.patient_name, item.performing_physician) == (FULL, "Lee^Bob")

    def test_a_link_fills_a_name_in(self, coordinator: Client) -> None:
        form = coordinator.get(ADD, {"patient_name": "Doe^John"}).content.decode()
        assert 'id="id_patient_name_family" maxlength="64" class="vTextField" value="Doe"' in form
        assert 'id="id_patient_name_given" maxlength="64" class="vTextField" value="John"' in form


class TestWholeNames:
    @pytest.mark.acceptance("D164")
    @pytest.mark.parametrize(
        ("field", "typed"),
        [*((field, "John Doe") for field in PERSON_NAMES), ("patient_name", "Doe,John")],
    )
    def test_a_whole_name_in_one_field_is_asked_about_and_then_taken(
        self, coordinator: Client, field: str, typed: str
    ) -> None:
        name = {**typed_name("patient_name", "Roe^Jane"), **typed_name(field, ""), f"{field}_family": typed}
        asked = added(coordinator, **name)
        assert errors_in(asked) == {field: [str(SENTENCE)]}
        assert f'name="{field}_is_family_name"' in asked.content.decode()
        assert not WorklistItem.objects.exists()

        taken = added(coordinator, **name, **{f"{field}_is_family_name": "on"})
        assert taken.redirect_chain, errors_in(taken)
        item = WorklistItem.objects.get()
        assert getattr(item, field) == typed
        assert changed(coordinator, item, protocol_name="BRAIN").redirect_chain  # it is not asked again

    @pytest.mark.parametrize("name", ["van der Berg^Anna", "Doe", "^John Q", "=山田 太郎"])
    def test_other_names_are_not_asked_about(self, coordinator: Client, name: str) -> None:
        assert "_is_family_name" not in shown(coordinator, ADD)
        assert added(coordinator, **typed_name("patient_name", name)).redirect_chain
        assert WorklistItem.objects.get().patient_name == name

    def test_what_was_said_of_a_name_stays_while_another_field_is_mended(self, coordinator: Client) -> None:
        said_so = {"patient_name_family": "van der Berg", "patient_name_is_family_name": "on"}
        response = added(coordinator, **said_so, modality="mri")
        assert errors_in(response) == {"modality": ["Did you mean MR?"]}
        assert 'id="id_patient_name_is_family_name" checked' in response.content.decode()


class TestNamesForPeople:
    @pytest.mark.acceptance("D165")
    def test_pages_show_a_name_as_people_read_it_and_the_scanner_and_the_api_have_dicoms(
        self, coordinator: Client, bob: User
    ) -> None:
        item = an_item(patient_name="Tremblay^Zoë", requesting_physician="Lee^Ann")
        intake.change(item, {"patient_name": "Tremblay^Zoé"}, actor="alice")
        device = Device(ae_title="MR1")
        device.save_as("alice")
        history = reverse("admin:worklist_worklistitem_history", args=[item.pk])
        for page in (
            reverse("admin:index"),
            reverse(LIST),
            history,
            reverse("admin:worklist_worklistitem_delete", args=[item.pk]),
            reverse("admin:worklist_worklistitem_missing", args=[item.pk]),
            reverse("admin:worklist_device_preview") + "?device=MR1",
        ):
            text = shown(coordinator, page)
            assert "Tremblay, Zo" in text, page
            assert "Tremblay^Zo" not in text.partition("<details>")[0], page
        assert "Tremblay, Zoë" in shown(coordinator, history)
        as_sent = shown(coordinator, change_url(item)).partition('<pre class="dataset"')[2]
        assert "Tremblay^Zoé" in as_sent.partition("</pre>")[0]
        answer = client_of(bob).get(f"/worklist/{item.pk}")
        assert answer.json()["patient_name"] == "Tremblay^Zoé"

    @pytest.mark.acceptance("D165")
    def test_who_may_not_change_a_name_reads_it(self, client: Client, charlie: User, bob: User) -> None:
        item = reported.an_item(patient_name="Doe^Jon", requesting_physician="Lee^Ann")
        reported.reported(begun(item))
        for user, physician in ((charlie, "Lee, Ann"), (bob, 'value="Lee"')):
            client.force_login(user)
            text = shown(client, change_url(item))
            assert '<div class="readonly">Doe, Jon</div>' in text
            assert physician in text
            assert "patient_name_family" not in text


class TestDates:
    @pytest.mark.acceptance("D162")
    def test_a_stored_date_stands_in_words_beside_its_field(self, coordinator: Client) -> None:
        item = an_item(patient_birth_date="20150312", scheduled_start_date="20240229")
        page = shown(coordinator, change_url(item))
        assert '<span class="in-words" aria-live="polite">Thursday, 12 March 2015</span>' in page
        assert "Thursday, 29 February 2024 <strong" in page

    @pytest.mark.acceptance("D161", "D162")
    def test_a_form_takes_its_three_forms_and_says_so_of_others(self, coordinator: Client) -> None:
        name = typed_name("patient_name", "Doe^John")
        for typed in ("2015-03-12", "20150312", "12 Mar 2015"):
            assert added(coordinator, **name, patient_birth_date=typed).redirect_chain
        born = set(WorklistItem.objects.values_list("patient_birth_date", flat=True))
        assert born == {date(2015, 3, 12)}
        response = added(coordinator, **name, patient_birth_date="12/03/2015")
        assert errors_in(response) == {
            "patient_birth_date": ["Write the date as 2015-03-12, 20150312 or 12 Mar 2015."]
        }
        assert 'value="12/03/2015"' in response.content.decode()

    @pytest.mark.acceptance("D161", "D162")
    def test_rescheduling_takes_the_same_forms(self, coordinator: Client) -> None:
        item = an_item()
        page = act(coordinator, "reschedule_items", [item], confirmed="1", scheduled_start_date="01/02/2099")
        assert "Write the date as 2015-03-12" in page.content.decode()
        act(coordinator, "reschedule_items", [item], confirmed="1", scheduled_start_date="1 Feb 2099")
        item.refresh_from_db()
        assert item.scheduled_start_date == date(2099, 2, 1)

    def test_the_calendar_of_the_admin_writes_a_form_that_is_taken(self, coordinator: Client) -> None:
        catalogue = shown(coordinator, reverse("admin:jsi18n"))
        formats = catalogue.partition('"DATE_INPUT_FORMATS": [')[2].partition("]")[0]
        assert formats.split()[0] == '"%Y-%m-%d",'

    def test_a_day_is_asked_for_in_a_preview_as_it_is_typed_elsewhere(self, coordinator: Client) -> None:
        an_item(scheduled_start_date="20990201")
        preview = reverse("admin:worklist_device_preview")
        for typed in ("1 Feb 2099", "2099-02-01", "20990201", "20990131-20990201"):
            asked = {"device": "MR1", "ScheduledProcedureStepStartDate": typed}
            assert "Doe, John · P1" in coordinator.post(preview, asked).content.decode()
        wrong = coordinator.post(preview, {"device": "MR1", "ScheduledProcedureStepStartDate": "01/02/2099"})
        assert "The query fails" in wrong.content.decode()


class TestChoices:
    @pytest.mark.acceptance("D166")
    def test_what_devices_and_items_have_is_offered_and_anything_else_is_taken(
        self, coordinator: Client
    ) -> None:
        Device(ae_title="MR9", modality="MR").save_as("alice")
        Device(ae_title=Device.ANY).save_as("alice")
        an_item(scheduled_station_aetitle="MR1\\MR2", protocol_name="BRAIN", modality="9T")
        an_item(protocol_name="BRAIN", hisris_coding_designator="GEHC")
        an_item(protocol_name="KNEE")
        lists = {each.id: [offered.value for offered in each.values] for each in choices.datalists()}
        assert lists["modalities"][:2] == ["MR", "9T"]
        assert "CT" in lists["modalities"]
        assert lists["device-titles"] == ["MR9", "MR1", "MR2"]
        assert lists["protocol-names"] == ["BRAIN", "KNEE"]
        assert lists["coding-schemes"] == ["GEHC"]
        page = shown(coordinator, ADD)
        for id_ in choices.DATALISTS.values():
            assert f'list="{id_}"' in page
            assert f'<datalist id="{id_}"' in page
        assert '<option value="MR9" data-device>' in page
        assert '<option value="MR1">' in page
        typed = typed_name("patient_name", "Doe^John")
        assert added(coordinator, **typed, protocol_name="New", modality="my_own").redirect_chain

    @pytest.mark.acceptance("D166")
    def test_the_cost_is_bounded_whatever_the_number_of_items(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choices, "NEWEST", 4)
        monkeypatch.setattr(choices, "MOST", 3)
        for number in range(6):
            an_item(protocol_name=f"P{number}", scheduled_station_aetitle=f"S{number}")
        lists = {each.id: [offered.value for offered in each.values] for each in choices.datalists()}
        assert lists["protocol-names"] == ["P5", "P4", "P3"]
        assert lists["device-titles"] == ["S5", "S4", "S3"]
        assert queries_of(choices.datalists) == 3


class TestPointedOut:
    @pytest.mark.acceptance("D168")
    def test_an_unknown_station_and_a_past_day_are_told_after_saving(self, coordinator: Client) -> None:
        Device(ae_title="MR1").save_as("alice")
        response = added(
            coordinator,
            **typed_name("patient_name", "Doe^John"),
            scheduled_start_date="29 Feb 2024",
            scheduled_station_aetitle="MR1\\MRX",
        )
        assert said(response)[1:] == [
            "Thursday, 29 February 2024 has passed.",
            "MRX: No scanner has this AE title: check its spelling, or add the scanner.",
        ]
        item = WorklistItem.objects.get()
        assert item.stations == ["MR1", "MRX"]
        assert len(said(changed(coordinator, item, protocol_name="BRAIN"))) == 1  # of what was changed alone

    def test_a_known_station_and_a_coming_day_are_nothing_to_tell(self, coordinator: Client) -> None:
        Device(ae_title="MR1").save_as("alice")
        Device(ae_title="GATEWAY", station_ae_titles="MR2").save_as("alice")
        tomorrow = timezone.localdate() + timedelta(days=1)
        typed = {"scheduled_start_date": f"{tomorrow}", "scheduled_station_aetitle": "MR1\\MR2"}
        assert len(said(added(coordinator, **typed_name("patient_name", "Doe^John"), **typed))) == 1
