"""These sections tell what is done where communication fails, and the statuses of C-ECHO."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from worklist.conformance.markdown import table
from worklist.scp import server, services
from worklist.scp import verification as echo


def communication() -> Iterator[str]:
    timeout = settings.MWL_NETWORK_TIMEOUT
    yield from table(
        ("What happens", "What is done"),
        (
            (
                f"A connection asks for no association within {server.time_to_associate()} s",
                "it is closed, told to the log and to the devices' activity",
            ),
            (f"Nothing comes on an association for {timeout} s", "A-ABORT"),
            (
                f"A message is not whole, or an answer not taken, after {timeout} s",
                "A-ABORT; the query's remaining answers are dropped",
            ),
            (
                "A PDU or a command set that cannot be read, or one that may not come now",
                "A-ABORT, told as a fault of the peer; no other association suffers",
            ),
            ("The scanner aborts or closes", "the operation ends; what was answered stays answered"),
            ("A query is cancelled", "no more answers, then FE00"),
            (
                "The connection is lost before the response to N-CREATE or N-SET",
                "what was committed stays; where the scanner repeats it, an N-CREATE is told 0111, and an "
                "N-SET that ended the step 0110 with A710",
            ),
            (
                "The database does not answer",
                "associations are rejected (2,3,1), queries A700, reports 0110: send again",
            ),
            ("The disk is full", "reports are refused with 0110, nothing is half stored"),
            (
                "All places are taken",
                "associations are rejected (2,3,2) for now; a quarter is kept for listed devices",
            ),
            ("A TLS handshake fails", "the connection is closed; reason in the log, none is sent"),
            (
                "The server stops",
                f"no new associations; what runs is finished within {server.GRACE:.0f} s, "
                "idle ones are aborted",
            ),
            (
                "A C-ECHO to a device is not answered",
                "the person is told which step failed; it is not repeated",
            ),
        ),
    )


def verification() -> Iterator[str]:
    yield "##### Statuses of C-ECHO"
    yield ""
    yield from table(
        ("Status", "Meaning", "Sent when"),
        (
            (f"{echo.SUCCESS:04X}", "Success", "Always, on an accepted association."),
            (f"{services.UNRECOGNIZED_OPERATION:04X}", "Failure", "Any other operation on Verification."),
        ),
    )
