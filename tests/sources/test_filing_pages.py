"""A person chooses how a source is filed, and looks at where its records would be.

Not here: the archives' rules and what presets render (test_filing.py).
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.admin import choose_filing
from sources.filing import presets
from sources.mapping.rules import Rule
from sources.models import DataSource, MappingRule, SyncIssue
from sources.sync.guards import Guarded
from tests.redcap.failures import Failure
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources import making
from tests.sources.conftest import MakeSource, only_item, pull, set_rules
from tests.sources.study import RULES, book, enrol, participant
from worklist.models import Device, WorklistItem

pytestmark = pytest.mark.django_db

PARTS = {"project": "BobsProj", "subject": "{record_id}", "session": "{record_id}_{instance}"}
COMMENTS = "Project:BobsProj Subject:P-1 Session:P-1_1"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def press(client: Client, source: DataSource, button: str, **given: str) -> Any:
    return client.post(reverse(f"admin:sources_datasource_{button}", args=[source.pk]), given, follow=True)


def choose(client: Client, source: DataSource, preset: str = "xnat_comments", **given: str) -> Any:
    return press(client, source, "choose_filing", preset=preset, **given)


def applied(client: Client, source: DataSource, preset: str = "xnat_comments", **given: str) -> Any:
    parts = {**PARTS, **given}
    seen = choose(client, source, preset, look="yes", **parts).context["seen"]
    return choose(client, source, preset, apply="yes", seen=seen, replace="on", **parts)


def said(response: Any) -> str:
    return " ".join(map(str, response.context["messages"]))


def row(source: DataSource, target: str) -> MappingRule:
    return source.rules.get(target=target)


@pytest.mark.acceptance("CL127")
class TestChoosing:
    def test_each_preset_is_shown_with_its_source_and_what_a_scanner_discards(
        self, admin: Client, source: DataSource
    ) -> None:
        page = press(admin, source, "choose_filing").content.decode()

        for preset in presets.PRESETS:
            assert preset.name.replace("'", "&#x27;") in page
            assert all(reference.url in page for reference in preset.references)
        assert page.count("GE MR: Patient Comments") == 2  # XNAT's and Flywheel's

    def test_its_parts_are_guessed_and_its_rows_shown_before_anything_is_done(
        self, admin: Client, source: DataSource
    ) -> None:
        asked = choose(admin, source)
        shown = choose(admin, source, look="yes", **PARTS)

        assert asked.context["form"].initial == {
            "subject": "{record_id}",
            "session": "{record_id}_{instance}",
        }
        [proposed] = shown.context["rows"]
        assert proposed.stored == row(source, "PatientComments")
        assert "Project:BobsProj Subject:{record_id} Session:{record_id}_{instance}" in (
            shown.content.decode().replace("&lt;", "<")
        )
        assert row(source, "PatientComments").field == "comment"

    def test_it_is_put_into_the_mapping_with_its_history_and_reaches_the_item(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        pull(source)
        before = {each.pk: each.as_rule() for each in source.rules.exclude(target="PatientComments")}
        response = applied(admin, source)
        stored = row(source, "PatientComments")
        newest = stored.history.first()
        source.state.refresh_from_db()

        assert "The rows are in the mapping" in said(response)
        assert (newest.history_user, newest.history_change_reason) == (
            "alice",
            "Filed as XNAT: Patient Comments",
        )
        assert {each.pk: each.as_rule() for each in source.rules.exclude(pk=stored.pk)} == before
        assert source.state.full_requested
        assert Guarded.ADDED in source.state.allowed

        pull(source)

        assert only_item(source).extra_attributes["PatientComments"] == COMMENTS
        assert press(admin, source, "filing").context["form"]["scheme"].value() == "xnat"

    def test_a_new_row_comes_last(self, admin: Client, source: DataSource) -> None:
        applied(admin, source, "xnat_custom")
        last = source.rules.last()

        assert last is not None
        assert (last.target, last.required) == ("study_description", True)

    def test_what_an_archive_could_not_read_is_kept_out_with_an_issue(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P.1")
        applied(admin, source)
        pull(source)

        assert not WorklistItem.objects.exists()
        [issue] = SyncIssue.objects.open()
        assert (issue.record, issue.target, issue.blocks) == ("P.1", "PatientComments", True)
        assert "P.1" not in issue.text

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"seen": "of other rows"}, "The rows are others by now"),
            ({"replace": ""}, "Tick the box"),
            ({"subject": "{nobody}"}, "The rows do not fit"),
        ],
    )
    def test_nothing_is_done_where_it_was_not_meant(
        self, admin: Client, source: DataSource, project: Project, given: dict[str, str], expected: str
    ) -> None:
        participant(project, "P-1")
        pull(source)
        parts = {**PARTS, **given}
        seen = choose(admin, source, look="yes", **parts).context["seen"]
        asked = {"apply": "yes", "seen": seen, "replace": "on", **parts}
        response = choose(admin, source, **{name: text for name, text in asked.items() if text})

        assert expected in said(response)
        assert row(source, "PatientComments").field == "comment"

    @pytest.mark.parametrize("given", [{"project": "Bob's"}, {"subject": "everybody"}, {"session": ""}])
    def test_a_part_that_cannot_be_is_refused_beside_it(
        self, admin: Client, source: DataSource, given: dict[str, str]
    ) -> None:
        response = choose(admin, source, look="yes", **{**PARTS, **given})

        assert set(response.context["form"].errors) == set(given)
        assert response.context["rows"] == []

    @pytest.mark.parametrize(
        ("own", "preset", "expected"),
        [
            (
                Rule("patient_id", transforms="template sub_{record_id}_{instance}"),
                "xnat_attributes",
                {"subject": "sub_{record_id}_{instance}", "session": "sub_{record_id}_{instance}"},
            ),
            (
                Rule("{session}", "weight"),
                "flywheel",
                {"subject": "{record_id}", "session": "ses-{session}"},
            ),
            (Rule("{session}", "weight"), "loris", {"pscid": "{record_id}", "visit": "{session}"}),
            (Rule("{session}", "weight"), "reproin", {}),
        ],
    )
    def test_guesses_are_read_off_the_mapping(
        self,
        source: DataSource,
        project: Project,
        own: Rule,
        preset: str,
        expected: dict[str, str],
    ) -> None:
        participant(project, "P-1")
        pull(source)
        set_rules(source, (*[rule for rule in RULES if rule.target != own.target], own))

        assert choose_filing.guesses(source, presets.BY_KEY[preset]) == expected

    def test_whoever_may_not_edit_a_source_chooses_nothing(
        self, client: Client, bob: User, source: DataSource
    ) -> None:
        client.force_login(bob)

        assert choose(client, source).status_code == 403
        assert press(client, source, "filing").status_code == 200
        page = client.get(reverse("admin:sources_datasource_change", args=[source.pk])).content.decode()
        assert ('name="_filing"' in page, 'name="_choose_filing"' in page) == (True, False)


FILED = Rule("PatientComments", transforms="template Project:P Subject:{record_id} Session:V{instance}")
BY_COMMENTS = (*[rule for rule in RULES if rule.target != "PatientComments"], FILED)


@pytest.mark.acceptance("CL128")
class TestWhereItWillBeFiled:
    @pytest.fixture
    def source(self, make_source: MakeSource, redcap: RedcapServer) -> DataSource:
        return make_source(redcap, rules=BY_COMMENTS)

    def test_each_session_is_shown_by_the_archives_own_rules(
        self, admin: Client, source: DataSource, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        participant(project, "P-1", "Secretname")
        caplog.set_level(logging.INFO)
        response = press(admin, source, "filing")
        [shown] = response.context["sessions"]

        assert [(part.label, part.attribute) for part in shown.parts] == [
            ("P", "Patient Comments"),
            ("P-1", "Patient Comments"),
            ("V1", "Patient Comments"),
        ]
        assert response.context["collisions"] == []
        assert "no-store" in response["Cache-Control"]
        assert not WorklistItem.objects.exists()
        assert "Secretname" not in caplog.text

    def test_what_is_filed_as_one_stands_on_top(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        participant(project, "P-2", "Other")
        response = press(admin, source, "filing")
        page = response.content.decode()

        [found] = response.context["collisions"]
        assert (found.of_records, found.place) == (False, "P / V1")
        assert [name.split(" ")[0] for name in found.sessions] == ["P-1", "P-2"]
        assert page.index("Several sessions are one, P / V1") < page.index("Project, subject and session")

    def test_a_scanner_that_discards_the_comments_is_told_and_what_is_left_is_filed(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        scanner = Device.objects.create(ae_title="MR1", vendor="GE", modality="MR", preset="ge_mr")
        other = Device.objects.create(ae_title="MR2", vendor="Siemens", modality="MR")
        making.change(source, scheduled_station_aetitle="MR1")
        response = press(admin, source, "filing")
        [shown] = response.context["sessions"]

        assert response.context["form"]["scanner"].value() == str(scanner.pk)
        assert response.context["losses"].missed == ["Patient Comments"]
        assert [part.label for part in shown.parts] == ["MR", "Doe_Jane", "P-1"]
        assert "2303347" in response.content.decode()

        response = press(admin, source, "filing", scheme="xnat", scanner=str(other.pk), records="1")

        assert "is not known here" in response.content.decode()
        assert [part.label for part in response.context["sessions"][0].parts] == ["P", "P-1", "V1"]

    def test_what_is_kept_out_is_counted_and_not_filed(
        self, admin: Client, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-1")
        enrol(project, "P-2")
        book(project, "P-2", mri_time="")
        response = press(admin, source, "filing")

        assert [shown.record for shown in response.context["sessions"]] == ["P-1"]
        assert response.context["kept_out"] == 1

    def test_a_source_that_does_not_answer_and_a_form_that_asks_too_much_lead_back(
        self, admin: Client, source: DataSource, redcap: RedcapServer
    ) -> None:
        asked = {"scheme": "xnat", "scanner": ""}

        assert "1 to 500" in said(press(admin, source, "filing", records="501", **asked))
        assert "Name an archive" in said(press(admin, source, "filing", records="1", scheme="none"))
        redcap.fail(Failure.NOT_IMPLEMENTED_501, times=50, content="record")
        assert "501" in said(press(admin, source, "filing"))

    @pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.key)
    def test_the_page_begins_with_the_archive_that_the_mapping_is_written_for(
        self, admin: Client, source: DataSource, project: Project, preset: presets.FilingPreset
    ) -> None:
        participant(project, "P-1")
        set_rules(source, RULES)
        given = {part.name: part.example.replace("{study_id}", "{record_id}") for part in preset.parts}
        for rule in presets.rules(preset, given):
            source.rules.filter(target=rule.target).delete()
            MappingRule.objects.create(source=source, position=99, **MappingRule.columns_of_rule(rule))
        if any("{session}" in text for text in given.values()):
            MappingRule.objects.create(source=source, position=98, target="{session}", field="weight")

        assert press(admin, source, "filing").context["form"]["scheme"].value() == preset.scheme
