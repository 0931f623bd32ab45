"""Performed steps are served: transfer syntaxes, associations, PDUs, the database away, the log, time.

The server is a real `manage.py run_mwl`. What its answers say is in test_mpps_acceptance.py.
"""

from __future__ import annotations

import select
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests import scu
from tests.conftest import wait_until
from tests.scu import Answer, Message, keys
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import SOON, RunningServer, StartServer, make_item
from tests.worklist.performed_steps import change, create
from worklist.models import (
    Attention,
    AttentionKind,
    Device,
    PerformedSeries,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    Status,
    WorklistItem,
)

pytestmark = pytest.mark.django_db(transaction=True)

Perform = Callable[..., list[Answer]]
Items = Callable[..., list[Any]]
SUCCESS, FAILURE, UNRECOGNIZED_OPERATION = 0x0000, 0x0110, 0x0211


def status_of(item: Any) -> str:
    return WorklistItem.objects.get(pk=item.pk).performed_procedure_step_status


def statuses(answers: list[Answer]) -> list[int | None]:
    return [answer.status for answer in answers]


def offered_to(user: scu.RawUser) -> int:
    """Return how many items a query on the user's association finds."""
    user.find(keys(PatientID=""))
    return sum(response.status == 0xFF00 for response in user.responses())


