"""test_mpps reports a performed procedure step as a scanner does, to our server and to odd ones.

An odd server is a pynetdicom one in a process of its own: it records what it gets, and answers as it is
told.
"""

from __future__ import annotations

import multiprocessing
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event

from tests.scu import MPPS, WORKLIST
from tests.worklist.commands import Outcome
from tests.worklist.conftest import SOON, RunningServer, test_database_environment
from worklist.management import client

Items = Callable[..., list[Any]]
Received = tuple[str, str, Dataset]  # operation, SOP Instance UID, data set

SOP_UID = "2.25.4711"
NO_LONGER = "Performed Procedure Step Object may no longer be updated"

# PS3.4 Table F.7.2-1: what an N-CREATE must hold, types 1 and 2.
TYPE_1 = {
    "ScheduledStepAttributesSequence",
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepStatus",
    "Modality",
}
TYPE_2 = {
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "ReferencedPatientSequence",
    "PerformedStationName",
    "PerformedLocation",
    "PerformedProcedureStepDescription",
    "PerformedProcedureTypeDescription",
    "ProcedureCodeSequence",
    "PerformedProcedureStepEndDate",
    "PerformedProcedureStepEndTime",
    "StudyID",
    "PerformedProtocolCodeSequence",
    "PerformedSeriesSequence",
}
DISCONTINUATION = "PerformedProcedureStepDiscontinuationReasonCodeSequence"  # to be set it must be created
OF_A_SCHEDULED_STEP = {
    "StudyInstanceUID",
    "ReferencedStudySequence",
    "AccessionNumber",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
}
OF_A_SERIES = {
    "PerformingPhysicianName",
    "ProtocolName",
    "OperatorsName",
    "SeriesInstanceUID",
    "SeriesDescription",
    "RetrieveAETitle",
    "ReferencedImageSequence",
    "ReferencedNonImageCompositeSOPInstanceSequence",
}


def dataset(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def entry(study: str = "1.2.3.1", step: str = "S1", **values: Any) -> Dataset:
    """Make a worklist entry in Latin-1."""
    reference = dataset(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=study)
    code = dataset(CodeValue="HEAD", CodingSchemeDesignator="99LAB", CodeMeaning="Kopf für Präzision")
    scheduled = dataset(
        ScheduledProcedureStepID=step,
        ScheduledProcedureStepDescription="Schädel",
        ScheduledProtocolCodeSequence=[code],
        ScheduledProcedureStepStatus="SCHEDULED",
        Modality="MR",
    )
    made = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ScheduledProcedureStepSequence": [scheduled],
        "StudyInstanceUID": study,
        "ReferencedStudySequence": [reference],
        "AccessionNumber": "A1",
        "RequestedProcedureID": "R1",
        "RequestedProcedureDescription": "Gehirn",
        "RequestedProcedureCodeSequence": [code],
        "PatientName": "MÜLLER^JÖRG",
        "PatientID": "P1",
        "PatientBirthDate": "19900131",
        "PatientSex": "M",
    }
    return dataset(**{**made, **values})


@dataclass
class Script:
    """A server offers and answers these; `status` are the elements of the answer to N-CREATE and N-SET."""

    entries: list[Dataset] = field(default_factory=lambda: [entry()])
    find_status: int = 0x0000
    status: Dataset = field(default_factory=lambda: dataset(Status=0x0000))
    aborts_at: str = ""  # an operation
    services: tuple[str, ...] = (WORKLIST, MPPS)


def serve(connection: Connection) -> None:
    """Serve one script after another, and send back what is received."""
    while (script := connection.recv()) is not None:
        server = start(script, connection)
        connection.send(server.server_address[1])
        connection.recv()
        # It looks twice a second whether it is to stop: nobody waits for that.
        Thread(target=server.shutdown, daemon=True).start()


