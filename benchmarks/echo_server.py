"""Plain Python answers Verification with prepared bytes: that is what C-ECHO costs at least in Python.

python -m benchmarks.echo_server --port 11112

It has a thread for each association, looks at nothing but the type and the length of a PDU, and reads no
C-FIND.
"""

from __future__ import annotations

import argparse
import socket
import struct
from threading import Thread

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from benchmarks.client import (
    ASSOCIATE_AC,
    ASSOCIATE_RQ,
    COMMAND,
    LAST,
    OTHER_CONTEXT,
    P_DATA,
    RELEASE_RESPONSE,
    RELEASE_RQ,
    SUCCESS,
    VERIFICATION,
    VERIFICATION_CONTEXT,
    WITHOUT_DATA,
    associate_pdu,
    encoded_command,
    p_data,
    pdu_item,
)

C_ECHO_RSP = 0x8030
BACKLOG = 128
ACCEPTED, NOT_SUPPORTED = 0, 3  # result of a presentation context (PS3.8 Table 9-18)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    with socket.create_server(("127.0.0.1", parser.parse_args().port), backlog=BACKLOG) as listener:
        while True:
            connection, _ = listener.accept()
            Thread(target=serve, args=(connection,), daemon=True).start()


def serve(connection: socket.socket) -> None:
    """Answer until the release, or until the user hangs up or sends what has no answer."""
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while answer := _ANSWERS.get(_read_pdu(connection)):
            connection.sendall(answer)


def _read_pdu(connection: socket.socket) -> int:
    """Return the type of the next PDU, 0 where none comes."""
    header = connection.recv(6, socket.MSG_WAITALL)
    if len(header) < 6:
        return 0
    kind, length = struct.unpack(">BxL", header)
    connection.recv(length, socket.MSG_WAITALL)
    return int(kind)


def _accept() -> bytes:
    syntax = pdu_item(0x40, ExplicitVRLittleEndian.encode())
    results = ((VERIFICATION_CONTEXT, ACCEPTED), (OTHER_CONTEXT, NOT_SUPPORTED))
    contexts = b"".join(
        pdu_item(0x21, bytes([context, 0, result, 0]) + syntax) for context, result in results
    )
    return associate_pdu(ASSOCIATE_AC, contexts, b"2.25.2")


def _echo_response() -> bytes:
    command = Dataset()
    command.AffectedSOPClassUID = VERIFICATION
    command.CommandField = C_ECHO_RSP
    command.MessageIDBeingRespondedTo = 1
    command.CommandDataSetType = WITHOUT_DATA
    command.Status = SUCCESS
    return p_data(VERIFICATION_CONTEXT, (COMMAND | LAST, encoded_command(command)))


_ANSWERS = {ASSOCIATE_RQ: _accept(), P_DATA: _echo_response(), RELEASE_RQ: RELEASE_RESPONSE}

if __name__ == "__main__":
    main()
