"""N-CREATE and N-SET walk at random against a plain model of the states, a server killed now and then.

People close, link, unlink and mark beside.

The server is a real `manage.py run_mwl`; what it keeps is read back by N-GET and from the items.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydicom import Dataset
from pydicom.filereader import read_dataset

from tests import scu
from tests.effort import tries
from tests.scu import RawUser, Response
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import RunningServer, StartServer, make_item
from tests.worklist.identifiers import data_set
from worklist.examinations import performing
from worklist.items import lifecycle, moves
from worklist.models import PerformedStatus, PerformedStep, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

SUCCESS, WARNING = 0x0000, 0x0107
INVALID_VALUE, FAILURE, DUPLICATE, NO_SUCH_INSTANCE = 0x0106, 0x0110, 0x0111, 0x0112
MOST_KILLS = 3  # of one test run: each start of a server takes more than a second

_item_numbers = count(1)


@dataclass
class Step:
    """The model knows this of a performed step."""

    status: str  # as on the wire
    items: list[int]
    description: str
    series: list[str] = field(default_factory=list)
    end_date: str = ""
    messages: int = 1  # of the history
    reason: str = ""  # why it was discontinued, as a code

    @property
    def has_ended(self) -> bool:
        return self.status != "IN PROGRESS"


class Model:
    """The model is the state machine of PS3.4 F.7.2, with an item's status after its steps."""

    def __init__(self, items: list[int], cancelled: list[int]) -> None:
        self.steps: dict[str, Step] = {}
        self.items = {pk: "CANCELLED" if pk in cancelled else "SCHEDULED" for pk in items}
        # When people marked an item as performed, and what it was before, the last mark last.
        self.marks: dict[int, list[tuple[int, str]]] = {pk: [] for pk in items}
        self.evidence = dict.fromkeys(items, "")
        # Of these the mark is the last that was written.
        self.just_marked: set[int] = set()
        # What an item was when a step began to perform it, by step and item, the earliest link first.
        self.before: dict[tuple[str, int], str] = {}
        # When a step told an item of its end, on a clock that ticks with each.
        self.told: dict[tuple[str, int], int] = {}
        self.linked: dict[tuple[str, int], int] = {}
        self.clock = count(1)

    def create(self, uid: str, status: str, items: list[int], description: str) -> int:
        if uid in self.steps:
            return DUPLICATE
        if status != "IN PROGRESS":
            return INVALID_VALUE
        self.steps[uid] = Step(status, items, description)
        for pk in items:
            self.begin(uid, pk)
            self.give(pk, "IN_PROGRESS")
        return SUCCESS

    def give(self, pk: int, status: str, evidence: str = "MPPS") -> None:
        evidence = evidence if status == "COMPLETED" else ""
        if (self.items[pk], self.evidence[pk]) != (status, evidence):
            self.just_marked.discard(pk)
        self.items[pk], self.evidence[pk] = status, evidence

    def begin(self, uid: str, pk: int) -> None:
        is_marked = self.evidence[pk] == "PERSON"
        self.before[uid, pk] = "MARKED" if is_marked else self.items[pk]
        self.linked[uid, pk] = next(self.clock)

    def set(self, uid: str, sent: dict[str, Any], *, reason: str, carries_more: bool) -> int:
        """Apply a message.

        `sent` holds the fields of Step that it has, `carries_more` says whether it has what an N-SET may not.
        """
        if uid not in self.steps:
            return NO_SUCH_INSTANCE
        step = self.steps[uid]
        if step.has_ended:
            return FAILURE
        if sent.get("status", step.status) not in ("IN PROGRESS", "COMPLETED", "DISCONTINUED"):
            return INVALID_VALUE
        for name, value in sent.items():
            setattr(step, name, value)
        step.messages += 1
        if sent.get("status", "IN PROGRESS") != "IN PROGRESS":
            self.end(uid, reason)
        return WARNING if carries_more else SUCCESS

    def end(self, uid: str, reason: str) -> None:
        self.steps[uid].reason = reason
        for pk in self.steps[uid].items:
            self.tell(uid, pk)

    def tell(self, uid: str, pk: int) -> None:
        self.told[uid, pk] = next(self.clock)
        self.give(pk, self.ruled(pk) or self.stopped(uid, pk))

    def may_mark(self, pk: int) -> bool:
        is_open = self.items[pk] in ("SCHEDULED", "IN_PROGRESS", "DISCONTINUED")
        return is_open and self.ruled(pk) != "IN_PROGRESS"

    def mark(self, pk: int) -> None:
        self.marks[pk].append((next(self.clock), self.items[pk]))
        self.give(pk, "COMPLETED", "PERSON")
        self.just_marked.add(pk)

    def take_back(self, pk: int) -> None:
        _at, before = self.marks[pk].pop()
        self.give(pk, before)

    def ruled(self, pk: int) -> str:
        """Return what a step of the item says that runs or was completed, else ""."""
        of_item = [step.status for step in self.steps.values() if pk in step.items]
        if "IN PROGRESS" in of_item:
            return "IN_PROGRESS"
        return "COMPLETED" if "COMPLETED" in of_item else ""

    def stopped(self, uid: str, pk: int) -> str:
        if self.steps[uid].reason != "110514":
            return "DISCONTINUED"
        return "CANCELLED" if self.before[uid, pk] == "CANCELLED" else "SCHEDULED"

    def link(self, uid: str, pk: int) -> None:
        self.begin(uid, pk)
        self.steps[uid].items.append(pk)
        if self.steps[uid].has_ended:
            self.tell(uid, pk)
        else:
            self.give(pk, "IN_PROGRESS")

    def unlink(self, uid: str, pk: int) -> None:
        """Let the item be what its other steps say, or a person after them; else what it was before."""
        self.steps[uid].items.remove(pk)
        before, linked = self.before.pop((uid, pk)), self.linked.pop((uid, pk))
        self.told.pop((uid, pk), None)
        later = [key for key in self.before if key[1] == pk and self.linked[key] > linked]
        if later and self.before[later[0]] not in ("SCHEDULED", "CANCELLED", "MARKED"):
            self.before[later[0]] = before
        last = max(((when, key) for key, when in self.told.items() if key[1] == pk), default=None)
        if ruling := self.ruled(pk):
            self.give(pk, ruling)
        elif self.marks[pk] and (last is None or self.marks[pk][-1][0] > last[0]):
            self.give(pk, "COMPLETED", "PERSON")
        elif last is None or (before in ("SCHEDULED", "CANCELLED") and last[0] < linked):
            self.give(pk, "CANCELLED" if before == "CANCELLED" else "SCHEDULED")
        else:
            self.give(pk, self.stopped(*last[1]))


