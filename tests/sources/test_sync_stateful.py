"""A source, failing pulls, coordinators and scanners take a random walk; a plain model says who is right.

Whatever happened, a full pull ends with every session of the source in the worklist as the source has it,
except what a person or a scanner has had to do with; and nobody's identity ever changes while or after an
examination. A walk goes through a REDCap project, or a table in a watched folder (`walk_worlds`).
What the source has, and what follows for an examined item, stands in `walk_truth`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import time
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from sources.models import DataSource, RunOutcome, SourceState, SyncedStep, Withdrawal
from sources.sync import edits, guards
from sources.sync.guards import Guarded
from tests.effort import tries
from tests.redcap.server import ALL_SWITCHES, Failure
from tests.redcap.studies import TOKEN
from tests.sources.conftest import pull
from tests.sources.walk_truth import GROUPS, Appointment, IdKind, Person, Verdict, verdict
from tests.sources.walk_worlds import FileFailure, RedcapWorld, TableWorld, World
from tests.worklist.performed_rows import make_step
from worklist.attention import whose_id
from worklist.attention.identity import IDENTITY_FIELDS
from worklist.items import intake, lifecycle
from worklist.models import PerformedStatus, Status, WorklistItem

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(tries(120, nightly=900))]

SPOILING = (
    *(Failure.EMPTY_500, Failure.PROXY_504, Failure.FORBIDDEN_403, Failure.SSO_PAGE, Failure.NOT_JSON_200),
    *(Failure.EMPTY_200, Failure.TRUNCATED_JSON, Failure.OUT_OF_MEMORY, Failure.SHORT_BODY, Failure.RESET),
)
RECORDS, INSTANCES = 2, 2
TERMINAL = (PerformedStatus.COMPLETED, PerformedStatus.DISCONTINUED)
FROZEN_FIELDS = (*IDENTITY_FIELDS, "study_instance_uid", "scheduled_start_date", "scheduled_start_time")
WHO_AND_WHEN = ("patient_id", *whose_id.PERSON_FIELDS, "scheduled_start_date", "scheduled_start_time")
# Export rights without columns that the mapping reads: of a form, of identifiers, of what could identify.
SHORTENED_RIGHTS: tuple[int | dict[str, int], ...] = ({"enrolment": 0}, {"mri": 0}, 3, 2)
Key = tuple[str, int]  # record and instance
_examples = count(1)
_people = count(1)

numbers = st.integers(0, RECORDS - 1)
instances = st.integers(1, INSTANCES)
names = st.sampled_from(["Doe", "Roe", "Łukasz"])


class Walk(RuleBasedStateMachine):
    world: Any = None  # a walk_worlds.World

    def begin_in(self, world: Callable[[str], World], id_kind: IdKind) -> None:
        number = next(_examples)
        self.prefix = f"E{number}"
        self.id_kind = id_kind
        self.world = world(f"walk-{number}")
        self.source: DataSource = self.world.source
        self.people: dict[int, Person] = {}
        self.records: dict[int, str] = {number: f"{self.prefix}-{number}" for number in range(RECORDS)}
        self.touched: set[int] = set()  # items whose status a person or a scanner had to do with
        self.edited: set[int] = set()  # items whose time a person changed
        self.examined: set[int] = set()
        self.cancelled: set[int] = set()  # by a person
        self.frozen: dict[int, dict[str, Any]] = {}
        self.unseen: set[Key] = set()  # changed at the source as no incremental pull need see
        self.moved: dict[tuple[int, int], int] = {}  # item by number and instance, of renamed records
        self.known: set[int] = set()  # synced steps
        for number in range(RECORDS):
            self.enrol(number, self.somebody(GROUPS[number]))
            self.book(number, 1, days=number, hour=9, weight=70, is_cancelled=False)
        self.pull(full=True)

    def teardown(self) -> None:
        if self.world is not None:
            try:
                self.settle()
            finally:
                self.world.close()

    # People at the source

    def somebody(self, group: str) -> Person:
        serial = next(_people)
        return Person(serial, f"S{serial}", group)

    def enrol(self, number: int, person: Person) -> None:
        self.people[number] = person
        self.world.enrol(self.records[number], person)

    def change(self, number: int, pulled: bool, **changes: Any) -> None:
        """Save another value of who a record's person is."""
        if number in self.people:
            for name, value in changes.items():
                setattr(self.people[number], name, value)
            self.enrol(number, self.people[number])
            self.forget_moved(number)
            if pulled:
                self.pull(full=False)

    @rule(number=numbers, name=names, pulled=st.booleans())
    def correct_the_name(self, number: int, name: str, pulled: bool) -> None:
        self.change(number, pulled, name=name)

    @rule(number=numbers, pulled=st.booleans())
    def correct_the_id(self, number: int, pulled: bool) -> None:
        self.change(number, pulled, study_id=f"S{next(_people)}")

    @rule(number=numbers, group=st.sampled_from([*GROUPS, ""]))
    def move_to_a_group(self, number: int, group: str) -> None:
        self.change(number, pulled=False, group=group)
        self.unsee(number)

    @rule(number=numbers, pulled=st.booleans())
    def use_the_rows_again(self, number: int, pulled: bool) -> None:
        """Let another person stand in the same rows."""
        if number in self.people:
            other = self.somebody(self.people[number].group)
            self.change(number, pulled, serial=other.serial, study_id=other.study_id)

    @rule(number=numbers, days=st.integers(0, 5))
    def enrol_again(self, number: int, days: int) -> None:
        """Use the name of a deleted record again."""
        if number not in self.people:
            self.enrol(number, self.somebody(GROUPS[0]))
            self.book(number, 1, days=days, hour=10, weight=60, is_cancelled=False)

    @rule(days=st.integers(0, 5), full=st.booleans())
    def begin_anew(self, days: int, full: bool) -> None:
        """Erase the project, and use its record names again."""
        for number in range(RECORDS):
            self.unsee(number)
            self.forget_moved(number)
        self.world.erase()
        self.people.clear()
        for number in range(RECORDS):
            self.records[number] = f"{self.prefix}-{number}"
            self.enrol(number, self.somebody(GROUPS[number]))
            self.book(number, 1, days=days, hour=11, weight=65, is_cancelled=False)
        self.pull(full)

    @rule(number=numbers, full=st.booleans(), reweighed=st.booleans())
    def rename_record(self, number: int, full: bool, reweighed: bool) -> None:
        if number not in self.people:
            return
        old, new = self.records[number], f"{self.prefix}-{number}-{next(_people)}"
        self.moved |= self.to_be_moved(number)
        self.unsee(number)
        self.world.rename_record(old, new)
        self.records[number] = new
        self.unsee(number)
        if reweighed:  # then an incremental pull sees the new name, too
            for instance, appointment in self.people[number].appointments.items():
                appointment.weight += 1
                self.world.book(new, instance, appointment)
        self.pull(full)

    def to_be_moved(self, number: int) -> dict[tuple[int, int], int]:
        """Return the items of the record's sessions that only a mistake would offer a second time."""
        person, record = self.people[number], self.records[number]
        said = person.identity(record, self.id_kind)
        appointments = list(person.appointments.values())
        moments = [(each.days, each.hour) for each in appointments if each.is_wanted]
        found = {}
        for synced in self.latest_steps(record):
            appointment = person.appointments.get(synced.instance)
            if appointment is None or not appointment.is_wanted or synced.withdrawal != Withdrawal.NONE:
                continue
            is_said = (
                synced.says.get("patient_name") == said["patient_name"]
                and synced.says.get("patient_birth_date") == said["patient_birth_date"].isoformat()
                and synced.says.get("scheduled_start_date") == appointment.day.isoformat()
                and synced.says.get("scheduled_start_time", "")[:5] == f"{appointment.hour:02}:00"
            )
            is_alone = moments.count((appointment.days, appointment.hour)) == 1
            if synced.item and is_said and is_alone and synced.item.patient_name == said["patient_name"]:
                found[number, synced.instance] = synced.item.pk
        return found

    def forget_moved(self, number: int, instance: int | None = None) -> None:
        """Expect nothing more of a renamed record's sessions, since another person or time is in them."""
        for key in [key for key in self.moved if key[0] == number and instance in {None, key[1]}]:
            del self.moved[key]

    # Appointments at the source

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

    @rule(number=numbers, instance=instances, days=st.integers(1, 3))
    def put_off(self, number: int, instance: int, days: int) -> None:
        """Book the same appointment some days later, as people do for a re-scan, too."""
        appointments = self.people[number].appointments if number in self.people else {}
        if (appointment := appointments.get(instance)) and appointment.days is not None:
            changed = {**vars(appointment), "days": min(appointment.days + days, 20)}
            self.book(number, instance, **changed)
            self.pull(full=False)

    @rule(number=numbers)
    def call_off(self, number: int) -> None:
        self.book(number, 1, days=1, hour=9, weight=70, is_cancelled=True)
        self.pull(full=False)

    @rule(number=numbers)
    def confirm(self, number: int) -> None:
        self.book(number, 1, days=1, hour=9, weight=70, is_cancelled=False)

    def book(self, number: int, instance: int, **values: Any) -> None:
        if number in self.people:
            self.forget_moved(number)
            self.people[number].appointments[instance] = appointment = Appointment(**values)
            self.world.book(self.records[number], instance, appointment)

    @rule(number=numbers, instance=instances)
    def delete_instance(self, number: int, instance: int) -> None:
        if number in self.people and instance in self.people[number].appointments:
            del self.people[number].appointments[instance]
            self.forget_moved(number, instance)
            self.unsee(number)
            self.world.delete_instance(self.records[number], instance)

    @rule(number=numbers)
    def delete_record(self, number: int) -> None:
        if number in self.people and len(self.people) > 1:
            self.unsee(number)
            self.forget_moved(number)
            del self.people[number]
            self.world.delete_record(self.records[number])

    def unsee(self, number: int) -> None:
        """Expect nothing of a record's sessions until a full pull."""
        self.unseen |= {(self.records[number], instance) for instance in range(1, INSTANCES + 1)}

    # Pulls

    @rule(full=st.booleans())
    def pull(self, full: bool) -> None:
        run = pull(self.source, full=full)
        if run.is_full and run.outcome in {RunOutcome.OK, RunOutcome.HELD}:
            self.check_moved()
            self.unseen.clear()
        self.check_frozen()
        self.check_new_steps()

    def pull_in_vain(
        self, full: bool, outcomes: Collection[RunOutcome] = (RunOutcome.CONFIGURATION,)
    ) -> None:
        """Pull where the source cannot be followed: it says so, and every item stays as it is."""
        items = WorklistItem.objects.filter(data_source=self.source.name).order_by("pk")
        before = list(items.values())
        run = pull(self.source, full=full)
        assert list(items.values()) == before
        assert run.outcome in outcomes or not full  # there may be no change to read

    @rule(full=st.booleans())
    def name_otherwise(self, full: bool) -> None:
        """Let a rule of naming come that nobody meets, and go: nothing new comes, and what there is stays."""
        before = {item.pk: {name: getattr(item, name) for name in WHO_AND_WHEN} for item in self.items()}
        self.source.patient_id_pattern = "nobody"
        self.source.save_as("alice")
        pull(self.source, full=full)
        for item in self.items():
            assert {name: getattr(item, name) for name in WHO_AND_WHEN} == before[item.pk]
        self.source.patient_id_pattern = ""
        self.source.save_as("alice")
        self.pull(full=True)  # as whoever changes a rule has it done

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
            with suppress(lifecycle.StatusRefused):  # its patient ID is another person's by now
                lifecycle.move(item, to=Status.SCHEDULED, actor="bob")
                self.touched.add(item.pk)
                self.cancelled.discard(item.pk)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if (item := self.choose(data, Status.SCHEDULED)) and not item.performed_steps.exists():
            self.moved = {key: pk for key, pk in self.moved.items() if pk != item.pk}
            item.delete()

    @rule(data=st.data())
    def begin_examination(self, data: st.DataObject) -> None:
        if item := self.choose(data, Status.SCHEDULED):
            self.touched.add(item.pk)
            self.examined.add(item.pk)
            make_step(
                item,
                status=PerformedStatus.IN_PROGRESS,
                sop_instance_uid=f"2.25.9.{next(_examples)}",
                start_date=item.scheduled_start_date,
            )
            WorklistItem.objects.filter(pk=item.pk).update(performed_procedure_step_status=Status.IN_PROGRESS)
            self.frozen[item.pk] = frozen_values(WorklistItem.objects.get(pk=item.pk))

    @rule(data=st.data(), end=st.sampled_from(TERMINAL))
    def end_examination(self, data: st.DataObject, end: PerformedStatus) -> None:
        if item := self.choose(data, Status.IN_PROGRESS):
            item.performed_steps.update(status=end)
            WorklistItem.objects.filter(pk=item.pk).update(performed_procedure_step_status=end.value)
            if end == PerformedStatus.DISCONTINUED:
                del self.frozen[item.pk]

    @rule(data=st.data(), full=st.booleans())
    def examine(self, data: st.DataObject, full: bool) -> None:
        self.begin_examination(data)
        self.pull(full)
        self.end_examination(data, PerformedStatus.COMPLETED)

    # What must be true

    def check_frozen(self) -> None:
        for pk, values in self.frozen.items():
            assert frozen_values(WorklistItem.objects.get(pk=pk)) == values

    def check_moved(self) -> None:
        """Check that sessions of renamed records kept their items, and so their UIDs."""
        for (number, instance), pk in self.moved.items():
            steps = self.latest_steps(self.records[number])
            assert [step.item_id for step in steps if step.instance == instance] == [pk]
        self.moved.clear()

    def step_keys(self) -> set[int]:
        return set(SyncedStep.objects.filter(source=self.source).values_list("pk", flat=True))

    def check_new_steps(self) -> None:
        """Check that a session has a second item only where the first is over and another is meant.

        It is over when it was examined, or when a person called it off on its day or later.
        """
        for synced in SyncedStep.objects.filter(source=self.source).exclude(pk__in=self.known):
            earlier = [step for step in self.steps_of(synced.record, synced.instance) if step.pk != synced.pk]
            if earlier and (item := earlier[-1].item) is not None and synced.item is not None:
                if item.pk in self.cancelled:
                    assert is_put_off(item, synced.item)
                    continue
                assert item.performed_procedure_step_status == Status.COMPLETED
                said = {name: getattr(synced.item, name) for name in WHO_AND_WHEN}
                assert verdict(item, said) is Verdict.NEW
        self.known = self.step_keys()

    def steps_of(self, record: str, instance: int) -> list[SyncedStep]:
        """Return a session's synced steps, its row's last use last."""
        steps = SyncedStep.objects.filter(source=self.source, record=record, instance=instance)
        return list(steps.select_related("item").order_by("occurrence"))

    def latest_steps(self, record: str) -> list[SyncedStep]:
        found = (self.steps_of(record, instance) for instance in range(1, INSTANCES + 1))
        return [steps[-1] for steps in found if steps]

    def settle(self) -> None:
        """Pull well and check the worklist; a full pull finds deletions too, and another finds nothing."""
        self.world.recover()
        self.allow()
        self.pull(full=False)
        if not self.waits_for_a_full_pull():
            self.check_items()
        self.allow()
        self.pull(full=True)
        self.check_items()
        for item in self.items():
            if item.performed_procedure_step_status == Status.IN_PROGRESS:
                item.performed_steps.update(status=PerformedStatus.COMPLETED)
                WorklistItem.objects.filter(pk=item.pk).update(
                    performed_procedure_step_status=Status.COMPLETED
                )
        self.world.recover()
        self.allow()
        self.pull(full=False)
        self.check_items()
        self.check_that_nothing_is_left()

    def waits_for_a_full_pull(self) -> bool:
        """Tell whether something is held, or was noted by a full pull that did not come to its end."""
        noted = self.source.steps.filter(withdrawal=Withdrawal.PENDING)
        return noted.exclude(item__performed_procedure_step_status=Status.IN_PROGRESS).exists() or bool(
            SourceState.objects.get(source=self.source).held
        )

    def allow(self) -> None:
        """Let a person have looked at all that is held; a full pull is for the walk to ask for."""
        for kind in Guarded:
            guards.allow(self.source, kind, by="alice")
        SourceState.objects.filter(source=self.source).update(full_requested=False)

    def check_that_nothing_is_left(self) -> None:
        history = sum(item.history.count() for item in self.items())
        again = pull(self.source, full=True)
        assert (again.created, again.changed, again.withdrawn, again.restored) == (0, 0, 0, 0)
        assert sum(item.history.count() for item in self.items()) == history
        assert SourceState.objects.get(source=self.source).failures == 0

    def check_items(self) -> None:
        """Check that what nobody had to do with is as the source has it, and that nothing else is there."""
        wanted = {
            (self.records[number], instance): (person, appointment)
            for number, person in self.people.items()
            for instance, appointment in person.appointments.items()
            if appointment.is_wanted and (self.records[number], instance) not in self.unseen
        }
        every = SyncedStep.objects.filter(source=self.source)
        for record, instance in set(every.values_list("record", "instance")):
            *earlier, latest = self.steps_of(record, instance)
            left = self.frozen.keys() | self.touched
            assert all(step.item is None or step.item.pk in left for step in earlier)
            expected = wanted.pop((record, instance), None)
            if latest.item is not None and (record, instance) not in self.unseen:
                self.check_item(latest.item, (record, instance), expected)
        assert all(self.has_anothers_id(record, person) for (record, _), (person, _) in wanted.items())
        orphans = WorklistItem.objects.filter(data_source=self.source.name, synced_step=None)
        assert not orphans.exists()

    def check_item(self, item: WorklistItem, key: Key, expected: tuple[Person, Appointment] | None) -> None:
        status = item.performed_procedure_step_status
        if item.pk in self.cancelled:
            assert status == Status.CANCELLED
        if expected and self.has_anothers_id(key[0], expected[0]):
            return
        if item.pk not in self.touched:
            assert status == (Status.SCHEDULED if expected else Status.CANCELLED)
        if expected and status == Status.COMPLETED:
            self.check_examined(item, key, *expected)
        if expected and item.pk not in self.examined:
            self.assert_follows(item, key[0], *expected)
            if item.pk not in self.edited:
                assert item.scheduled_start_time == time(expected[1].hour)

    def check_examined(self, item: WorklistItem, key: Key, person: Person, appointment: Appointment) -> None:
        """Check that an examined session has no newer item because the same is meant, or it is doubtful."""
        said = {**person.identity(key[0], self.id_kind), **appointment.moment}
        found = verdict(item, said) if item.pk not in self.edited else Verdict.SAME
        assert found is not Verdict.NEW, "A row that was used again is not offered."
        if found is Verdict.DOUBTFUL:
            issues = self.source.issues.filter(closed_at=None, blocks=True, record=key[0])
            assert issues.filter(instance=key[1]).exists()

    def has_anothers_id(self, record: str, person: Person) -> bool:
        """Tell whether another record's item has the patient ID for another person: then it is kept out."""
        own = SyncedStep.objects.filter(source=self.source, record=record, item__isnull=False)
        item = WorklistItem(**person.identity(record, self.id_kind))
        return bool(whose_id.others(item, beside=own.values_list("item_id", flat=True)))

    def assert_follows(
        self, item: WorklistItem, record: str, person: Person, appointment: Appointment
    ) -> None:
        said = person.identity(record, self.id_kind)
        assert {name: getattr(item, name) for name in said} == said
        assert item.patient_weight_kg == Decimal(appointment.weight)
        assert item.scheduled_start_date == appointment.day