class TestAssociations:
    @pytest.mark.parametrize(
        "transfer_syntax",
        [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian],
        ids=["implicit", "explicit", "deflated"],
    )
    def test_every_transfer_syntax_is_understood_and_answered_in(
        self, perform: Perform, items: Items, transfer_syntax: str
    ) -> None:
        (item,) = items(patient_name="MÜLLER^JÖRG")
        uid = steps.new_uid()
        *answers, retrieved = perform(
            create(uid, steps.begun(item)),
            change(uid, steps.progress(steps.series(1))),
            change(uid, steps.completed(steps.series(1), steps.series(2))),
            Message("N-GET", uid, sop_class=scu.MPPS_RETRIEVE),
            transfer_syntaxes=[transfer_syntax],
        )
        assert statuses(answers) == [SUCCESS] * 3
        assert retrieved.status == SUCCESS
        assert retrieved.dataset is not None
        assert retrieved.dataset.PatientName == "MÜLLER^JÖRG"
        assert len(retrieved.dataset.PerformedSeriesSequence) == 2
        step = PerformedStep.objects.get()
        assert (step.deviations, step.status) == ([], PerformedStatus.COMPLETED)
        assert status_of(item) == Status.COMPLETED

    @pytest.mark.parametrize("end", ["release", "abort"])
    @pytest.mark.parametrize("associations", ["one", "each its own"])
    def test_messages_come_on_one_association_or_on_several(
        self, perform: Perform, items: Items, associations: str, end: str
    ) -> None:
        (item,) = items()
        uid = steps.new_uid()
        done = [steps.series(number) for number in range(1, 4)]
        messages = [
            create(uid, steps.begun(item)),
            *(change(uid, steps.progress(*done[:number])) for number in range(1, 4)),
            change(uid, steps.completed(*done)),
        ]
        groups = [messages] if associations == "one" else [[message] for message in messages]
        answers = [answer for group in groups for answer in perform(*group, end=end)]
        assert statuses(answers) == [SUCCESS] * 5
        assert PerformedStep.objects.get().series.count() == 3
        assert status_of(item) == Status.COMPLETED

    def test_steps_may_overlap_on_one_association(self, perform: Perform, items: Items) -> None:
        made = items(3)
        uids = [steps.new_uid() for _ in made]
        begun = [create(uid, steps.begun(item)) for uid, item in zip(uids, made, strict=True)]
        ends = [steps.completed(), steps.discontinued(), steps.completed()]
        ended = [change(uid, dataset) for uid, dataset in zip(uids, ends, strict=True)]
        assert statuses(perform(*begun, *reversed(ended))) == [SUCCESS] * 6
        assert [status_of(item) for item in made] == [
            Status.COMPLETED,
            Status.DISCONTINUED,
            Status.COMPLETED,
        ]

    @pytest.mark.acceptance("D82")
    def test_a_scanner_queries_and_reports_on_one_association(self, perform: Perform, items: Items) -> None:
        (item,) = items()
        uid = steps.new_uid()
        find = Message("C-FIND", dataset=keys({"ScheduledProcedureStepStatus": ""}, PatientID="P1"))
        first, echo, begun, started, ended, last, retrieved = perform(
            find,
            Message("C-ECHO"),
            create(uid, steps.begun(item)),
            find,
            change(uid, steps.completed()),
            find,
            Message("N-GET", uid, sop_class=scu.MPPS_RETRIEVE, tags=(0x00400252,)),
        )
        answers = [first, echo, begun, started, ended, last, retrieved]
        assert statuses(answers) == [SUCCESS] * 7
        told = [
            [found.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStatus for found in answer.found]
            for answer in (first, started, last)
        ]
        assert told == [["SCHEDULED"], ["STARTED"], []]

    def test_a_stranger_may_not_report(self, perform: Perform, items: Items) -> None:
        (item,) = items()
        Device.objects.create(ae_title="MR1")
        with pytest.raises(ConnectionError):
            perform(create(steps.new_uid(), steps.begun(item)), calling="STRANGER")
        assert not PerformedStep.objects.exists()
        assert statuses(perform(create(steps.new_uid(), steps.begun(item)))) == [SUCCESS]

    def test_an_association_that_breaks_within_a_message_leaves_nothing(
        self, server: RunningServer, items: Items
    ) -> None:
        (item,) = items()
        encoded = scu.implicit(steps.begun(item))
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            command = scu.data_set(
                AffectedSOPClassUID=scu.MPPS,
                CommandField=0x0140,
                AffectedSOPInstanceUID=steps.new_uid(),
                MessageID=1,
                CommandDataSetType=1,
            )
            user.socket.sendall(scu.p_data(3, scu.with_group_length(command)))
            user.socket.sendall(scu.p_data(0, encoded[:200]))  # not the last fragment
        wait_until(lambda: server.is_at_rest)
        assert not PerformedStep.objects.exists()
        assert status_of(item) == Status.SCHEDULED

    @pytest.mark.parametrize("left", [1, 200, 0.5, -1], ids=["one byte", "200 bytes", "half", "all but one"])
    def test_a_data_set_that_is_cut_off_is_refused_and_the_association_stays(
        self, server: RunningServer, items: Items, left: float
    ) -> None:
        (item,) = items()
        encoded = scu.implicit(steps.begun(item))
        cut = encoded[: int(len(encoded) * left) if isinstance(left, float) else left]
        uid = steps.new_uid()
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            refused = user.n_create(uid, cut)
            assert refused.status == FAILURE
            assert refused.command.ErrorComment
            assert not PerformedStep.objects.exists()
            assert user.n_create(uid, encoded).status == SUCCESS
            last = scu.implicit(steps.completed())
            assert user.n_set(uid, last[: int(len(last) * 0.5)]).status == FAILURE
            assert PerformedStep.objects.get().status == PerformedStatus.IN_PROGRESS
            assert user.n_set(uid, last).status == SUCCESS
        assert status_of(item) == Status.COMPLETED

    def test_a_message_without_a_data_set_is_answered(self, server: RunningServer, items: Items) -> None:
        (item,) = items()
        uid = steps.new_uid()
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            assert user.n_create(uid, b"").status == 0x0120
            assert user.n_create(uid, scu.implicit(steps.begun(item))).status == SUCCESS
            assert user.n_set(uid, b"").status == SUCCESS
            assert user.n_set(uid, scu.implicit(steps.completed())).status == SUCCESS
        assert status_of(item) == Status.COMPLETED

    @pytest.mark.parametrize("max_pdu", [128, 4096, 16384, 65536, 0], ids=lambda size: f"D81, {size}")
    def test_no_pdu_of_an_answer_is_longer_than_the_peer_takes(
        self, server: RunningServer, items: Items, max_pdu: int
    ) -> None:
        (item,) = items()
        uid = steps.new_uid()
        done = [steps.series(number, images=40) for number in range(1, 4)]
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS, beside=[scu.MPPS_RETRIEVE], max_pdu=max_pdu)
            user.pdu_lengths.clear()
            assert user.n_create(uid, scu.implicit(steps.begun(item))).status == SUCCESS
            assert user.n_set(uid, scu.implicit(steps.completed(*done))).status == SUCCESS
            retrieved = user.n_get(uid, context=3)
        assert retrieved.status == SUCCESS
        assert len(retrieved.identifier) > 10_000
        assert not max_pdu or max(user.pdu_lengths) <= max_pdu

    def test_a_step_of_thousands_of_images_is_kept(self, perform: Perform, items: Items) -> None:
        (item,) = items()
        uid = steps.new_uid()
        done = [steps.series(number, images=1000) for number in range(1, 6)]
        answers = perform(create(uid, steps.begun(item)), change(uid, steps.completed(*done)))
        assert statuses(answers) == [SUCCESS, SUCCESS]
        assert list(PerformedSeries.objects.values_list("image_count", flat=True)) == [1000] * 5