STEP = st.integers(0, 4)
ITEMS = st.lists(st.integers(0, 2), max_size=3, unique=True)
TEXT = st.sampled_from(["Head", "Schädel", "頭部", ""])
STATUS_AT_BEGIN = st.sampled_from(["IN PROGRESS"] * 6 + ["COMPLETED", "in progress", "BANANA"])
STATUS_LATER = st.sampled_from(
    ["IN PROGRESS", "COMPLETED", "DISCONTINUED", "IN PROGRESS", "DISCONTINUED", "BANANA"]
)
SERIES = st.lists(st.sampled_from(["1.2.9.1", "1.2.9.2", "1.2.9.3"]), max_size=3, unique=True)


class Walk(RuleBasedStateMachine):
    """A walk has three items and up to five steps. `start` and `server` are given by the test."""

    start: StartServer
    server: RunningServer
    kills = 0

    @initialize(cancelled=st.sampled_from([[], [], [1]]))
    def prepare(self, cancelled: list[int]) -> None:
        self.rows = [make_item(next(_item_numbers)) for _ in range(3)]
        for number, row in enumerate(self.rows):
            row.performed_procedure_step_status = "CANCELLED" if number in cancelled else "SCHEDULED"
            row.save()
        self.uids = [steps.new_uid() for _ in range(5)]
        pks = [row.pk for row in self.rows]
        self.model = Model(pks, [pks[number] for number in cancelled])
        self.user = self.associate()

    def associate(self) -> RawUser:
        user = RawUser(self.server.port)
        user.associate(sop_class=scu.MPPS, beside=[scu.MPPS_RETRIEVE])
        return user

    @rule(number=STEP, status=STATUS_AT_BEGIN, selected=ITEMS, description=TEXT)
    def create(self, number: int, status: str, selected: list[int], description: str) -> None:
        rows = [self.rows[each] for each in selected]
        dataset = steps.begun(
            *(rows or self.rows[:1]),
            charset=steps.UTF_8,
            PerformedProcedureStepStatus=status,
            PerformedProcedureStepDescription=description,
        )
        if not rows:
            dataset.ScheduledStepAttributesSequence = [unscheduled(self.rows[0])]
        answer = self.user.n_create(self.uids[number], scu.implicit(dataset))
        expected = self.model.create(self.uids[number], status, [row.pk for row in rows], description)
        self.check(answer, expected, number)

    @rule(
        number=STEP,
        status=st.none() | STATUS_LATER,
        series=st.none() | SERIES,
        description=st.none() | TEXT,
        reason=st.sampled_from(["110501", "110514", ""]),
        carries_more=st.booleans(),
    )
    def set(
        self,
        number: int,
        status: str | None,
        series: list[str] | None,
        description: str | None,
        reason: str,
        carries_more: bool,
    ) -> None:
        uid = self.uids[number]
        end_date = "20260110" if status in ("COMPLETED", "DISCONTINUED") else None
        fields = {"status": status, "series": series, "description": description, "end_date": end_date}
        sent = {name: value for name, value in fields.items() if value is not None}
        more = {"PatientID": "OTHER", "Modality": "CT"} if carries_more else {}
        answer = self.user.n_set(uid, scu.implicit(modifications(sent, reason, more)))
        expected = self.model.set(uid, sent, reason=reason, carries_more=carries_more)
        self.check(answer, expected, number)

    @rule(number=STEP)
    def a_person_closes(self, number: int) -> None:
        step = PerformedStep.objects.filter(sop_instance_uid=self.uids[number]).first()
        known = self.model.steps.get(self.uids[number])
        assert (step is None) == (known is None)
        if step is None or known is None or known.has_ended:
            return
        performing.close(step, to=PerformedStatus.DISCONTINUED, actor="alice", reason="The scanner died.")
        known.status = "DISCONTINUED"
        known.messages += 1
        self.model.end(self.uids[number], "")
        self.check_step(self.uids[number])

    @rule(number=STEP, chosen=st.integers(0, 2))
    def a_person_links_or_unlinks(self, number: int, chosen: int) -> None:
        uid, row = self.uids[number], self.rows[chosen]
        if uid not in self.model.steps:
            return
        step = PerformedStep.objects.get(sop_instance_uid=uid)
        if row.pk in self.model.steps[uid].items:
            performing.unlink(step, row, actor="alice", reason="Another visit.")
            self.model.unlink(uid, row.pk)
        else:
            performing.link(step, row, actor="alice")
            self.model.link(uid, row.pk)
        self.check_step(uid)

    @rule(chosen=st.integers(0, 2))
    def a_person_marks_as_performed(self, chosen: int) -> None:
        row = self.rows[chosen]
        if self.model.may_mark(row.pk):
            moves.mark_performed(row, actor="alice", confirmed=True)
            self.model.mark(row.pk)
        else:
            with pytest.raises(lifecycle.StatusRefused):
                moves.mark_performed(row, actor="alice", confirmed=True)
        self.check_items()

    @rule(chosen=st.integers(0, 2))
    def a_person_takes_a_mark_back(self, chosen: int) -> None:
        row = self.rows[chosen]
        if row.pk in self.model.just_marked:
            moves.take_back_mark(row, actor="alice")
            self.model.take_back(row.pk)
        else:
            with pytest.raises(lifecycle.StatusRefused):
                moves.take_back_mark(row, actor="alice")
        self.check_items()

    @precondition(lambda self: self.kills < MOST_KILLS and len(self.model.steps) > 1)
    @rule()
    def the_server_is_killed_and_started_again(self) -> None:
        self.kill()

    def kill(self) -> None:
        type(self).kills += 1
        self.server.stop(signal.SIGKILL)
        self.user.socket.close()
        type(self).server = type(self).start()
        self.user = self.associate()
        for uid in self.uids:
            self.check_step(uid)

    def check(self, answer: Response, expected: int, number: int) -> None:
        assert answer.status == expected
        assert answer.command.get("ErrorID") == (0xA710 if expected == FAILURE else None)
        self.check_step(self.uids[number])

    def check_step(self, uid: str) -> None:
        """Check what the server tells of the step, and all items."""
        self.check_items()
        answer = self.user.n_get(uid, context=3)
        step = self.model.steps.get(uid)
        if step is None:
            assert answer.status == NO_SUCH_INSTANCE
            return
        assert answer.status == SUCCESS
        told = read_dataset(BytesIO(answer.identifier), is_implicit_VR=True, is_little_endian=True)
        assert told.PerformedProcedureStepStatus == step.status
        assert told.PerformedProcedureStepDescription == step.description
        assert [each.SeriesInstanceUID for each in told.PerformedSeriesSequence] == step.series
        assert told.PerformedProcedureStepEndDate == step.end_date
        assert (told.PatientID, told.Modality) != ("OTHER", "CT")
        stored = PerformedStep.objects.get(sop_instance_uid=uid)
        assert sorted(stored.links.values_list("item", flat=True)) == sorted(step.items)
        assert stored.history.count() == step.messages

    def check_items(self) -> None:
        rows = WorklistItem.objects.in_bulk(list(self.model.items))
        assert {pk: row.performed_procedure_step_status for pk, row in rows.items()} == self.model.items
        assert {pk: row.performed_by_evidence for pk, row in rows.items()} == self.model.evidence

    def teardown(self) -> None:
        if hasattr(self, "user"):
            if not self.kills and len(self.model.steps) > 1:  # chance has not chosen it yet
                self.kill()
            for uid in self.uids:
                self.check_step(uid)
            self.user.release()
            self.user.socket.close()