class RedcapWalk(Walk):
    @initialize(switches=st.sampled_from(ALL_SWITCHES), id_kind=st.sampled_from(IdKind))
    def begin(self, switches: Any, id_kind: IdKind) -> None:
        self.begin_in(lambda name: RedcapWorld(switches, id_kind, name), id_kind)

    # How a server fails

    @rule(failure=st.sampled_from(SPOILING), after=st.integers(0, 3), full=st.booleans())
    def pull_that_fails(self, failure: Failure, after: int, full: bool) -> None:
        self.world.server.fail(failure, times=20, after=after)
        pull(self.source, full=full)
        self.world.server.recover()
        self.check_frozen()
        self.check_new_steps()

    @rule(number=numbers, name=st.sampled_from(["Poe", "Coe"]))
    def edit_while_a_pull_reads(self, number: int, name: str) -> None:
        if number in self.people:
            self.world.server.before("record", lambda: self.change(number, pulled=False, name=name))
            pull(self.source)
            self.world.server._actions.clear()
            self.known = self.step_keys()

    @rule(number=numbers, full=st.booleans())
    def lose_a_record_on_the_way(self, number: int, full: bool) -> None:
        """Let the server leave out a record that it lists."""
        self.world.server.dropped.add(self.records[number])
        pull(self.source, full=full)
        self.world.server.dropped.clear()
        self.unsee(number)
        self.check_frozen()

    # What the token may see

    @rule(full=st.booleans())
    def lose_the_right_to_groups(self, full: bool) -> None:
        with self.token_sees_less(dags=False):
            if self.id_kind is IdKind.GROUP:
                self.pull_in_vain(full)
            else:
                self.pull(full)

    @rule(full=st.booleans(), group=st.sampled_from(GROUPS))
    def become_member_of_a_group(self, full: bool, group: str) -> None:
        with self.token_sees_less(dag=group):
            if self.id_kind is IdKind.GROUP and group in {person.group for person in self.people.values()}:
                self.pull_in_vain(full)
            else:
                pull(self.source, full=full)
                self.check_frozen()
        for number in range(RECORDS):
            self.unsee(number)

    @rule(full=st.booleans(), right=st.sampled_from(SHORTENED_RIGHTS))
    def lose_columns(self, full: bool, right: int | dict[str, int]) -> None:
        with self.token_sees_less(data_export=right):
            self.pull_in_vain(full)

    @rule(full=st.booleans())
    def stop_repeating(self, full: bool) -> None:
        self.world.project.stop_repeating("mri")
        try:
            self.pull_in_vain(full)
        finally:
            self.world.project.start_repeating("mri")

    @contextmanager
    def token_sees_less(self, **rights: Any) -> Iterator[None]:
        user = self.world.project.users[TOKEN]
        self.world.project.users[TOKEN] = replace(user, **rights)
        try:
            yield
        finally:
            self.world.project.users[TOKEN] = user