def start(script: Script, connection: Connection) -> Any:
    def find(event: Event) -> Iterator[tuple[int, Dataset | None]]:
        record(event, "C-FIND", "", event.identifier)
        for answer in script.entries:
            yield 0xFF00, answer
        if script.find_status:
            yield script.find_status, None

    def create(event: Event) -> tuple[Dataset, None]:
        request: Any = event.request
        record(event, "N-CREATE", str(request.AffectedSOPInstanceUID), event.attribute_list)
        return script.status, None

    def modify(event: Event) -> tuple[Dataset, None]:
        request: Any = event.request
        record(event, "N-SET", str(request.RequestedSOPInstanceUID), event.modification_list)
        return script.status, None

    def record(event: Event, operation: str, uid: str, received: Dataset) -> None:
        received.decode()
        connection.send((operation, uid, received))
        if operation == script.aborts_at:
            event.assoc.abort()

    entity = AE()
    for service in script.services:
        # Different ones, so that nothing passes from one to the other in its own bytes.
        syntax = ImplicitVRLittleEndian if service == WORKLIST else ExplicitVRLittleEndian
        entity.add_supported_context(service, syntax)
    handlers = [(evt.EVT_C_FIND, find), (evt.EVT_N_CREATE, create), (evt.EVT_N_SET, modify)]
    return entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)  # type: ignore[arg-type]


@dataclass
class OddServer:
    """`serve` runs in this process; `begin` starts the server of a script."""

    connection: Connection
    port: int = 0

    def begin(self, script: Script) -> None:
        self.connection.send(script)
        self.port = self._next()

    def end(self) -> None:
        self.connection.send("end")

    def received(self) -> Received:
        """Return the next message."""
        operation, uid, data = self._next()
        return operation, uid, data

    def reported(self) -> Received:
        """Return the next N-CREATE or N-SET."""
        while (received := self.received())[0] == "C-FIND":
            pass
        return received

    def _next(self) -> Any:
        assert self.connection.poll(SOON), "The server was not asked."
        return self.connection.recv()


@pytest.fixture(scope="module")
def odd_process() -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=serve, args=(its,), daemon=True)
    process.start()
    yield ours
    ours.send(None)
    process.join(SOON)
    ours.close()
    its.close()


@pytest.fixture
def odd(odd_process: Connection) -> Iterator[Callable[..., OddServer]]:
    """Return `odd(...)`, which starts a server by the script that the arguments make."""
    begun: list[OddServer] = []

    def begin(**script: Any) -> OddServer:
        server = OddServer(odd_process)
        server.begin(Script(**script))
        begun.append(server)
        return server

    yield begin
    for server in begun:
        server.end()
    while odd_process.poll():
        odd_process.recv()


Odd = Callable[..., OddServer]


def run(server: RunningServer | OddServer, *arguments: str) -> str:
    out = StringIO()
    call_command("test_mpps", "--port", str(server.port), *arguments, stdout=out)
    return out.getvalue()


def create(server: RunningServer | OddServer, *arguments: str, study: str = "1.2.3.1") -> str:
    return run(server, "--mpps_action", "create", "--study_uid", study, *arguments)


def end(
    server: RunningServer | OddServer, *arguments: str, status: str = "COMPLETED", sop_uid: str = SOP_UID
) -> str:
    return run(server, "--mpps_action", "set", "--mpps_status", status, "--sop_uid", sop_uid, *arguments)


def sop_uid_of(printed: str) -> str:
    return next(line.split()[-1] for line in printed.splitlines() if "SOP Instance UID: " in line)


def keywords(data: Dataset) -> set[str]:
    return {element.keyword for element in data}