@pytest.mark.acceptance("D131")
class TestOperations:
    @pytest.mark.parametrize("sop_class", [scu.MPPS, scu.MPPS_RETRIEVE], ids=["MPPS", "Retrieve"])
    @pytest.mark.parametrize("operation", ["N-ACTION", "N-DELETE"])
    def test_what_neither_class_has_is_refused_and_the_association_stays(
        self, perform: Perform, items: Items, operation: str, sop_class: str
    ) -> None:
        (item,) = items()
        uid = steps.new_uid()
        answers = perform(
            create(uid, steps.begun(item)),
            Message(operation, uid, sop_class=sop_class),
            change(uid, steps.completed()),
            Message("C-FIND", dataset=keys(PatientID="")),
        )
        assert statuses(answers) == [SUCCESS, UNRECOGNIZED_OPERATION, SUCCESS, SUCCESS]
        assert status_of(item) == Status.COMPLETED

    def test_what_the_other_class_has_is_refused_and_the_association_stays(
        self, perform: Perform, items: Items
    ) -> None:
        (item,) = items()
        uid, other = steps.new_uid(), steps.new_uid()
        answers = perform(
            create(uid, steps.begun(item)),
            Message("N-CREATE", other, steps.begun(item), sop_class=scu.MPPS_RETRIEVE),
            Message("N-SET", uid, steps.completed(), sop_class=scu.MPPS_RETRIEVE),
            Message("N-GET", uid, sop_class=scu.MPPS),
            Message("C-ECHO"),
        )
        assert statuses(answers) == [SUCCESS, *[UNRECOGNIZED_OPERATION] * 3, SUCCESS]
        step = PerformedStep.objects.get()
        assert (step.sop_instance_uid, step.status) == (uid, PerformedStatus.IN_PROGRESS)
        assert status_of(item) == Status.IN_PROGRESS

    def test_the_context_decides_and_not_the_class_that_the_message_names(
        self, server: RunningServer, items: Items
    ) -> None:
        (item,) = items()
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS, beside=[scu.MPPS_RETRIEVE, scu.WORKLIST])
            encoded = scu.implicit(steps.begun(item))
            assert user.n_create(steps.new_uid(), encoded, context=3).status == UNRECOGNIZED_OPERATION
            assert not PerformedStep.objects.exists()
            assert user.n_create(steps.new_uid(), encoded, context=1).status == SUCCESS


