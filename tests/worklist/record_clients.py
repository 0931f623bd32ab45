"""Record anew what clients send: `python -m tests.worklist.record_clients PORT`, of a running server.

A proxy between client and server keeps the bytes of the one direction in tests/worklist/recordings.
All values are made up.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from tests import scu
from tests.conftest import dcmtk, tool
from tests.scu import Message, data_set, keys
from tests.worklist.mutations import PATIENT_ID, PATIENT_NAME, RECORDINGS

DCMJS = Path(__file__).resolve().parents[1] / "dcmjs" / "ask.js"
STEP = "1.2.826.0.1.3680043.2.1143.77"
PATIENCE = 20  # seconds


@contextmanager
def recorded(port: int, path: Path) -> Iterator[int]:
    """Give the port of a proxy for one connection, and write what its client sends."""
    sent = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Thread(target=_relay, args=(listener, port, sent))
        proxy.start()
        yield listener.getsockname()[1]
        proxy.join(PATIENCE)
    path.write_bytes(sent)


def _relay(listener: socket.socket, port: int, sent: bytearray) -> None:
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        answers = Thread(target=_pump, args=(server, client, bytearray()))
        answers.start()
        _pump(client, server, sent)
        answers.join(PATIENCE)


def _pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    try:
        while received := source.recv(65536):
            kept += received
            target.sendall(received)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other side has closed
        return


def program(*command: str) -> Callable[[int], None]:
    """Return how the program is run; it finds the port in place of PORT."""

    def run(port: int) -> None:
        arguments = [str(port) if each == "PORT" else each for each in command]
        subprocess.run(arguments, check=True, timeout=PATIENCE, capture_output=True)

    return run


def findscu(*options: str) -> Callable[[int], None]:
    asked = (
        *(f"PatientName={PATIENT_NAME}", f"PatientID={PATIENT_ID}", "PatientBirthDate", "StudyInstanceUID"),
        *("RequestedProcedureID", "(0040,0100)[0].ScheduledStationAETitle=MR1"),
        *("(0040,0100)[0].ScheduledProcedureStepStartDate=20260110-20260112", "(0040,0100)[0].Modality=MR"),
    )
    named = [part for key in asked for part in ("-k", key)]
    return program(dcmtk("findscu"), "-W", "-aet", "MR1", *options, *named, "127.0.0.1", "PORT")


def query(port: int) -> None:
    step = {"Modality": "MR", "ScheduledStationAETitle": "MR1", "ScheduledProcedureStepStartDate": "20260110"}
    identifier = keys(step, PatientName=PATIENT_NAME, PatientID=PATIENT_ID, PatientWeight="")
    scu.query(port, identifier, transfer_syntaxes=(ExplicitVRLittleEndian,), beside=[scu.VERIFICATION])


def report(port: int) -> None:
    messages = [
        Message("N-CREATE", STEP, _begun()),
        Message("N-SET", STEP, _ended()),
        Message("N-GET", STEP, sop_class=scu.MPPS_RETRIEVE),
    ]
    scu.perform(port, messages)


def _begun() -> Dataset:
    scheduled = data_set(
        StudyInstanceUID="1.2.826.0.1.3680043.2.1143.1",
        ReferencedStudySequence=[],
        AccessionNumber="A77",
        RequestedProcedureID="R77",
        RequestedProcedureDescription="Brain",
        ScheduledProcedureStepID="S77",
        ScheduledProcedureStepDescription="Brain MRI",
        ScheduledProtocolCodeSequence=[],
    )
    return data_set(
        Modality="MR",
        ProcedureCodeSequence=[],
        ReferencedPatientSequence=[],
        PatientName=PATIENT_NAME,
        PatientID=PATIENT_ID,
        PatientBirthDate="19800229",
        PatientSex="F",
        StudyID="1",
        PerformedStationAETitle="MR1",
        PerformedStationName="",
        PerformedLocation="",
        PerformedProcedureStepStartDate="20260110",
        PerformedProcedureStepStartTime="093112",
        PerformedProcedureStepEndDate="",
        PerformedProcedureStepEndTime="",
        PerformedProcedureStepStatus="IN PROGRESS",
        PerformedProcedureStepID="P77",
        PerformedProcedureStepDescription="",
        PerformedProcedureTypeDescription="",
        PerformedProtocolCodeSequence=[],
        PerformedSeriesSequence=[],
        ScheduledStepAttributesSequence=[scheduled],
    )


def _ended() -> Dataset:
    images = [
        data_set(
            ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.4", ReferencedSOPInstanceUID=f"{STEP}.{number}"
        )
        for number in range(3)
    ]
    series = data_set(
        RetrieveAETitle="",
        SeriesDescription="t1",
        PerformingPhysicianName="",
        OperatorsName=PATIENT_NAME,
        ReferencedImageSequence=images,
        ProtocolName="t1",
        SeriesInstanceUID=f"{STEP}.9",
        ReferencedNonImageCompositeSOPInstanceSequence=[],
    )
    return data_set(
        PerformedProcedureStepEndDate="20260110",
        PerformedProcedureStepEndTime="101500",
        PerformedProcedureStepStatus="COMPLETED",
        PerformedSeriesSequence=[series],
    )


def clients() -> dict[str, Callable[[int], None]]:
    return {
        "echoscu": program(dcmtk("echoscu"), "-aet", "MR1", "127.0.0.1", "PORT"),
        "findscu": findscu(),
        "findscu-implicit": findscu("-xi"),
        "findscu-deflated": findscu("-xd"),
        "findscu-small-pdu": findscu("-pdu", "4096"),
        "pynetdicom-query": query,
        "pynetdicom-report": report,
        "dcmjs-dimse": program(tool("node"), str(DCMJS), "find", "PORT", "MR1"),
    }


def main() -> None:
    RECORDINGS.mkdir(exist_ok=True)
    for name, run in clients().items():
        with recorded(int(sys.argv[1]), RECORDINGS / f"{name}.bin") as port:
            run(port)


if __name__ == "__main__":
    main()
