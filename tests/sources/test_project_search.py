"""A source's page stays small whatever its project, for fields are searched by an endpoint of the admin.

Not here: what a text finds (test_field_search.py), and the list under the input
(test_admin_source_browser.py).
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from sources.kinds import dictionary_of
from sources.models import DataSource, KnownDictionary
from tests.admin_pages import queries_of
from tests.redcap.server import RedcapServer
from tests.sources import making
from tests.sources.projects import a_dictionary, a_field
from tests.sources.source_pages import page_of, save

pytestmark = pytest.mark.django_db

FIELDS = 40_000
MOST_BYTES = 300_000


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def url_of(source: DataSource, kind: str = "fields") -> str:
    return reverse(f"admin:sources_datasource_{kind}", args=[source.pk])


def make_large(source: DataSource, fields: int = FIELDS) -> None:
    """Let the source's project have so many fields, in a thousand instruments, and a hundred events."""
    many = [
        a_field(
            f"question_{number}", f"instrument_{number % 1000}", label=f"How often did it occur ({number})?"
        )
        for number in range(fields)
    ]
    events = {f"month_{number}_arm_1": ["instrument_0"] for number in range(100)}
    dictionary = a_dictionary(a_field("record_id", "instrument_0"), *many, events=events)
    KnownDictionary.keep(source, dictionary, read_at=timezone.now())


@pytest.mark.acceptance("RC126")
def test_the_page_of_a_project_with_40000_fields_is_small_and_lists_none(
    admin: Client, source: DataSource, redcap: RedcapServer
) -> None:
    unknown = queries_of(lambda: admin.get(page_of(source)))
    make_large(source)
    content = admin.get(page_of(source)).content

    assert len(content) < MOST_BYTES
    assert b"question_" not in content
    assert b"instrument_" not in content
    assert b"month_99" not in content
    assert b"and 80 more" in content
    assert queries_of(lambda: admin.get(page_of(source))) == unknown
    assert redcap.requests == []


@pytest.mark.acceptance("RC126")
def test_no_page_reads_the_whole_project_to_show_a_source(admin: Client, source: DataSource) -> None:
    make_large(source, fields=1)
    KnownDictionary.objects.update(content={"unreadable": True})  # whoever reads it fails

    for url in (page_of(source), reverse("admin:sources_datasource_changelist"), reverse("admin:index")):
        assert admin.get(url).status_code == 200
    assert admin.get(url_of(source), {"q": "question"}).json()["found"]


@pytest.mark.acceptance("RC127")
def test_a_field_is_answered_with_what_a_person_chooses_it_by(admin: Client, source: DataSource) -> None:
    dictionary_of(source)
    answer = admin.get(url_of(source), {"q": "sex"})

    assert answer.headers["Content-Type"] == "application/json"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.json() == {
        "is_known": True,
        "found": [
            {
                "name": "sex",
                "label": "Sex",
                "form": "enrolment",
                "type": "radio",
                "choices": "1=Male, 2=Female, 3=Other",
            }
        ],
        "has_more": False,
    }
    [instrument] = admin.get(url_of(source, "instruments"), {"q": "mr"}).json()["found"]
    assert instrument["name"] == "mri"


@pytest.mark.acceptance("RC127")
def test_at_most_twenty_are_answered_and_that_there_are_more(admin: Client, source: DataSource) -> None:
    make_large(source, fields=100)
    answer = admin.get(url_of(source), {"q": "question"}).json()

    assert len(answer["found"]) == 20
    assert answer["has_more"]


def test_a_project_that_is_not_known_yet_is_told_so(admin: Client, source: DataSource) -> None:
    assert admin.get(url_of(source), {"q": "sex"}).json() == {
        "is_known": False,
        "found": [],
        "has_more": False,
    }


@pytest.mark.acceptance("RC127")
@pytest.mark.parametrize("kind", ["fields", "instruments"])
def test_only_who_may_change_the_source_searches_and_only_by_get(
    client: Client, alice: User, bob: User, charlie: User, source: DataSource, kind: str
) -> None:
    dictionary_of(source)
    assert client.get(url_of(source, kind)).status_code == 302
    for user in (bob, charlie):
        client.force_login(user)
        assert client.get(url_of(source, kind), {"q": "sex"}).status_code == 403
        assert "project-search" not in client.get(page_of(source)).content.decode()
    client.force_login(alice)
    assert client.post(url_of(source, kind)).status_code == 405
    source.delete()
    assert client.get(reverse(f"admin:sources_datasource_{kind}", args=[9999])).status_code == 404


@pytest.mark.acceptance("RC127")
def test_without_javascript_a_name_is_typed_and_a_wrong_one_refused_by_name(
    admin: Client, source: DataSource
) -> None:
    make_large(source, fields=100)
    making.change(source, session_kind="record", session_instrument="", without_time="midnight")
    source.rules.all().delete()
    row = {"target": "patient_id", "field": "question_4O", "level": "record"}
    rows = {f"rules__0__{name}": value for name, value in row.items()}
    response = save(admin, source, **rows)

    inline, *_ = response.context["inline_admin_formsets"]
    [refused] = inline.formset.forms[0].errors["field"]
    assert "The project has no field question_4O. Did you mean question_4" in refused
    assert not source.rules.exists()