@contextmanager
def renamed(table: str) -> Iterator[None]:
    """Keep the table from the database as long as it lasts."""
    _execute(f"ALTER TABLE {table} RENAME TO {table}_gone")
    try:
        yield
    finally:
        _execute(f"ALTER TABLE {table}_gone RENAME TO {table}")


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def locked() -> Iterator[None]:
    """Keep others from writing as long as it lasts."""
    with transaction.atomic():  # SQLite takes its write lock here
        if connection.vendor == "postgresql":
            _execute(f"LOCK TABLE {PerformedStep._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        yield


def everything() -> list[Any]:
    """Return all rows of what a report writes."""
    models = [
        PerformedStep,
        PerformedSeries,
        PerformedStepItem,
        Attention,
        WorklistItem,
        PerformedStep.history.model,
        PerformedStepItem.history.model,
        WorklistItem.history.model,
    ]
    return [list(model.objects.order_by("pk").values()) for model in models]


class TestDatabase:
    @pytest.mark.parametrize(
        "model",
        [
            PerformedStep,
            PerformedSeries,
            PerformedStepItem,
            WorklistItem,
            Attention,
            PerformedStep.history.model,
            WorklistItem.history.model,
        ],
        ids=lambda model: model.__name__,
    )
    def test_without_a_table_a_report_fails_whole_and_the_association_stays(
        self, server: RunningServer, items: Items, model: Any
    ) -> None:
        first, second = items(2)
        running, new = steps.new_uid(), steps.new_uid()
        written = len(server.log)
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            # Its name differs: every table has something to write.
            series = {"PerformedSeriesSequence": [steps.series()]}
            retyped = scu.implicit(steps.begun(first, PatientName="OTHER^NAME"))
            assert user.n_create(running, retyped).status == SUCCESS
            before = everything()
            last = scu.implicit(steps.completed(PerformedProcedureStepEndDate=""))
            other = scu.implicit(steps.begun(second, PatientName="OTHER^NAME", **series))
            with renamed(model._meta.db_table):
                failed = [user.n_create(new, other), user.n_set(running, last)]
            assert [answer.status for answer in failed] == [FAILURE, FAILURE]
            assert all(answer.command.ErrorComment for answer in failed)
            assert everything() == before
            assert user.n_create(new, other).status == SUCCESS
            assert user.n_set(running, last).status == SUCCESS
        assert (status_of(first), status_of(second)) == (Status.COMPLETED, Status.IN_PROGRESS)
        assert "OTHER" not in server.log[written:]
        assert "Traceback" not in server.log[written:]

    def test_a_retrieval_without_the_table_is_refused(self, server: RunningServer, items: Items) -> None:
        (item,) = items()
        uid = steps.new_uid()
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS, beside=[scu.MPPS_RETRIEVE])
            user.n_create(uid, scu.implicit(steps.begun(item)))
            with renamed(PerformedStep._meta.db_table):
                assert user.n_get(uid, context=3).status == FAILURE
            assert user.n_get(uid, context=3).status == SUCCESS

    def test_a_locked_database_is_waited_for(self, server: RunningServer, items: Items) -> None:
        (item,) = items()
        uid = steps.new_uid()
        command = scu.data_set(AffectedSOPClassUID=scu.MPPS, CommandField=0x0140, AffectedSOPInstanceUID=uid)
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            with locked():
                user.post(command, scu.implicit(steps.begun(item)))
                answered, _, _ = select.select([user.socket], [], [], 0.3)
                assert not answered
            assert user.response().status == SUCCESS
            assert user.n_set(uid, scu.implicit(steps.completed())).status == SUCCESS
        assert status_of(item) == Status.COMPLETED


@pytest.mark.acceptance("D135")
def test_queries_are_answered_while_many_report(
    server: RunningServer, users: ProcessPoolExecutor, transactional_db: None
) -> None:
    made = WorklistItem.objects.bulk_create(
        [make_item(number, scheduled_station_aetitle=f"MR{number % 20}") for number in range(1, 2001)]
    )
    reports = []
    for share in (made[:15], made[15:30]):
        messages = []
        for item in share:
            uid = steps.new_uid()
            messages += [create(uid, steps.begun(item)), change(uid, steps.completed())]
        reports.append(users.submit(scu.perform, server.port, messages))
    waited: list[float] = []
    with server.raw() as user:
        user.associate()
        while not all(report.done() for report in reports) or len(waited) < 5:
            started = time.monotonic()
            user.find(keys({"ScheduledStationAETitle": "MR3"}, PatientID=""))
            responses = user.responses()
            assert next(responses).status == 0xFF00
            waited.append(time.monotonic() - started)
            assert [response.status for response in responses][-1] == SUCCESS
    assert all(statuses(report.result(SOON)) == [SUCCESS] * 30 for report in reports)
    assert statistics.median(waited) < 1
    ended = WorklistItem.objects.filter(performed_procedure_step_status=Status.COMPLETED)
    assert set(ended.values_list("pk", flat=True)) == {item.pk for item in made[:30]}


