"""A source's page leads through six steps, and each is done, next, or says why it waits.

Not here: what each button does (test_admin_buttons.py), the walk in a browser (test_admin_source_browser.py).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from sources.admin import looked
from sources.admin.stepper import StepProgress, steps_of
from sources.models import DataSource, RedcapProject, SourceState, State
from tests.admin_pages import said, shown
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources.conftest import MakeSource
from tests.sources.source_pages import page_of, save
from tests.sources.study import participant

pytestmark = pytest.mark.django_db

DONE, NEXT, OPEN, BLOCKED = StepProgress.DONE, StepProgress.NEXT, StepProgress.OPEN, StepProgress.BLOCKED


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def new(make_source: MakeSource, redcap: RedcapServer) -> DataSource:
    return make_source(redcap, enabled=False)


def as_stored(source: DataSource) -> DataSource:
    return DataSource.objects.select_related("state").get(pk=source.pk)


def progress(source: DataSource) -> list[StepProgress]:
    return [step.progress for step in steps_of(as_stored(source), lambda _button: True)]


def press(client: Client, source: DataSource, button: str, **given: str) -> Any:
    return client.post(reverse(f"admin:sources_datasource_{button}", args=[source.pk]), given, follow=True)


@pytest.mark.acceptance("AD85")
@pytest.mark.parametrize(
    ("has_token", "has_rows", "looked_at", "expected"),
    [
        (False, False, (), [NEXT, BLOCKED, BLOCKED, BLOCKED, BLOCKED, BLOCKED]),
        (True, False, (), [DONE, NEXT, OPEN, BLOCKED, BLOCKED, BLOCKED]),
        (True, False, ("check",), [DONE, DONE, NEXT, BLOCKED, BLOCKED, BLOCKED]),
        (True, True, (), [DONE, NEXT, DONE, OPEN, OPEN, BLOCKED]),
        (True, True, ("check",), [DONE, DONE, DONE, NEXT, OPEN, BLOCKED]),
        (True, True, ("check", "preview"), [DONE, DONE, DONE, DONE, NEXT, OPEN]),
        (True, True, ("check", "preview", "compare"), [DONE, DONE, DONE, DONE, DONE, NEXT]),
    ],
)
def test_a_step_is_done_or_next_or_waits_for_another(
    new: DataSource,
    has_token: bool,
    has_rows: bool,
    looked_at: tuple[str, ...],
    expected: list[StepProgress],
) -> None:
    if not has_token:
        RedcapProject.objects.update(token_cipher="")
    if not has_rows:
        new.rules.all().delete()
    for what in looked_at:
        looked.note(as_stored(new), what, by="alice")

    assert progress(new) == expected


@pytest.mark.acceptance("AD85")
def test_only_the_next_step_is_the_primary_button_and_each_says_how_it_stands(
    admin: Client, new: DataSource, project: Project
) -> None:
    participant(project, "P-1")
    press(admin, new, "check")

    page = shown(admin, page_of(new))

    assert re.findall(r'name="_(\w+)" class="button primary"', page) == ["preview"]
    assert re.findall(r'name="_(\w+)" class="button quiet"', page) == ["check", "suggest", "compare"]
    assert "Done just now" in page
    assert "Cannot yet: first a good preview of the source as it is now" in page
    assert 'aria-current="step"' in page
    assert 'name="_pull"' not in page


@pytest.mark.acceptance("AD86")
@pytest.mark.parametrize(
    ("changed", "still_done"),
    [
        ({"site_id": "Y"}, ["check"]),
        ({"rules__4__required": "on"}, ["check"]),
        ({"project_id": "78"}, []),
        ({"sync_interval": "90"}, ["check", "preview", "compare"]),
    ],
    ids=["a constant", "a row of the mapping", "another project", "how often"],
)
def test_what_was_looked_at_counts_while_the_source_is_what_it_was(
    admin: Client, new: DataSource, changed: dict[str, str], still_done: list[str]
) -> None:
    every = (looked.CHECK, looked.PREVIEW, looked.COMPARE)
    for what in every:
        looked.note(as_stored(new), what, by="alice")

    assert save(admin, new, **changed).redirect_chain

    assert [what for what in every if looked.when(as_stored(new), what)] == still_done


@pytest.mark.acceptance("AD86")
def test_a_preview_that_shows_nothing_to_offer_is_no_step(
    admin: Client, new: DataSource, project: Project
) -> None:
    press(admin, new, "preview")
    assert progress(new)[3] is OPEN

    participant(project, "P-1")
    press(admin, new, "preview")
    assert progress(new)[3] is DONE


@pytest.mark.acceptance("AD88")
def test_its_page_enables_it_once_a_good_preview_was_seen(
    admin: Client, new: DataSource, project: Project
) -> None:
    participant(project, "P-1")
    press(admin, new, "preview")
    page = shown(admin, page_of(new))
    [seen] = re.findall(r'name="seen" value="(\w+)"', page)

    save(admin, new, site_id="Y")
    assert "look at Preview again" in said(press(admin, new, "enable", seen=seen))[0]
    assert 'name="_enable"' not in shown(admin, page_of(new))

    press(admin, new, "preview")
    [seen] = re.findall(r'name="seen" value="(\w+)"', shown(admin, page_of(new)))
    press(admin, new, "enable", seen=seen)
    assert as_stored(new).enabled


@pytest.mark.acceptance("AD87")
def test_a_button_is_shown_to_whom_may_press_it(
    client: Client, bob: User, charlie: User, new: DataSource
) -> None:
    client.force_login(bob)
    assert re.findall(r'name="_(\w+)"', shown(client, page_of(new))) == [
        "check",
        "preview",
        "compare",
        "filing",
    ]

    client.force_login(charlie)
    assert re.findall(r'name="_(\w+)"', shown(client, page_of(new))) == []


@pytest.mark.acceptance("AD87")
def test_a_source_that_is_pulled_shows_what_a_person_does_with_it(admin: Client, source: DataSource) -> None:
    SourceState.objects.update(state=State.OK, last_success_at=timezone.now())

    page = shown(admin, page_of(source))

    assert re.findall(r'name="_(\w+)" class="button primary"', page) == ["pull"]
    beside = page[page.index('<div class="row buttons">') : page.index("How it was set up")]
    assert re.findall(r'name="_(\w+)"', beside)[:4] == ["pull", "full_pull", "preview", "compare"]
    assert progress(source) == [DONE, DONE, DONE, OPEN, OPEN, DONE]


@pytest.mark.acceptance("AD94")
def test_compare_offers_to_pull_what_it_shows(admin: Client, source: DataSource, project: Project) -> None:
    participant(project, "P-1")
    participant(project, "P-2")

    response = press(admin, source, "compare")

    assert "Pull now (these 2 changes)</button>" in response.content.decode()
    press(admin, source, "full_pull")
    assert as_stored(source).state.full_requested


@pytest.mark.acceptance("AD94")
def test_compare_of_a_source_that_is_not_enabled_offers_no_pull(
    admin: Client, new: DataSource, project: Project
) -> None:
    participant(project, "P-1")

    page = press(admin, new, "compare").content.decode()

    assert "Pull now" not in page
    assert "The source is not enabled" in page
