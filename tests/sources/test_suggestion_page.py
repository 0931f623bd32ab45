"""A person sees what a suggestion could take for each target, with a sample, and chooses.

Not here: which fields are found, and which are taken (test_suggest.py and test_suggested_dictionaries.py);
taking a suggestion as it is (test_admin_buttons.py).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import roles
from accounts.models import User
from sources.admin import suggestion as pages
from sources.dictionary import Dictionary
from sources.mapping.rules import Rule
from sources.mapping.suggest import suggest
from sources.mapping.suggestion.proposals import Suggestion
from sources.models import DataSource, KnownDictionary, MappingRule
from tests.redcap.dictionary import field
from tests.redcap.failures import Failure
from tests.redcap.project import Project
from tests.redcap.project import User as TokenUser
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import MakeSource
from tests.sources.study import day
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db

BORN = "2014-07-23"
SHOWN = [BORN, "Tremblay, Zoë", "31.75"]


@pytest.fixture
def project() -> Project:
    """Make a project where more than one field could be meant."""
    fields = [
        field("record_id", "enrolment"),
        field("last_name", "enrolment"),
        field("first_name", "enrolment"),
        field("dob", "enrolment", validation="date_ymd"),
        field("sex_at_birth", "enrolment", "radio", choices="1, Male | 2, Female"),
        field("gender", "enrolment", "radio", choices="1, Male | 2, Female"),
        field("visit_date", "visit", validation="date_ymd"),
        field("mri_date", "mri", validation="date_ymd"),
        field("mri_time", "mri", validation="time"),
        field("weight_kg", "mri", validation="number"),
    ]
    project = Project(77, "A small study", fields, repeating={("", "mri")}, tz="America/Edmonton")
    project.users[TOKEN] = TokenUser("pylantir")
    return project


@pytest.fixture
def record(project: Project) -> str:
    born: dict[str, Any] = {"dob": BORN, "sex_at_birth": "2"}
    project.save("P-1", visit_date=day(1), last_name="Tremblay", first_name="Zoë", **born)
    project.save("P-1", instrument="mri", instance=1, mri_date=day(2), mri_time="09:30", weight_kg="31.75")
    project.save("P-2", last_name="Doe")
    return "P-1"


@pytest.fixture
def source(make_source: MakeSource, redcap: RedcapServer) -> DataSource:
    return make_source(redcap, rules=(), session_instrument="")


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def url_of(source: DataSource, button: str = "suggest") -> str:
    return reverse(f"admin:sources_datasource_{button}", args=[source.pk])


def shown(client: Client, source: DataSource, **given: str) -> Any:
    return client.post(url_of(source), given)


def candidates(response: Any) -> dict[str, list[str]]:
    """Return the keys of each target's candidates, as the page has them."""
    return {
        each.proposal.target: [shown.candidate.key for shown in each.candidates]
        for each in response.context["proposals"]
    }


def key_of(response: Any, target: str, name: str) -> str:
    return next(key for key in candidates(response)[target] if name in key)


def taken(client: Client, source: DataSource, response: Any, **chosen: str) -> Any:
    """Take what was shown, but for the candidates of the targets named."""
    given = {f"candidate-{target}": key for target, key in chosen.items()}
    seen = response.context["seen"]
    return client.post(url_of(source), {"take": "yes", "seen": seen, **given}, follow=True)


def rows(source: DataSource) -> dict[str, str]:
    return {rule.target: rule.field for rule in source.rules.all()}


def said(response: Any) -> str:
    return " ".join(map(str, response.context["messages"]))


@pytest.mark.acceptance("RC128")
def test_each_candidate_has_its_reason_and_a_sample_and_the_best_is_taken(
    admin: Client, source: DataSource, record: str
) -> None:
    response = shown(admin, source)

    content = response.content.decode()
    by_target = {each.proposal.target: each for each in response.context["proposals"]}
    first, second = by_target["patient_sex"].candidates
    assert (first.is_taken, second.is_taken) == (True, False)
    assert first.candidate.score > second.candidate.score
    for each in (first, second):
        assert each.candidate.reason in content
    [sample] = first.samples
    assert (sample.raw, sample.value, sample.filled, sample.records) == ("2", "F", 1, 2)
    assert second.samples[0].filled == 0
    assert "Empty in the first 2 records." in content
    for value in SHOWN:
        assert f"<strong>{value}</strong>" in content
    assert rows(source) == {}


