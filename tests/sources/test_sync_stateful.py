"""REDCap, failing pulls, coordinators and scanners take a random walk; a plain model says who is right.

Whatever happened, a full pull ends with every session of REDCap in the worklist as REDCap has it, except what
a person or a scanner has had to do with; and nobody's identity ever changes while an examination runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from sources.models import DataSource, SourceState, SyncedStep
from sources.sync import edits, guards
from sources.sync.guards import Guarded
from tests.effort import tries
from tests.redcap.project import Project
from tests.redcap.server import ALL_SWITCHES, Failure, RedcapServer
from tests.sources.conftest import new_source, pull
from tests.sources.study import study, today
from tests.worklist.performed_rows import make_step
from worklist.attention.identity import IDENTITY_FIELDS
from worklist.items import intake, lifecycle
from worklist.models import PerformedStatus, Status, WorklistItem

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(120)]

SPOILING = (Failure.EMPTY_500, Failure.SSO_PAGE, Failure.TRUNCATED_JSON, Failure.OUT_OF_MEMORY, Failure.RESET)
RECORDS, INSTANCES = 2, 2
TERMINAL = (PerformedStatus.COMPLETED, PerformedStatus.DISCONTINUED)
_examples = count(1)

numbers = st.integers(0, RECORDS - 1)
instances = st.integers(1, INSTANCES)


@dataclass
class Appointment:
    """REDCap has this in an instance."""

    days: int | None = None
    hour: int = 9
    weight: int = 70
    is_cancelled: bool = False


@dataclass
class Person:
    name: str = "Doe"
    appointments: dict[int, Appointment] = field(default_factory=dict)


class Walk(RuleBasedStateMachine):
    @initialize(switches=st.sampled_from(ALL_SWITCHES))
    def begin(self, switches: Any) -> None:
        number = next(_examples)
        self.prefix = f"E{number}"
        self.project: Project = study()
        self.server = RedcapServer(self.project, switches=switches)
        self.source: DataSource = new_source(self.server, name=f"walk-{number}", overlap_minutes=60)
        self.people: dict[int, Person] = {}
        self.touched: set[int] = set()  # items whose status a person or a scanner had to do with
        self.edited: set[int] = set()  # items whose time a person changed
        self.examined: set[int] = set()
        self.cancelled: set[int] = set()  # by a person
        self.frozen: dict[int, dict[str, Any]] = {}
        self.unseen: set[tuple[str, int]] = set()  # deleted in REDCap since the last full pull
        for number in range(RECORDS):
            self.enrol(number, "Doe")
            self.book(number, 1, days=number, hour=9, weight=70, is_cancelled=False)
        pull(self.source)

    def teardown(self) -> None:
        if hasattr(self, "server"):
            try:
                self.settle()
            finally:
                self.server.close()

    # REDCap

    def record(self, number: int) -> str:
        return f"{self.prefix}-{number}"

    @rule(number=numbers, name=st.sampled_from(["Doe", "Roe", "Łukasz"]), pulled=st.booleans())
    def rename(self, number: int, name: str, pulled: bool) -> None:
        self.enrol(number, name)
        if pulled:
            self.pull(full=False)

    def enrol(self, number: int, name: str) -> None:
        person = self.people.setdefault(number, Person())
        person.name = name
        self.project.save(
            self.record(number), last_name=name, first_name=f"N{number}", sex="2", dob="1990-01-31"
        )

    @rule(
        number=numbers,
        instance=instances,
        days=st.none() | st.integers(0, 5),
        hour=st.integers(8, 17),
        weight=st.integers(40, 99),
        is_cancelled=st.integers(0, 3).map(lambda one: one == 3),
    )
    def rebook(self, **values: Any) -> None:
        self.book(**values)
        self.pull(full=False)

    @rule(number=numbers)
    def call_off(self, number: int) -> None:
        self.book(number, 1, days=1, hour=9, weight=70, is_cancelled=True)
        self.pull(full=False)

    @rule(number=numbers)
    def confirm(self, number: int) -> None:
        self.book(number, 1, days=1, hour=9, weight=70, is_cancelled=False)

    def book(self, number: int, instance: int, **values: Any) -> None:
        if number not in self.people:
            return
        appointment = Appointment(**values)
        self.people[number].appointments[instance] = appointment
        day = "" if appointment.days is None else (today() + timedelta(days=appointment.days)).isoformat()
        self.project.save(
            self.record(number),
            instrument="mri",
            instance=instance,
            mri_date=day,
            mri_time=f"{appointment.hour:02}:00",
            weight=str(appointment.weight),
            status="2" if appointment.is_cancelled else "1",
        )

    @rule(number=numbers, instance=instances)
    def delete_instance(self, number: int, instance: int) -> None:
        if number in self.people and instance in self.people[number].appointments:
            del self.people[number].appointments[instance]
            self.unseen.add((self.record(number), instance))
            self.project.delete_instance(self.record(number), instrument="mri", instance=instance)

    @rule(number=numbers)
    def delete_record(self, number: int) -> None:
        if number in self.people and len(self.people) > 1:
            self.unseen |= {(self.record(number), instance) for instance in range(1, INSTANCES + 1)}
            del self.people[number]
            self.project.delete_record(self.record(number))

    # Pulls

    @rule(full=st.booleans())
    def pull(self, full: bool) -> None:
        run = pull(self.source, full=full)
        if run.is_full:
            self.unseen.clear()
        self.check_frozen()

    @rule(failure=st.sampled_from(SPOILING), after=st.integers(0, 3), full=st.booleans())
    def pull_that_fails(self, failure: Failure, after: int, full: bool) -> None:
        self.server.fail(failure, times=20, after=after)
        pull(self.source, full=full)
        self.server.recover()

    @rule(number=numbers, name=st.sampled_from(["Poe", "Coe"]))
    def edit_while_a_pull_reads(self, number: int, name: str) -> None:
        if number in self.people:
            self.server.before("record", lambda: self.enrol(number, name))
            pull(self.source)
            self.server._actions.clear()

    # People and scanners

    def items(self) -> list[WorklistItem]:
        return list(WorklistItem.objects.filter(data_source=self.source.name).order_by("pk"))

    def choose(self, data: st.DataObject, status: Status) -> WorklistItem | None:
        found = [item for item in self.items() if item.performed_procedure_step_status == status]
        if not found:
            return None
        return data.draw(st.sampled_from(found))

    @rule(data=st.data(), hour=st.integers(8, 17))
    def edit(self, data: st.DataObject, hour: int) -> None:
        if item := self.choose(data, Status.SCHEDULED):
            intake.change(item, {"scheduled_start_time": f"{hour:02}:30"}, actor="bob")
            self.edited.add(item.pk)

    @rule(data=st.data())
    def follow_again(self, data: st.DataObject) -> None:
        if item := self.choose(data, Status.SCHEDULED):
            synced = SyncedStep.objects.get(item=item)
            edits.follow_again(synced, list(edits.edited_fields(synced)), actor="bob")
            self.edited.discard(item.pk)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if item := self.choose(data, Status.SCHEDULED):
            lifecycle.move(item, to=Status.CANCELLED, actor="bob")
            self.touched.add(item.pk)
            self.cancelled.add(item.pk)

    @rule(data=st.data())
    def schedule_again(self, data: st.DataObject) -> None:
        if item := self.choose(data, Status.CANCELLED):
            lifecycle.move(item, to=Status.SCHEDULED, actor="bob")
            self.touched.add(item.pk)
            self.cancelled.discard(item.pk)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if (item := self.choose(data, Status.SCHEDULED)) and not item.performed_steps.exists():
            item.delete()

    @rule(data=st.data())
    def begin_examination(self, data: st.DataObject) -> None:
        if item := self.choose(data, Status.SCHEDULED):
            self.touched.add(item.pk)
            self.examined.add(item.pk)
            make_step(item, status=PerformedStatus.IN_PROGRESS, sop_instance_uid=f"2.25.9.{next(_examples)}")
            WorklistItem.objects.filter(pk=item.pk).update(performed_procedure_step_status=Status.IN_PROGRESS)
            self.frozen[item.pk] = identity_of(WorklistItem.objects.get(pk=item.pk))

    @rule(data=st.data(), end=st.sampled_from(TERMINAL))
    def end_examination(self, data: st.DataObject, end: PerformedStatus) -> None:
        if item := self.choose(data, Status.IN_PROGRESS):
            item.performed_steps.update(status=end)
            WorklistItem.objects.filter(pk=item.pk).update(performed_procedure_step_status=end.value)
            if end == PerformedStatus.DISCONTINUED:
                del self.frozen[item.pk]

    def check_frozen(self) -> None:
        for pk, identity in self.frozen.items():
            assert identity_of(WorklistItem.objects.get(pk=pk)) == identity

    def allow_everything(self) -> None:
        for kind in Guarded:
            guards.allow(self.source, kind, by="alice")

    def settle(self) -> None:
        """Pull well and check the worklist; a full pull finds deletions too, and another finds nothing."""
        self.server.recover()
        self.allow_everything()
        pull(self.source)
        self.check_frozen()
        self.check_items()
        self.allow_everything()
        pull(self.source, full=True)
        self.unseen.clear()
        self.check_frozen()
        self.check_items()
        history = sum(item.history.count() for item in self.items())
        again = pull(self.source, full=True)
        assert (again.created, again.changed, again.withdrawn, again.restored) == (0, 0, 0, 0)
        assert sum(item.history.count() for item in self.items()) == history
        assert SourceState.objects.get(source=self.source).failures == 0

    def check_items(self) -> None:
        """Check that what nobody had to do with is as REDCap has it, and that nothing else is there."""
        wanted = {
            (self.record(number), instance): (person, appointment)
            for number, person in self.people.items()
            for instance, appointment in person.appointments.items()
            if appointment.days is not None and not appointment.is_cancelled
        }
        for synced in SyncedStep.objects.filter(source=self.source).select_related("item"):
            expected = wanted.pop((synced.record, synced.instance), None)
            if synced.item is not None and (synced.record, synced.instance) not in self.unseen:
                self.check_item(synced.item, synced.record, expected)
        assert not wanted

    def check_item(
        self, item: WorklistItem, record: str, expected: tuple[Person, Appointment] | None
    ) -> None:
        status = item.performed_procedure_step_status
        if item.pk in self.cancelled:
            assert status == Status.CANCELLED
        if item.pk not in self.touched:
            assert status == (Status.SCHEDULED if expected else Status.CANCELLED)
        if expected and item.pk not in self.examined:
            assert_follows(item, record, *expected)
            if item.pk not in self.edited:
                assert item.scheduled_start_time == time(expected[1].hour)


def assert_follows(item: WorklistItem, record: str, person: Person, appointment: Appointment) -> None:
    number = record.rpartition("-")[2]
    assert (item.patient_id, item.patient_name) == (record, f"{person.name}^N{number}")
    assert (item.patient_sex, item.patient_birth_date) == ("F", date(1990, 1, 31))
    assert item.patient_weight_kg == Decimal(appointment.weight)
    assert item.scheduled_start_date == today() + timedelta(days=appointment.days or 0)


def identity_of(item: WorklistItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in sorted(IDENTITY_FIELDS)}


def test_whatever_happens_a_full_pull_ends_where_redcap_people_and_scanners_left_it() -> None:
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=tries(6, nightly=12),
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
