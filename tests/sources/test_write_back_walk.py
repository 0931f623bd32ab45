"""Scanners, people and failing servers take a random walk, and a plain model says whose each value is.

Nothing that a person has entered is ever overwritten, and once the server is well again every field that
nobody else has filled holds the last outcome.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sources.models import DataSource, OutcomeWrite
from sources.outgoing.facts import ScanFact
from tests.effort import tries
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.sources.conftest import only_item, pull
from tests.sources.study import participant
from tests.sources.writing import (
    begin,
    end,
    open_issues,
    row,
    scanning_study,
    set_write_rules,
    write,
    writing_source,
)
from worklist.models import WorklistItem

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(tries(180, nightly=900))]

FIELDS = {"scan_operator": ScanFact.REASON, "scan_uid": ScanFact.SERIES}
SPOILING = (
    Failure.EMPTY_500,
    Failure.PROXY_504,
    Failure.OFFLINE_PAGE,
    Failure.TOO_MANY_429,
    Failure.EMPTY_200,
)
PERSONS = ("", "typed by Anna", "typed by Berta")
_examples = count(1)


class WritingWalk(RuleBasedStateMachine):
    """`persons` has each field's value where a person entered it last, "" where they emptied it."""

    project: Project
    server: RedcapServer
    source: DataSource
    item: WorklistItem

    @initialize()
    def open(self) -> None:
        self.persons: dict[str, str] = {}
        self.project = scanning_study()
        self.server = RedcapServer(self.project)
        self.source = writing_source(self.server, name=f"walk{next(_examples)}")
        set_write_rules(self.source, FIELDS.items())
        record = f"W-{self.source.pk}"
        participant(self.project, record)
        pull(self.source)
        self.item, self.record = only_item(self.source), record
        self.running = ""
        self.series = 0
        self.examine(1, stops=False)

    def teardown(self) -> None:
        if hasattr(self, "server"):
            self.agree_in_the_end()
            self.server.close()

    def held(self) -> dict[str, str]:
        return {name: row(self.project, self.record).get(name, "") for name in FIELDS}

    @rule()
    def an_examination_begins(self) -> None:
        self.running = self.running or begin(self.item)

    @rule(series=st.integers(1, 3), stops=st.booleans())
    def examine(self, series: int, stops: bool) -> None:
        """Examine to the end, again and again."""
        self.an_examination_begins()
        changes: dict[str, Any] = {"PerformedProcedureStepStatus": "DISCONTINUED"} if stops else {}
        end(self.running, series, **changes)
        self.running, self.series = "", self.series + series

    @rule(name=st.sampled_from(sorted(FIELDS)), value=st.sampled_from(PERSONS))
    def a_person_types(self, name: str, value: str) -> None:
        self.project.save(self.record, instrument="mri", instance=1, **{name: value})
        self.persons[name] = value

    @rule(
        failure=st.sampled_from(SPOILING), content=st.sampled_from(["import", "record"]), early=st.booleans()
    )
    def the_server_fails(self, failure: Failure, content: str, early: bool) -> None:
        self.server.fail(failure, content=content, is_before=early, times=4 if content == "record" else 1)

    @rule(locks=st.booleans())
    def a_form_is_locked(self, locks: bool) -> None:
        if locks:
            self.project.lock_form(self.record, "mri", instrument="mri", instance=1)
        else:
            self.project.unlock_forms()

    @rule()
    def the_worker_writes(self) -> None:
        write(self.source)
        self.look()

    @rule()
    def it_is_pulled(self) -> None:
        before = self.item.history.count()
        self.server.recover()
        run = pull(self.source)
        assert (run.created, run.changed, run.withdrawn) == (0, 0, 0)
        assert self.item.history.count() == before

    def look(self) -> None:
        """Hold that what a person typed, and nobody emptied, is there still."""
        held = self.held()
        for name, value in self.persons.items():
            if value:
                assert held[name] == value

    def agree_in_the_end(self) -> None:
        self.server.recover()
        self.project.unlock_forms()
        if self.running:
            end(self.running, 1)
            self.running, self.series = "", self.series + 1
        for _ in range(2):
            write(self.source)
        self.look()
        held, differs = (
            self.held(),
            {name for name, kind, *_ in open_issues(self.source) if kind == "DIFFERS"},
        )
        typed = {name for name, value in self.persons.items() if value}
        if "scan_uid" not in typed:
            assert held["scan_uid"] == str(self.series)
        assert ("scan_uid" in differs) == ("scan_uid" in typed)
        assert not OutcomeWrite.objects.filter(step__source=self.source, state="WAITING").exists()
        before = self.held()
        write(self.source)
        assert self.held() == before


@pytest.mark.acceptance("CL20")
def test_a_persons_value_is_never_overwritten_and_all_agrees_in_the_end(transactional_db: None) -> None:
    run_state_machine_as_test(
        WritingWalk,
        settings=settings(
            max_examples=tries(10, nightly=200),
            stateful_step_count=15,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