@pytest.mark.acceptance("RC129")
def test_sample_values_are_on_the_page_alone(
    admin: Client, source: DataSource, record: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = shown(admin, source)

    content = response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    inputs = [part.split(">")[0] for part in content.split("<input")[1:]]
    kept = [
        caplog.text,
        str([session.get_decoded() for session in Session.objects.all()]),
        str(list(KnownDictionary.objects.values())),
        str(list(DataSource.history.values())),
        str(response.cookies),
        *inputs,
    ]
    for value in SHOWN:
        assert value in content
        assert [text for text in kept if value in text] == []
    assert not WorklistItem.objects.exists()


@pytest.mark.acceptance("RC128")
def test_a_second_choice_is_taken_in_place_of_the_first(
    admin: Client, source: DataSource, record: str
) -> None:
    response = shown(admin, source)
    taken(admin, source, response, patient_sex=key_of(response, "patient_sex", "gender"))

    assert rows(source)["patient_sex"] == "gender"
    assert rows(source)["patient_birth_date"] == "dob"


@pytest.mark.acceptance("RC128")
def test_a_target_may_be_left_open(admin: Client, source: DataSource, record: str) -> None:
    taken(admin, source, shown(admin, source), patient_sex="")

    assert "patient_sex" not in rows(source)
    assert "patient_birth_date" in rows(source)


def test_another_date_moves_the_sessions_and_is_shown_before_it_is_taken(
    admin: Client, source: DataSource, record: str
) -> None:
    response = shown(admin, source)
    other = key_of(response, "scheduled_start_date", "visit_date")
    again = taken(admin, source, response, scheduled_start_date=other)

    assert rows(source) == {}
    assert "look at it again" in said(again)
    assert again.context["sessions"] == "One for each record."
    [date] = [each for each in again.context["proposals"] if each.proposal.target == "scheduled_start_date"]
    assert [each.candidate.key for each in date.candidates if each.is_taken] == [other]

    taken(admin, source, again, scheduled_start_date=other)
    source.refresh_from_db()
    assert rows(source)["scheduled_start_date"] == "visit_date"
    assert source.redcap.session_kind == "record"


@pytest.mark.acceptance("RC129")
def test_who_may_not_pull_sees_candidates_without_samples(
    client: Client,
    bob: User,
    source: DataSource,
    record: str,
    redcap: RedcapServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    editor = frozenset({"sources.view_datasource", "sources.change_datasource"})
    monkeypatch.setitem(roles.PERMISSIONS, roles.Role.WRITE, editor)
    client.force_login(bob)
    response = shown(client, source)

    content = response.content.decode()
    assert "dob" in content
    assert "Sample values are shown to who may pull from the source." in content
    assert not any(value in content for value in SHOWN)
    assert "record" not in [asked.content for asked in redcap.requests]


@pytest.mark.acceptance("RC129")
@pytest.mark.parametrize("permission", ["sources.pull_datasource", "sources.view_datasource"])
def test_who_may_not_change_the_source_sees_no_suggestion(
    client: Client, bob: User, source: DataSource, permission: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = frozenset({"sources.view_datasource", permission})
    monkeypatch.setitem(roles.PERMISSIONS, roles.Role.WRITE, held)
    client.force_login(bob)

    assert shown(client, source).status_code == 403


@pytest.mark.acceptance("RC130")
def test_a_server_out_of_reach_leaves_the_candidates_and_says_why(
    admin: Client, source: DataSource, record: str, redcap: RedcapServer
) -> None:
    assert admin.post(url_of(source), follow=True).status_code == 200
    redcap.close()
    response = shown(admin, source)

    assert "Without sample values: " in response.content.decode()
    assert "dob" in response.content.decode()
    assert response.context["samples"].by_candidate == {}
    taken(admin, source, response)
    assert rows(source)["patient_birth_date"] == "dob"


@pytest.mark.acceptance("RC130")
def test_a_server_out_of_reach_whose_project_is_unknown_is_refused_with_the_reason(
    admin: Client, source: DataSource, redcap: RedcapServer
) -> None:
    redcap.close()
    response = admin.post(url_of(source), follow=True)

    assert said(response)
    assert response.redirect_chain


@pytest.mark.acceptance("RC130")
def test_records_that_cannot_be_read_leave_the_candidates_and_say_why(
    admin: Client, source: DataSource, record: str, redcap: RedcapServer
) -> None:
    redcap.fail(Failure.NOT_IMPLEMENTED_501, times=50, content="record")
    response = shown(admin, source)

    assert response.context["samples"].why_not
    assert "gender" in response.content.decode()


def test_a_project_without_records_says_so(admin: Client, source: DataSource) -> None:
    assert "There is no record." in shown(admin, source).content.decode()


def test_what_a_record_holds_is_shown_as_text(admin: Client, source: DataSource, project: Project) -> None:
    project.save("<i>P-1", last_name="Doe", first_name="<script>alert(1)</script>")

    content = shown(admin, source).content.decode()
    assert "<script>alert(1)" not in content
    assert "&lt;i&gt;P-1 → <strong>nothing</strong>" in content
    assert "An identifier cannot have &lt; or &gt; in it." in content


@pytest.mark.acceptance("RC131")
def test_what_a_check_refuses_is_not_taken(
    admin: Client, source: DataSource, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contradicting(dictionary: Dictionary, **options: Any) -> Suggestion:
        found = suggest(dictionary, **options)
        twice = (*found.plan.rules, Rule("patient_sex", "gender"))
        return Suggestion(replace(found.plan, rules=twice), found.remarks, found.proposals)

    monkeypatch.setattr(pages, "suggest", contradicting)
    response = taken(admin, source, shown(admin, source))

    assert rows(source) == {}
    assert "does not go together" in said(response)
    assert "Another rule has patient_sex already." in response.content.decode()


class TestASuggestionWithoutADate:
    @pytest.fixture
    def project(self) -> Project:
        fields = [
            field("record_id", "enrolment"),
            field("last_name", "enrolment"),
            field("first_name", "enrolment"),
            field("dob", "enrolment", validation="date_ymd"),
        ]
        project = Project(77, "A small study", fields, tz="America/Edmonton")
        project.users[TOKEN] = TokenUser("pylantir")
        project.save("P-1", last_name="Tremblay", first_name="Zoë", dob=BORN)
        return project

    @pytest.mark.acceptance("RC132")
    def test_is_taken_and_looked_at_and_says_what_it_lacks(self, admin: Client, source: DataSource) -> None:
        response = taken(admin, source, shown(admin, source))
        assert "Before it can pull: Nothing is mapped to scheduled_start_date" in said(response)

        preview = admin.post(url_of(source, "preview")).content.decode()
        assert "What has to be mended before it can pull" in preview
        assert "Nothing is mapped to scheduled_start_date or scheduled_start_datetime." in preview
        assert "<strong>Tremblay, Zoë</strong>" in preview
        assert f"<strong>{BORN}</strong>" in preview

        compared = admin.post(url_of(source, "compare"), follow=True)
        assert "Nothing is mapped to scheduled_start_date" in said(compared)

    @pytest.mark.acceptance("RC132")
    def test_leaves_a_wrong_row_and_what_needs_it_out_of_the_preview(
        self, admin: Client, source: DataSource, redcap: RedcapServer
    ) -> None:
        taken(admin, source, shown(admin, source))
        for target, name, transforms in [
            ("{family}", "familyid", ""),
            ("PatientComments", "", "template {family}"),
        ]:
            MappingRule.objects.create(
                source=source, target=target, field=name, transforms=transforms, level="record"
            )
        preview = admin.post(url_of(source, "preview")).content.decode()

        assert "Row {family}: The project has no field familyid." in preview
        assert f"<strong>{BORN}</strong>" in preview
        assert '<th scope="row">PatientComments</th>' not in preview