@pytest.mark.acceptance("D127")
def test_a_step_that_never_ends_is_told_of_once(
    transactional_db: None, start_server: StartServer, perform: Perform, items: Items
) -> None:
    watching = start_server(ATTENTION_INTERVAL="1", MPPS_STALE_HOURS="2")
    first, second = items(2, scheduled_start_date=timezone.localdate())
    old, new = steps.new_uid(), steps.new_uid()
    perform(create(old, steps.begun(first)), create(new, steps.begun(second)))
    stale = Attention.objects.open().filter(kind=AttentionKind.STALE)
    began = timezone.now() - timedelta(hours=2, minutes=1)
    PerformedStep.objects.filter(sop_instance_uid=old).update(created_at=began)
    wait_until(stale.exists)
    assert stale.values_list("step__sop_instance_uid", flat=True).get() == old
    PerformedStep.objects.filter(sop_instance_uid=new).update(created_at=began)
    wait_until(lambda: stale.count() == 2)  # another sweep: of the first it says nothing again
    assert Attention.objects.count() == 2
    assert status_of(first) == Status.IN_PROGRESS
    # The scanner comes back, and what was shown is over.
    assert statuses(perform(change(old, steps.completed()), port=watching.port)) == [SUCCESS]
    assert stale.values_list("step__sop_instance_uid", flat=True).get() == new
    assert status_of(first) == Status.COMPLETED
    watching.stop()


class TestLog:
    @pytest.mark.acceptance("D94")
    def test_the_log_tells_of_reports_and_of_no_participant(
        self, server: RunningServer, perform: Perform, items: Items
    ) -> None:
        (item,) = items(
            patient_name="SECRETNAME^ANN", patient_id="SECRETID", procedure_description="SECRETTEXT"
        )
        written = len(server.log)
        uid = steps.new_uid()
        secret = {"PatientName": "SECRETOTHER^NAME", "PatientID": "SECRETID2", "PatientBirthDate": "19010203"}
        shown = {"PerformedProcedureStepDescription": "SECRETTEXT", "PatientSex": "SECRETSEX"}
        answers = perform(
            create(uid, steps.begun(item, **{**secret, **shown})),
            create(uid, steps.begun(item)),
            create(steps.new_uid(), steps.begun(item, PerformedProcedureStepStatus="SECRET STATUS")),
            change(uid, steps.progress(PerformedProcedureStepStatus="SECRETNAME")),
            change(uid, steps.progress(**{**secret, "PatientID": "SECRETID3"})),
            change(uid, steps.discontinued(reason=("SECRETCODE", "SECRET MEANING"))),
            change(uid, steps.completed()),
            change("1.2.3.4.5.6", steps.completed()),
            Message("N-GET", uid, sop_class=scu.MPPS_RETRIEVE),
            Message("N-DELETE", uid),
        )
        assert statuses(answers) == [0, 0x0111, 0x0106, 0x0106, 0x0107, 0, 0x0110, 0x0112, 0, 0x0211]
        assert "SECRET" not in "".join(answer.comment for answer in answers)
        wait_until(lambda: "association released" in server.log[written:])
        log = server.log[written:]
        assert log.count("MR1 at 127.0.0.1: N-CREATE in ") == 3
        assert log.count("MR1 at 127.0.0.1: N-SET in ") == 5
        assert "status 0112" in log
        assert "SECRET" not in log.upper()
        assert "1901" not in log
        assert "Traceback" not in log

    def test_what_cannot_be_read_is_not_quoted(self, server: RunningServer, items: Items) -> None:
        (item,) = items()
        written = len(server.log)
        dataset = steps.begun(item, PatientName="SECRETNAME^ANN", PatientID="SECRETID")
        encoded = scu.implicit(dataset)
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            assert user.n_create(steps.new_uid(), encoded[:-30]).status == FAILURE
            broken = encoded.replace(b"SECRETNAME", b"SECRET\xff\xfe\x00\x1b")
            assert user.n_create(steps.new_uid(), broken).status == SUCCESS
            user.release()
        wait_until(lambda: "association released" in server.log[written:])
        assert "SECRET" not in server.log[written:].upper()

    def test_a_participant_in_a_uid_of_the_command_is_not_quoted(
        self, server: RunningServer, items: Items
    ) -> None:
        written = len(server.log)
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            user.n_set("SECRETNAME", scu.implicit(steps.completed()))
            user.release()
        wait_until(lambda: "association released" in server.log[written:])
        assert "SECRET" not in server.log[written:].upper()
