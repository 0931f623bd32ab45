"""What happens on associations is counted here, by device and by outcome, and never by participant."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from pylantir_site.counting import measures
from pylantir_site.counting.keeping import Keeping
from pylantir_site.counting.tallies import Key, tallies
from worklist.devices import access
from worklist.models import Device, DeviceActivity
from worklist.models.connections import gives_back_connection
from worklist.upper_layer import negotiation

# Why a peer was refused, in a word, by the codes of A-ASSOCIATE-RJ (PS3.8 Table 9-21).
REASONS = {
    access.CALLING_AE_TITLE_NOT_RECOGNIZED: "calling_ae_title",
    access.CALLED_AE_TITLE_NOT_RECOGNIZED: "called_ae_title",
    access.LOCAL_LIMIT_EXCEEDED: "limit",
    access.TEMPORARY_CONGESTION: "congestion",
    negotiation.NO_REASON_GIVEN: "unreadable",
    negotiation.APPLICATION_CONTEXT_NOT_SUPPORTED: "application_context",
    negotiation.PROTOCOL_VERSION_NOT_SUPPORTED: "protocol_version",
}
TLS_FAILED, NO_REQUEST = "tls", "no_request"
MOST_UNCOUNTED = 20_000
Kind = DeviceActivity.Kind
BY_DEVICE = frozenset(
    name
    for measure in (*measures.COUNTERS, *measures.HISTOGRAMS)
    if "device" in measure.labels
    for name in (measure.name, f"{measure.name}_bucket", f"{measure.name}_sum")
)


def refused(codes: tuple[int, int, int]) -> None:
    measures.REFUSED.add(REASONS.get(codes, "unreadable"))


class Passage(StrEnum):
    """A peer was let in, or its association was cut off."""

    ACCEPTED = "ACCEPTED"
    ABORTED = "ABORTED"


class Happened(NamedTuple):
    """This happened to a peer: it was let in or cut off, or given its final answer by a service."""

    ae_title: str
    kind: DeviceActivity.Kind | Passage
    status: int = 0
    milliseconds: float = 0.0
    matches: int = 0
    left_out: int = 0


# A scanner waits for none of the counting: what happened is put down here, and counted a little later.
_happened: deque[Happened] = deque()


def done(ae_title: str, kind: DeviceActivity.Kind, told: dict[str, Any]) -> None:
    """Have it counted what was done for a peer; `told` are the values of its row of activity."""
    get = told.get
    _put(
        Happened(
            ae_title,
            kind,
            get("status") or 0,
            get("milliseconds") or 0.0,
            get("matches", 0),
            get("left_out", 0),
        )
    )


def accepted(ae_title: str) -> None:
    _put(Happened(ae_title, Passage.ACCEPTED))


def aborted(ae_title: str) -> None:
    _put(Happened(ae_title, Passage.ABORTED))


def _put(happened: Happened) -> None:
    _happened.append(happened)
    if len(_happened) >= MOST_UNCOUNTED:
        count_up()


def count_up() -> None:
    """Count what has happened; any thread may."""
    while True:
        try:
            happened = _happened.popleft()
        except IndexError:
            return
        _count(happened)


def _count(happened: Happened) -> None:
    device = measures.OTHER if tallies.is_full else happened.ae_title
    status = f"{happened.status:04X}"
    match happened.kind:
        case Passage.ACCEPTED:
            measures.ACCEPTED.add(device)
        case Passage.ABORTED:
            measures.ABORTED.add(device)
        case Kind.QUERY:
            measures.QUERIES.add(device, status)
            measures.QUERY_SECONDS.observe(happened.milliseconds / 1000, device)
            measures.ANSWERS.add(device, by=happened.matches)
            if happened.left_out:
                measures.LEFT_OUT.add(device, by=happened.left_out)
        case Kind.ECHO:
            measures.ECHOES.add(device)
        case Kind.N_CREATE | Kind.N_SET | Kind.N_GET:
            measures.REPORTS.add(device, happened.kind.value, status)


class Measuring:
    """This keeps the counts of one process of the DICOM server; its caller asks every second or so."""

    def __init__(self, taken: Callable[[], int]) -> None:
        self._taken = taken
        self._keeping = Keeping(of_listed_devices)
        measures.STARTS.add("dicom")

    @gives_back_connection
    def __call__(self) -> None:
        count_up()
        measures.OPEN.set(self._taken())
        measures.DICOM_PROCESSES.set(1)
        self._keeping()

    @gives_back_connection
    def stop(self) -> None:
        count_up()
        self._keeping.stop()


def of_listed_devices(counts: dict[Key, float]) -> dict[Key, float]:
    """Return the counts with one label for all AE titles that are not listed: peers choose those."""
    listed = frozenset(Device.objects.exclude(ae_title=Device.ANY).values_list("ae_title", flat=True))
    found: dict[Key, float] = {}
    for (name, labels), value in counts.items():
        shown = labels
        if name in BY_DEVICE and labels[0] not in listed:
            shown = (measures.OTHER, *labels[1:])
        found[name, shown] = found.get((name, shown), 0.0) + value
    return found