class TableWalk(Walk):
    folder: Path  # that the source watches

    @initialize(suffix=st.sampled_from([".csv", ".xlsx"]), id_kind=st.sampled_from(IdKind))
    def begin(self, suffix: str, id_kind: IdKind) -> None:
        self.begin_in(lambda name: TableWorld(self.folder / f"{name}{suffix}", id_kind, name), id_kind)

    def unsee(self, number: int) -> None:
        """Expect all: whatever changes in a file is seen by its next pull."""

    # How a file fails

    @rule(failure=st.sampled_from(FileFailure), full=st.booleans())
    def pull_from_a_spoilt_file(self, failure: FileFailure, full: bool) -> None:
        failure.spoil(self.world)
        self.pull_in_vain(full, outcomes=(failure.outcome,))
        self.world.recover()
        self.check_new_steps()


def is_put_off(item: WorklistItem, other: WorklistItem) -> bool:
    """Tell whether the day of the one has come, and the other is for a later day that is to come."""
    there, here = item.scheduled_start_date, other.scheduled_start_date
    return there is not None and here is not None and there <= timezone.localdate() <= here != there


def frozen_values(item: WorklistItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in FROZEN_FIELDS}


def run(machine: type[RuleBasedStateMachine], *, examples: int = 6) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=tries(examples, nightly=60),
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.acceptance("CL118")
@pytest.mark.acceptance("RC199")
def test_whatever_happens_a_full_pull_ends_where_redcap_people_and_scanners_left_it() -> None:
    run(RedcapWalk)


@pytest.mark.acceptance("FI54")
def test_whatever_happens_a_full_pull_ends_where_a_table_people_and_scanners_left_it(
    tmp_path: Path, settings: Any
) -> None:
    settings.SOURCE_TABLES_FOLDER = str(tmp_path)
    TableWalk.folder = tmp_path
    run(TableWalk, examples=3)  # of the engine, the other walk has tried as much already