class TestCreate:
    def test_everything_of_types_1_and_2_is_sent(self, odd: Odd) -> None:
        server = odd()
        create(server)
        operation, _, sent = server.reported()
        assert operation == "N-CREATE"
        assert keywords(sent) >= TYPE_1 | TYPE_2 | {DISCONTINUATION}
        assert all(sent.get(keyword) for keyword in TYPE_1)
        assert keywords(sent.ScheduledStepAttributesSequence[0]) >= OF_A_SCHEDULED_STEP
        assert sent.PerformedProcedureStepStatus == "IN PROGRESS"
        for keyword in ("PerformedProcedureStepEndDate", "PerformedSeriesSequence", DISCONTINUATION):
            assert not sent[keyword].value

    def test_the_entry_is_copied_as_it_is(self, odd: Odd) -> None:
        server = odd()
        create(server)
        sent = server.reported()[2]
        step, offered = sent.ScheduledStepAttributesSequence[0], entry()
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
            assert sent[keyword].value == offered[keyword].value
        for keyword in ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID"):
            assert step[keyword].value == offered[keyword].value
        assert step.ReferencedStudySequence[0].ReferencedSOPInstanceUID == "1.2.3.1"
        assert step.ScheduledProcedureStepID == "S1"
        assert step.ScheduledProtocolCodeSequence[0].CodeMeaning == "Kopf für Präzision"
        assert sent.ProcedureCodeSequence[0].CodeValue == "HEAD"
        assert (sent.Modality, sent.StudyID) == ("MR", "R1")

    @pytest.mark.parametrize(
        ("character_set", "name"),
        [
            ("ISO_IR 100", "MÜLLER^JÖRG"),
            ("ISO_IR 192", "王^小明"),
            (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
            ("ISO_IR 144", "Люкceмбypг"),
        ],
    )
    def test_the_character_set_is_that_of_the_entry(self, odd: Odd, character_set: Any, name: str) -> None:
        code = dataset(CodeValue="H", CodingSchemeDesignator="99LAB", CodeMeaning="Head")
        step = dataset(ScheduledProcedureStepID="S1", ScheduledProtocolCodeSequence=[code], Modality="MR")
        offered = entry(
            SpecificCharacterSet=character_set,
            PatientName=name,
            ScheduledProcedureStepSequence=[step],
            RequestedProcedureCodeSequence=[],
        )
        server = odd(entries=[offered])
        create(server)
        sent = server.reported()[2]
        assert sent.SpecificCharacterSet == character_set
        assert str(sent.PatientName) == name

    def test_the_step_is_performed_here_and_now(self, odd: Odd) -> None:
        from django.utils import timezone

        server, before = odd(), timezone.localtime().replace(tzinfo=None, microsecond=0)
        create(server, "--callingAEtitle", "MR7")
        sent = server.reported()[2]
        started = f"{sent.PerformedProcedureStepStartDate}{sent.PerformedProcedureStepStartTime}"
        assert timedelta(0) <= datetime.strptime(started, "%Y%m%d%H%M%S") - before < timedelta(seconds=60)
        assert sent.PerformedStationAETitle == "MR7"

    def test_each_has_identifiers_of_its_own(self, odd: Odd) -> None:
        server = odd()
        printed = [create(server), create(server)]
        sent = [server.reported(), server.reported()]
        uids = [uid for _, uid, _ in sent]
        assert uids == [sop_uid_of(text) for text in printed]
        assert len(set(uids)) == 2
        assert all(uid.startswith("2.25.") for uid in uids)
        ids = {data.PerformedProcedureStepID for *_, data in sent}
        assert len(ids) == 2
        assert all(len(each) <= 16 for each in ids)

    def test_a_sop_uid_that_is_given_is_used(self, odd: Odd) -> None:
        server = odd()
        assert sop_uid_of(create(server, "--sop_uid", SOP_UID)) == SOP_UID
        assert server.reported()[1] == SOP_UID

    def test_the_worklist_is_asked_for_the_study_and_the_step(self, odd: Odd) -> None:
        server = odd()
        create(server, "--sps_id", "S1")
        operation, _, query = server.received()
        assert operation == "C-FIND"
        assert query.StudyInstanceUID == "1.2.3.1"
        assert query.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID == "S1"
        assert all(not query[keyword].value for keyword in ("PatientName", "PatientID"))

    def test_several_steps_are_listed_and_nothing_is_sent(self, odd: Odd) -> None:
        server = odd(entries=[entry(), entry(step="S2\x07")])
        with pytest.raises(CommandError, match="2 scheduled steps") as raised:
            create(server)
        assert "--sps_id: S1, S2 ." in str(raised.value)
        assert server.received()[0] == "C-FIND"
        assert not server.connection.poll()

    def test_one_of_several_steps_is_chosen(self, odd: Odd) -> None:
        server = odd(entries=[entry(), entry(step="S2")])
        create(server, "--sps_id", "S2")
        assert server.reported()[2].ScheduledStepAttributesSequence[0].ScheduledProcedureStepID == "S2"

    def test_what_a_server_answers_beside_the_question_is_not_taken(self, odd: Odd) -> None:
        server = odd(entries=[entry(study="1.2.3.99", PatientID="OTHER"), entry()])
        create(server)
        assert server.reported()[2].PatientID == "P1"
        with pytest.raises(CommandError, match=r"does not offer the study 1\.2\.3\.5"):
            create(server, study="1.2.3.5")

    def test_the_entry_that_is_taken_is_named(self, odd: Odd) -> None:
        assert create(odd()).splitlines()[0] == "Worklist entry: step S1 SCHEDULED."

    def test_a_study_that_is_not_offered_is_explained(self, odd: Odd) -> None:
        with pytest.raises(CommandError, match="COMPLETED or CANCELLED is not offered unless its status"):
            create(odd(entries=[]))

    def test_a_query_that_fails_is_explained(self, odd: Odd) -> None:
        with pytest.raises(CommandError, match="Status A700: out of resources"):
            create(odd(find_status=0xA700))


class TestSet:
    def test_a_completed_step_has_its_end_and_a_series(self, odd: Odd) -> None:
        server = odd()
        printed = end(server, "--study_uid", "1.2.3.1")
        operation, uid, sent = server.reported()
        assert (operation, uid) == ("N-SET", SOP_UID)
        assert sent.PerformedProcedureStepStatus == "COMPLETED"
        datetime.strptime(
            f"{sent.PerformedProcedureStepEndDate}{sent.PerformedProcedureStepEndTime}", "%Y%m%d%H%M%S"
        )
        (series,) = sent.PerformedSeriesSequence
        assert keywords(series) >= OF_A_SERIES
        assert series.ProtocolName == "Kopf für Präzision"
        assert series.SeriesDescription == "Schädel"
        assert len({image.ReferencedSOPInstanceUID for image in series.ReferencedImageSequence}) == 3
        assert sent.PerformedProtocolCodeSequence[0].CodeValue == "HEAD"
        assert sent.SpecificCharacterSet == "ISO_IR 100"
        assert DISCONTINUATION not in sent
        assert "The performed step is COMPLETED." in printed

    def test_only_what_was_created_is_set(self, odd: Odd) -> None:
        server = odd()
        create(server)
        end(server, "--study_uid", "1.2.3.1", status="DISCONTINUED")
        created, modified = server.reported()[2], server.reported()[2]
        assert keywords(modified) <= keywords(created)

    def test_without_a_study_the_worklist_is_not_asked(self, odd: Odd) -> None:
        server = odd(services=(MPPS,))
        end(server)
        operation, _, sent = server.received()
        assert operation == "N-SET"
        assert sent.PerformedSeriesSequence[0].ProtocolName
        assert "SpecificCharacterSet" not in sent

    def test_a_study_that_is_not_offered_is_said_and_the_step_ends(self, odd: Odd) -> None:
        server = odd(entries=[])
        printed = end(server, "--study_uid", "1.2.3.1")
        assert "does not offer the study 1.2.3.1" in printed
        assert server.reported()[0] == "N-SET"

    @pytest.mark.parametrize(
        ("arguments", "code", "meaning"),
        [
            ([], "110513", "Discontinued for unspecified reason"),
            (["--reason", "110514"], "110514", "Incorrect worklist entry selected"),
            (["--reason", "110501"], "110501", "Equipment failure"),
        ],
    )
    def test_a_discontinued_step_has_a_reason(
        self, odd: Odd, arguments: list[str], code: str, meaning: str
    ) -> None:
        server = odd()
        end(server, *arguments, status="DISCONTINUED")
        sent = server.reported()[2]
        assert sent.PerformedProcedureStepStatus == "DISCONTINUED"
        (reason,) = sent[DISCONTINUATION].value
        assert (reason.CodeValue, reason.CodingSchemeDesignator) == (code, "DCM")
        assert reason.CodeMeaning == meaning

    def test_every_reason_of_the_context_group_may_be_given(self) -> None:
        from pydicom.sr.codedict import codes

        from worklist.management.commands.test_mpps import REASONS

        for code in codes.cid9301.concepts.values():
            assert REASONS[code.value][0] == code.scheme_designator


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "meaning"),
        [
            (0x0105, "does not know an attribute"),
            (0x0106, "a value is not allowed"),
            (0x0110, "could not process it"),
            (0x0111, "exists already. Leave out --sop_uid"),
            (0x0112, "no step has this SOP Instance UID"),
            (0x0117, "is not valid. Correct --sop_uid"),
            (0x0120, "a required attribute is missing"),
            (0x0121, "a required attribute has no value"),
            (0x0122, "does not support performed procedure steps"),
            (0x0124, "may not do it. Allow it there, or use --callingAEtitle"),
            (0x0211, "does not know the operation"),
            (0x0213, "no room or no time"),
            (0xA710, "may no longer be updated. Begin another"),
            (0xC123, "the server refused it"),
        ],
    )
    @pytest.mark.parametrize("report", [create, end])
    def test_a_failure_is_explained(
        self, odd: Odd, report: Callable[..., str], status: int, meaning: str
    ) -> None:
        server = odd(status=dataset(Status=status, ErrorComment="Because\x07of it"))
        with pytest.raises(CommandError, match=f"^Status {status:04X}: .*{meaning}") as raised:
            report(server)
        assert str(raised.value).endswith(": Because of it.")
        assert raised.value.returncode == 1

    def test_a_final_step_is_told_by_the_error_id(self, odd: Odd) -> None:
        server = odd(status=dataset(Status=0x0110, ErrorID=0xA710, ErrorComment=NO_LONGER))
        with pytest.raises(
            CommandError, match="Status 0110: Error ID A710, the step is COMPLETED or"
        ) as raised:
            end(server)
        assert str(raised.value).endswith(f"{NO_LONGER}.")

    def test_another_error_id_is_told(self, odd: Odd) -> None:
        server = odd(status=dataset(Status=0x0110, ErrorID=0x1234))
        with pytest.raises(CommandError, match="Error ID 1234, the server could not process it"):
            end(server)

    def test_the_attributes_that_an_answer_names_are_printed(self, odd: Odd) -> None:
        server = odd(status=dataset(Status=0x0121, AttributeIdentifierList=[0x00400250, 0x00400340]))
        with pytest.raises(CommandError, match=r"\(0040,0250\) \(0040,0340\)"):
            end(server)

    @pytest.mark.parametrize("status", [0x0107, 0x0116])
    @pytest.mark.parametrize("report", [create, end])
    def test_a_warning_is_told_and_the_step_stands(
        self, odd: Odd, report: Callable[..., str], status: int
    ) -> None:
        printed = report(odd(status=dataset(Status=status, ErrorComment="Ignored (0008,0060)")))
        assert f"Status {status:04X}: accepted, but" in printed
        assert "Ignored (0008,0060)" in printed
        assert "The performed step is " in printed

    def test_a_server_without_performed_steps_is_named(self, odd: Odd) -> None:
        server = odd(services=(WORKLIST,))
        with pytest.raises(CommandError, match="does not offer Modality Performed Procedure Step"):
            create(server)

    def test_an_association_that_ends_between_two_messages_is_said(
        self, odd: Odd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def find(association: Association, query: Dataset) -> client.FindResult:
            association.abort()
            return client.FindResult([entry()], dataset(Status=0x0000), 0)

        monkeypatch.setattr(client, "find", find)
        with pytest.raises(CommandError, match="The server ended the association"):
            create(odd())

    @pytest.mark.parametrize(
        ("operation", "said"),
        [("C-FIND", "after 0 answers"), ("N-CREATE", "Whether the step was reported is not known")],
    )
    def test_an_answer_that_does_not_come_is_no_success(
        self, odd: Odd, command: Callable[..., Outcome], operation: str, said: str
    ) -> None:
        port = str(odd(aborts_at=operation).port)
        arguments = ("--mpps_action", "create", "--study_uid", "1.2.3.1", "--sop_uid", SOP_UID)
        code, _, errors = command("test_mpps", "--port", port, *arguments)
        assert code == 1
        assert errors.startswith("CommandError: ")
        assert said in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mpps_action", "create"], "create needs --study_uid"),
        (
            ["--mpps_action", "create", "--study_uid", "1.2", "--mpps_status", "COMPLETED"],
            "begins as IN PROGRESS",
        ),
        (["--mpps_action", "set", "--mpps_status", "COMPLETED"], "set needs --sop_uid"),
        (["--mpps_action", "set", "--sop_uid", "1.2"], "set needs --mpps_status"),
        (
            ["--mpps_action", "set", "--sop_uid", "1.2", "--mpps_status", "COMPLETED", "--reason", "110514"],
            "needs --mpps_status DISCONTINUED",
        ),
        (
            ["--mpps_action", "set", "--sop_uid", "1.2", "--mpps_status", "COMPLETED", "--sps_id", "S1"],
            "it needs --study_uid",
        ),
        (["--mpps_action", "create", "--study_uid", "1.02"], "--study_uid"),
        (["--mpps_action", "set", "--sop_uid", "x"], "--sop_uid"),
        (["--mpps_action", "set", "--reason", "1"], "--reason"),
        ([], "--mpps_action"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anyone_is_asked(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("test_mpps", *arguments)


class TestOurServer:
    def test_a_step_is_created_and_completed(self, server: RunningServer, items: Items) -> None:
        from worklist.models import PerformedStep

        (item,) = items(1, patient_name="MÜLLER^JÖRG")
        sop_uid = sop_uid_of(create(server))
        item.refresh_from_db()
        assert item.performed_procedure_step_status == "IN_PROGRESS"
        step = PerformedStep.objects.get(sop_instance_uid=sop_uid)
        assert (step.patient_name, step.status) == ("MÜLLER^JÖRG", "IN_PROGRESS")
        assert step.deviations == []
        end(server, "--study_uid", "1.2.3.1", sop_uid=sop_uid)
        item.refresh_from_db()
        step.refresh_from_db()
        assert item.performed_procedure_step_status == step.status == "COMPLETED"
        assert step.deviations == []
        assert [series.protocol_name for series in step.series.all()] == ["Brain MRI"]

    def test_the_next_command_that_is_printed_ends_the_step(
        self, server: RunningServer, items: Items, command: Callable[..., Outcome]
    ) -> None:
        (item,) = items(1)
        arguments = ("--mpps_action", "create", "--study_uid", "1.2.3.1", "--sps_id", "S1")
        line = command("test_mpps", "--port", str(server.port), *arguments).printed.splitlines()[-1]
        subprocess.run(
            shlex.split(line),
            env={**os.environ, **test_database_environment()},
            check=True,
            timeout=30,
            stdout=subprocess.DEVNULL,
        )
        item.refresh_from_db()
        assert item.performed_procedure_step_status == "COMPLETED"

    def test_a_sop_uid_is_used_once(self, server: RunningServer, items: Items) -> None:
        items(1)
        create(server, "--sop_uid", SOP_UID)
        with pytest.raises(CommandError, match="Status 0111"):
            create(server, "--sop_uid", SOP_UID)

    def test_a_completed_step_may_no_longer_be_updated(self, server: RunningServer, items: Items) -> None:
        items(1)
        sop_uid = sop_uid_of(create(server))
        end(server, sop_uid=sop_uid)
        with pytest.raises(CommandError, match="Status 0110: Error ID A710"):
            end(server, status="DISCONTINUED", sop_uid=sop_uid)

    def test_a_step_that_was_never_created_is_not_known(self, server: RunningServer) -> None:
        with pytest.raises(CommandError, match="Status 0112: no step has this SOP Instance UID"):
            end(server)

    def test_a_reason_arrives(self, server: RunningServer, items: Items) -> None:
        from worklist.models import PerformedStep

        items(1)
        sop_uid = sop_uid_of(create(server))
        end(server, "--reason", "110505", status="DISCONTINUED", sop_uid=sop_uid)
        step = PerformedStep.objects.get(sop_instance_uid=sop_uid)
        assert (step.status, step.discontinuation_reason_code) == ("DISCONTINUED", "110505")

    @pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
    def test_what_is_over_is_not_offered(self, server: RunningServer, items: Items, status: str) -> None:
        items(1, performed_procedure_step_status=status)
        with pytest.raises(CommandError, match=r"does not offer the study 1\.2\.3\.1\. What is COMPLETED"):
            create(server)

    def test_steps_of_one_study_are_told_apart(self, server: RunningServer, items: Items) -> None:
        items(2, study_instance_uid="1.2.3.1")
        with pytest.raises(CommandError, match="Choose one of them with --sps_id: S1, S2"):
            create(server)
        create(server, "--sps_id", "S2")
