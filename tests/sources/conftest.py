"""Each test has a source of its own REDCap project, and pulls from it in its own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import pytest

from sources.mapping.rules import Rule
from sources.models import DataSource, HowAgreed, MappingRule, SyncRun
from sources.models.identifying import agree
from sources.sync import claims, pulls
from tests.redcap.project import Project
from tests.redcap.server import ALL_SWITCHES, RedcapServer, Switches
from tests.redcap.studies import TOKEN
from tests.sources import making
from tests.sources.study import PROJECT_ID, RULES, study
from worklist.models import WorklistItem

MakeSource = Callable[..., DataSource]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests that fail be tried again at once."""
    monkeypatch.setattr("sources.backends.redcap.backend.FIRST_PAUSE", 0.001)


@pytest.fixture
def project() -> Project:
    return study()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    given = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if metafunc.config.getoption("every_answer") and "switches" in set(metafunc.fixturenames) - given:
        metafunc.parametrize("switches", range(len(ALL_SWITCHES)), indirect=True)


@pytest.fixture
def switches(request: pytest.FixtureRequest) -> Switches:
    """Spread what nobody knows of REDCap (RC96) over the tests; `--every-answer` tries all for each."""
    spread = crc32(request.node.nodeid.encode()) % len(ALL_SWITCHES)
    return ALL_SWITCHES[getattr(request, "param", spread)]


@pytest.fixture
def redcap(project: Project, switches: Switches) -> Iterator[RedcapServer]:
    with RedcapServer(project, switches=switches) as server:
        yield server


@pytest.fixture
def make_source(db: None) -> MakeSource:
    return new_source


@pytest.fixture
def source(make_source: MakeSource, redcap: RedcapServer) -> DataSource:
    return make_source(redcap)


def new_source(server: RedcapServer, rules: tuple[Rule, ...] = RULES, **values: Any) -> DataSource:
    """Make a source, by default one of the small study."""
    given = {
        "name": "study",
        "enabled": True,
        "url": server.url,
        "project_id": PROJECT_ID,
        "server_timezone": "America/Edmonton",
        "session_instrument": "mri",
        "requests_per_minute": 6000,
        "read_timeout": 5,
        **values,
    }
    source = making.unsaved(**given)
    source.redcap.set_token(TOKEN, by="alice")
    source.save_with_details("alice")
    set_rules(source, rules)
    return source


def set_rules(source: DataSource, rules: tuple[Rule, ...]) -> None:
    source.rules.all().delete()
    for position, rule in enumerate(rules):
        MappingRule.objects.create(
            source=source,
            position=position,
            **MappingRule.columns_of_rule(rule),
        )
    agree(source, None, how=HowAgreed.PERSON, by="alice")


def pull(source: DataSource, **options: Any) -> SyncRun:
    """Pull once, as the worker does it."""
    run = pulls.pull(source.pk, claim=claims.claim(source.pk), actor="alice", **options)
    assert run is not None
    source.refresh_from_db()
    source.state.refresh_from_db()
    return run


def items(source: DataSource) -> dict[str, WorklistItem]:
    """Return the source's items by patient ID."""
    return {item.patient_id: item for item in WorklistItem.objects.filter(data_source=source.name)}


def only_item(source: DataSource) -> WorklistItem:
    [item] = items(source).values()
    return item
