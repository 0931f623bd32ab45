"""Identifying fields come in once an administrator agreed, and never by a pseudonymous source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sources.config_import import import_config
from sources.mapping import check, identifying
from sources.mapping.identifying import Marks
from sources.mapping.rules import Level, MappingPlan, Policy, Rule
from sources.models import (
    DataSource,
    HowAgreed,
    IdentifyingAgreement,
    KnownDictionary,
    MappingRule,
    RunOutcome,
)
from sources.models.identifying import latest
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import MakeSource, items, pull
from tests.sources.projects import RECORD, a_dictionary, a_field, a_plan
from tests.sources.source_pages import page_of
from tests.sources.study import RULES, participant
from worklist.models import WorklistItem

FIELDS = (
    a_field("record_id", "enrolment"),
    a_field("study_id", "enrolment"),
    a_field("last_name", "enrolment", is_identifier=True),
    a_field("first_name", "enrolment", is_identifier=True),
    a_field("dob", "enrolment", validation="date_ymd", is_identifier=True),
    a_field("sex", "enrolment", "radio", choices={"1": "M", "2": "F"}),
    a_field("pets", "enrolment", "checkbox", choices={"1": "Cat"}, is_identifier=True),
    a_field("nickname", "enrolment", label="What do your friends call you?"),
    a_field("mother", "enrolment", label="Mother's surname"),
    a_field("clinic", "enrolment", is_identifier=True),
    a_field("mri_date", "mri", validation="date_ymd"),
    a_field("mri_time", "mri", validation="time"),
    a_field("mri_number", "mri"),
    a_field("notes", "mri", "notes"),
)
DICTIONARY = a_dictionary(*FIELDS, repeating={("", "mri")})
BIRTH_DATE = Rule("patient_birth_date", "dob", level=RECORD)
ID = Rule("patient_name", level=RECORD, transforms="template {study_id}")


def found(plan: MappingPlan) -> str:
    return identifying.in_words(identifying.uses(plan, Marks.of(DICTIONARY)))


@pytest.mark.acceptance("H114")
@pytest.mark.parametrize(
    ("rules", "told"),
    [
        pytest.param((ID,), "", id="none"),
        pytest.param((), "first_name and last_name into patient_name", id="in a template"),
        pytest.param((ID, BIRTH_DATE), "dob into patient_birth_date", id="a field"),
        pytest.param(
            (ID, Rule("PatientComments", "pets___1", level=RECORD)),
            "pets into PatientComments",
            id="a column",
        ),
        pytest.param(
            (ID, Rule("PatientComments", "notes", transforms="else last_name")),
            "last_name into PatientComments",
            id="an alternative",
        ),
        pytest.param(
            (
                Rule("patient_name", level=RECORD, transforms="template {study_id}_{who}"),
                Rule("{who}", level=RECORD, transforms="template {short}"),
                Rule("{short}", "last_name", level=RECORD, transforms="characters 1-2"),
            ),
            "last_name into patient_name",
            id="by way of named values",
        ),
        pytest.param(
            (Rule("{a}", "dob", transforms="template {b}"), Rule("{b}", transforms="template {a}"), ID),
            "",
            id="a named value that nothing uses, in a circle",
        ),
    ],
)
def test_identifying_fields_are_found_wherever_they_go(rules: tuple[Rule, ...], told: str) -> None:
    assert found(a_plan(*rules)) == told


@pytest.mark.acceptance("H114")
def test_the_record_id_counts_where_redcap_marks_it() -> None:
    marked = a_dictionary(a_field("record_id", "enrolment", is_identifier=True), *FIELDS[1:])
    plan = a_plan(Rule("patient_id", level=RECORD, transforms="template sub_{record}"), ID)

    assert identifying.in_words(identifying.uses(plan, Marks.of(marked))) == "record_id into patient_id"


# The yes


@pytest.fixture
def unasked(make_source: MakeSource, redcap: RedcapServer, project: Project) -> DataSource:
    """Make a source whose mapping nobody has agreed to."""
    participant(project, "P-001")
    source = make_source(redcap)
    IdentifyingAgreement.objects.all().delete()
    return source


@pytest.fixture
def agreed(unasked: DataSource, redcap: RedcapServer, admin_client: Client) -> Iterator[DataSource]:
    pull(unasked)
    admin_client.post(agree_at(unasked), {"seen": seen_on(admin_client, unasked)})
    yield unasked


def agree_at(source: DataSource) -> str:
    return reverse("admin:sources_datasource_agree", args=[source.pk])


def seen_on(client: Client, source: DataSource) -> str:
    found = client.get(page_of(source)).context["identifying"].seen
    return str(found)


@pytest.mark.acceptance("H115")
def test_nothing_is_pulled_before_an_administrator_agreed(
    unasked: DataSource, redcap: RedcapServer, admin_client: Client
) -> None:
    run = pull(unasked)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert "first_name and last_name into patient_name" in run.message
    assert not [each for each in redcap.requests if each.content == "record"]
    assert not items(unasked)
    page = admin_client.get(page_of(unasked)).content.decode()
    assert "first_name and last_name into patient_name" in page


@pytest.mark.acceptance("H115")
def test_a_yes_is_kept_with_who_when_and_which_fields_and_pulls_go_on(agreed: DataSource) -> None:
    assert pull(agreed).outcome == RunOutcome.OK
    assert items(agreed)
    kept = latest(agreed)
    assert kept is not None
    assert (kept.how, kept.agreed_by) == (HowAgreed.PERSON, "admin")
    assert ["last_name", "patient_name"] in (kept.uses or [])
    assert "last_name" in LogEntry.objects.get().change_message


@pytest.mark.acceptance("H115")
def test_it_is_asked_again_when_the_fields_grow_and_not_when_they_become_fewer(
    agreed: DataSource, project: Project
) -> None:
    fewer = tuple(rule for rule in RULES if rule.target != "patient_birth_date")
    for position, rule in enumerate((*fewer, Rule("MedicalAlerts", "dob", level=Level.RECORD))):
        if position == 0:
            agreed.rules.all().delete()
        MappingRule.objects.create(source=agreed, position=position, **MappingRule.columns_of_rule(rule))

    assert "dob into MedicalAlerts." in pull(agreed, full=True).message
    agreed.rules.filter(target="MedicalAlerts").delete()
    assert pull(agreed, full=True).outcome == RunOutcome.OK


@pytest.mark.acceptance("H115")
@pytest.mark.parametrize("seen", ["", "0" * 64])
def test_a_yes_to_other_fields_than_were_shown_is_refused(
    unasked: DataSource, admin_client: Client, seen: str
) -> None:
    pull(unasked)

    admin_client.post(agree_at(unasked), {"seen": seen})

    assert latest(unasked) is None


@pytest.mark.acceptance("H115")
def test_nobody_but_an_administrator_may_agree(unasked: DataSource, client: Client, bob: Any) -> None:
    client.force_login(bob)  # a coordinator, who may preview and pull

    assert client.post(agree_at(unasked), {"seen": "0" * 64}).status_code == 403
    assert latest(unasked) is None


@pytest.mark.acceptance("H116")
def test_what_was_there_before_goes_on_and_is_to_be_confirmed(
    unasked: DataSource, admin_client: Client
) -> None:
    IdentifyingAgreement.objects.create(source=unasked, how=HowAgreed.UPGRADE, agreed_by="upgrade")

    assert pull(unasked).outcome == RunOutcome.OK

    kept = latest(unasked)
    assert kept is not None
    assert ["last_name", "patient_name"] in (kept.uses or [])
    assert "is asked to confirm it" in admin_client.get(page_of(unasked)).content.decode()
    set_rules_alone(unasked, (*RULES, Rule("MedicalAlerts", "last_name", level=Level.RECORD)))
    assert "last_name into MedicalAlerts." in pull(unasked, full=True).message


def set_rules_alone(source: DataSource, rules: tuple[Rule, ...]) -> None:
    source.rules.all().delete()
    for position, rule in enumerate(rules):
        MappingRule.objects.create(source=source, position=position, **MappingRule.columns_of_rule(rule))


@pytest.mark.acceptance("H116")
@pytest.mark.django_db(transaction=True)
def test_the_upgrade_agrees_for_sources_that_have_a_mapping() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("sources", "0012_what_a_source_names_of_its_machine")])
    apps = executor.loader.project_state([("sources", "0012_what_a_source_names_of_its_machine")]).apps
    old = apps.get_model("sources", "DataSource")
    mapped = old.objects.create(name="mapped", url="https://r.invalid/api/", server_timezone="UTC")
    old.objects.create(name="empty", url="https://r.invalid/api/", server_timezone="UTC")
    for target in ("patient_id", "patient_name"):
        apps.get_model("sources", "MappingRule").objects.create(source=mapped, target=target)

    content = json.loads(json.dumps(DICTIONARY.to_json(), default=dict))
    apps.get_model("sources", "KnownDictionary").objects.create(
        source=mapped, content=content, read_at=timezone.now()
    )

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    assert KnownDictionary.objects.get().identifier_marks == Marks.of(DICTIONARY).to_json()
    (made,) = IdentifyingAgreement.objects.all()
    assert (made.source.name, made.how, made.uses) == ("mapped", HowAgreed.UPGRADE, None)


@pytest.mark.acceptance("H116")
@pytest.mark.django_db
def test_who_brings_a_configuration_agrees_and_is_named(redcap: RedcapServer) -> None:
    entry = {
        "name": "imported",
        "config": {"api_url": redcap.url, "api_token": TOKEN, "server_timezone": "America/Edmonton"},
        "field_mapping": {
            "study_id": "patient_id",
            "last_name": "patient_name",
            "mri_date": "scheduled_start_date",
            "mri_time": "scheduled_start_time",
        },
    }

    import_config({"data_sources": [entry]}, actor="carol")

    kept = latest(DataSource.objects.get())
    assert kept is not None
    assert (kept.how, kept.agreed_by) == (HowAgreed.IMPORT, "carol")
    assert kept.uses is None or ["last_name", "patient_name"] in kept.uses


# The policy


def refused(*rules: Rule, known: bool = True) -> dict[str, str]:
    plan = a_plan(*rules, is_pseudonymous=True, constants={"site_id": "792"})
    wrong = check.mistakes(plan, DICTIONARY if known else None)
    return {plan.rules[mistake.rule].target: mistake.text for mistake in wrong if mistake.rule is not None}


@pytest.mark.acceptance("H117")
@pytest.mark.parametrize(
    "rules",
    [
        pytest.param((ID,), id="the ID for the name"),
        pytest.param((Rule("patient_name", "study_id", level=RECORD),), id="its field"),
        pytest.param((Rule("patient_name", level=RECORD, transforms="template P{record}"),), id="the record"),
        pytest.param(
            (Rule("patient_name", level=RECORD, transforms="template Anon{site_id}_{record}"),),
            id="a constant, too",
        ),
        pytest.param((ID, Rule("patient_sex", "sex", level=RECORD, transforms="codes 1=M, 2=F")), id="sex"),
        pytest.param((ID, Rule("PatientComments", "notes")), id="comments"),
    ],
)
def test_a_pseudonymous_source_has_ids_for_names(rules: tuple[Rule, ...]) -> None:
    assert refused(*rules) == {}


@pytest.mark.acceptance("H117")
@pytest.mark.parametrize(
    ("rules", "target"),
    [
        pytest.param((), "patient_name", id="true names"),
        pytest.param((Rule("patient_name", "nickname", level=RECORD),), "patient_name", id="any other field"),
        pytest.param((Rule("patient_name", "mri_number"),), "patient_name", id="a number that is no ID"),
        pytest.param((ID, BIRTH_DATE), "patient_birth_date", id="birth date"),
        pytest.param(
            (ID, Rule("patient_birth_date", "dob", level=RECORD, transforms="year only 0101")),
            "patient_birth_date",
            id="the first of January",
        ),
        pytest.param((ID, Rule("PatientBirthTime", "mri_time")), "PatientBirthTime", id="birth time"),
        pytest.param(
            (ID, Rule("PatientBirthName", "study_id", level=RECORD)), "PatientBirthName", id="birth name"
        ),
        pytest.param((ID, Rule("PatientAddress", "notes")), "PatientAddress", id="address"),
        pytest.param(
            (ID, Rule("PatientComments", "last_name", level=RECORD)), "PatientComments", id="a name elsewhere"
        ),
        pytest.param(
            (ID, Rule("station_name", "clinic", level=RECORD)), "station_name", id="what REDCap marks"
        ),
        pytest.param(
            (ID, Rule("patient_id", "last_name", level=RECORD)), "patient_id", id="a name as the ID"
        ),
        pytest.param((ID, Rule("patient_id", "mother", level=RECORD)), "patient_id", id="by its label"),
        pytest.param((ID, Rule("patient_id", "dob", level=RECORD)), "patient_id", id="a date as the ID"),
        pytest.param(
            (ID, Rule("patient_id", level=RECORD, transforms="template {study_id}_{x}"), Rule("{x}", "dob")),
            "patient_id",
            id="by way of a named value",
        ),
    ],
)
def test_what_tells_who_somebody_is_is_refused_by_its_row(rules: tuple[Rule, ...], target: str) -> None:
    assert "pseudonymous" in refused(*rules)[target]


@pytest.mark.acceptance("H117")
def test_a_birth_date_is_refused_before_the_project_is_known_and_by_no_other_policy() -> None:
    assert "would be made up" in refused(ID, BIRTH_DATE, known=False)["patient_birth_date"]
    assert check.mistakes(a_plan(BIRTH_DATE), DICTIONARY) == ()


@pytest.mark.acceptance("H118")
def test_a_pull_of_a_pseudonymous_source_refuses_the_row_by_name(
    make_source: MakeSource, redcap: RedcapServer
) -> None:
    source = make_source(redcap)
    assert pull(source).outcome == RunOutcome.OK
    before = WorklistItem.objects.count()
    source.identity_policy = Policy.PSEUDONYMOUS
    source.save_with_details("alice")

    run = pull(source, full=True)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert "Row patient_name: The source is pseudonymous" in run.message
    assert WorklistItem.objects.count() == before


@pytest.mark.acceptance("H118")
def test_a_pseudonymous_source_is_pulled_with_ids(
    make_source: MakeSource, redcap: RedcapServer, project: Project
) -> None:
    rules = tuple(rule for rule in RULES if rule.target not in ("patient_name", "patient_birth_date"))
    participant(project, "P-001")
    own = next(rule for rule in RULES if rule.target == "patient_id")
    source = make_source(
        redcap, (*rules, replace(own, target="patient_name")), identity_policy=Policy.PSEUDONYMOUS
    )

    assert pull(source).outcome == RunOutcome.OK

    made = items(source)
    assert made
    assert all(item.patient_name == patient_id for patient_id, item in made.items())
    assert not any(item.patient_birth_date for item in made.values())
