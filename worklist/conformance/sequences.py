"""The real-world activities are drawn here in Mermaid, from one table of what is said in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from worklist.conformance.markdown import bullets

PERSON, SCANNER, SERVER = "Person", "Scanner", "Server"


class DrawnMessage(NamedTuple):
    """One says something to another; `operation` is a DIMSE operation's name, or "" for what is none."""

    by: str
    to: str
    text: str
    operation: str = ""


OPENED = (
    DrawnMessage(SCANNER, SERVER, "A-ASSOCIATE-RQ"),
    DrawnMessage(SERVER, SCANNER, "A-ASSOCIATE-AC, or -RJ with the reason"),
)
CLOSED = (DrawnMessage(SCANNER, SERVER, "A-RELEASE-RQ"), DrawnMessage(SERVER, SCANNER, "A-RELEASE-RP"))
ACTIVITIES: dict[str, tuple[DrawnMessage, ...]] = {
    "A scanner asks for its worklist": (
        *OPENED,
        DrawnMessage(SCANNER, SERVER, "C-FIND-RQ with keys", "C-FIND"),
        DrawnMessage(SERVER, SCANNER, "C-FIND-RSP FF00 or FF01, one for each item", "C-FIND"),
        DrawnMessage(SCANNER, SERVER, "C-CANCEL-RQ, at any time"),
        DrawnMessage(SERVER, SCANNER, "C-FIND-RSP 0000, FE00, A700, A900 or C000", "C-FIND"),
        *CLOSED,
    ),
    "A scanner reports what it performs": (
        *OPENED,
        DrawnMessage(SCANNER, SERVER, "N-CREATE-RQ, IN PROGRESS", "N-CREATE"),
        DrawnMessage(SERVER, SERVER, "stores it, links it, item STARTED; committed"),
        DrawnMessage(SERVER, SCANNER, "N-CREATE-RSP", "N-CREATE"),
        DrawnMessage(SCANNER, SERVER, "N-SET-RQ, series so far; any number", "N-SET"),
        DrawnMessage(SERVER, SCANNER, "N-SET-RSP", "N-SET"),
        DrawnMessage(SCANNER, SERVER, "N-SET-RQ, COMPLETED or DISCONTINUED", "N-SET"),
        DrawnMessage(SERVER, SERVER, "stores it, item COMPLETED or DISCONTINUED; committed"),
        DrawnMessage(SERVER, SCANNER, "N-SET-RSP", "N-SET"),
        *CLOSED,
    ),
    "A device reads a performed step": (
        *OPENED,
        DrawnMessage(SCANNER, SERVER, "N-GET-RQ", "N-GET"),
        DrawnMessage(SERVER, SCANNER, "N-GET-RSP with the attributes", "N-GET"),
        *CLOSED,
    ),
    "A scanner tries the connection": (
        *OPENED,
        DrawnMessage(SCANNER, SERVER, "C-ECHO-RQ", "C-ECHO"),
        DrawnMessage(SERVER, SCANNER, "C-ECHO-RSP 0000", "C-ECHO"),
        *CLOSED,
    ),
    "A person tries the connection": (
        DrawnMessage(PERSON, SERVER, "presses C-ECHO at the device"),
        DrawnMessage(SERVER, SCANNER, "A-ASSOCIATE-RQ"),
        DrawnMessage(SCANNER, SERVER, "A-ASSOCIATE-AC"),
        DrawnMessage(SERVER, SCANNER, "C-ECHO-RQ", "C-ECHO"),
        DrawnMessage(SCANNER, SERVER, "C-ECHO-RSP", "C-ECHO"),
        DrawnMessage(SERVER, SCANNER, "A-RELEASE-RQ"),
        DrawnMessage(SCANNER, SERVER, "A-RELEASE-RP"),
        DrawnMessage(SERVER, PERSON, "says in a sentence how it went"),
    ),
}


def data_flow() -> Iterator[str]:
    yield "There is one Application Entity, the Worklist Server."
    yield "Several processes, on one host or more, may serve it under one AE title: they share one database."
    yield ""
    yield "```mermaid"
    yield "flowchart LR"
    yield "  source[REDCap, worklist files, people] -- appointments --> server((Worklist Server AE))"
    yield "  server <-- C-FIND --> scanner[Scanner]"
    yield "  scanner -- N-CREATE, N-SET --> server"
    yield "  reader[Other device] -- N-GET --> server"
    yield "  scanner -- C-ECHO --> server"
    yield "  server -- C-ECHO --> scanner"
    yield "  server -- C-FIND, C-ECHO --> archive[Archive]"
    yield "  server -- points of attention --> person[Coordinator]"
    yield "```"


def functions() -> Iterator[str]:
    yield from bullets(
        "It waits for associations while it runs, and answers queries, reports and C-ECHO on them.",
        "It reads the worklist anew for each query: what is saved counts from the next query on.",
        "What a report acknowledges is stored, and the item's status follows it.",
        "It starts an association with a scanner only for a C-ECHO that a person asks for.",
        "It asks archives by C-FIND which studies have arrived, and retrieves and stores nothing.",
    )


def diagrams() -> Iterator[str]:
    yield "Each activity may take an association of its own, or share one; their order is free."
    for title, said in ACTIVITIES.items():
        yield ""
        yield f"###### {title}"
        yield ""
        yield "```mermaid"
        yield "sequenceDiagram"
        yield from (f"  {each.by}->>{each.to}: {each.text.replace(';', ',')}" for each in said)
        yield "```"