def unscheduled(row: WorklistItem) -> Dataset:
    """Make a scheduled step of the scanner's own, with a study of its own."""
    nothing = {"AccessionNumber": "", "RequestedProcedureID": "", "ScheduledProcedureStepID": ""}
    return steps.scheduled_step(row, StudyInstanceUID="1.2.840.99.3", **nothing)


def modifications(sent: dict[str, Any], reason: str, more: dict[str, str]) -> Dataset:
    """Make the Modification List of an N-SET that sends these fields of Step."""
    values: dict[str, Any] = {"SpecificCharacterSet": steps.UTF_8, **more}
    keywords = {
        "status": "PerformedProcedureStepStatus",
        "description": "PerformedProcedureStepDescription",
        "end_date": "PerformedProcedureStepEndDate",
    }
    values |= {keyword: sent[name] for name, keyword in keywords.items() if name in sent}
    if "series" in sent:
        values["PerformedSeriesSequence"] = [
            steps.series(SeriesInstanceUID=uid, images=1) for uid in sent["series"]
        ]
    if reason and sent.get("status") == "DISCONTINUED":
        codes = [steps.code(reason, "")]
        values["PerformedProcedureStepDiscontinuationReasonCodeSequence"] = codes
    return data_set(values)


@pytest.mark.acceptance("D212", "CL98")
def test_whatever_scanners_send_and_whenever_the_server_dies_the_states_are_the_models(
    transactional_db: None, start_server: StartServer
) -> None:
    class WalkHere(Walk):
        start = staticmethod(start_server)
        server = start_server()
        kills = 0

    run_state_machine_as_test(
        WalkHere,
        settings=settings(
            max_examples=tries(8, nightly=20),
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert WalkHere.kills
    WalkHere.server.stop()
