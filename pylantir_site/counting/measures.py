"""What is counted is defined here once: its name, its labels and what people read of it.

The names are those of Prometheus without the prefix `pylantir_`, and without `_total` of a counter.
A label's values are bounded: devices that are listed, and fixed words.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum
from math import inf

from pylantir_site.counting.tallies import tallies

OTHER = "other"  # a device that is not listed


class Over(Enum):
    """Readings of several processes become one number by adding them up, or by their least."""

    SUM = "sum"
    LEAST = "least"


@dataclass(frozen=True)
class CounterMeasure:
    name: str
    help: str
    labels: tuple[str, ...] = ()

    def add(self, *values: str, by: float = 1.0) -> None:
        tallies.add_one((self.name, values), by)


@dataclass(frozen=True)
class HistogramMeasure:
    """A histogram is kept as a count for each bucket (not cumulated) and a sum."""

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]  # the upper ends of its buckets, without the infinite one

    @property
    def ends(self) -> tuple[float, ...]:
        return (*self.bounds, inf)

    def observe(self, value: float, *values: str) -> None:
        end = self.ends[bisect_left(self.bounds, value)]
        tallies.add({(self.bucket, (*values, repr(end))): 1.0, (self.sum, values): value})

    @property
    def bucket(self) -> str:
        return f"{self.name}_bucket"

    @property
    def sum(self) -> str:
        return f"{self.name}_sum"


@dataclass(frozen=True)
class GaugeMeasure:
    name: str
    help: str
    labels: tuple[str, ...] = ()
    over: Over = Over.SUM

    def set(self, value: float, *values: str) -> None:
        tallies.set((self.name, values), value)


ACCEPTED = CounterMeasure("associations_accepted", "Associations accepted.", ("device",))
REFUSED = CounterMeasure(
    "associations_refused",
    "Associations and connections refused, by the reason told to the peer.",
    ("reason",),
)
ABORTED = CounterMeasure("associations_aborted", "Associations that ended in an abort.", ("device",))
OPEN = GaugeMeasure("associations_open", "Associations that are open now.")
DICOM_PROCESSES = GaugeMeasure("dicom_processes", "Processes of the DICOM server that live.")
QUERIES = CounterMeasure("queries", "C-FIND queries answered, by final status.", ("device", "status"))
QUERY_SECONDS = HistogramMeasure(
    "query_seconds",
    "Seconds from a C-FIND query to its last answer.",
    ("device",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
ANSWERS = CounterMeasure("query_answers", "Worklist items sent as answers.", ("device",))
LEFT_OUT = CounterMeasure("query_items_left_out", "Items that matched and could not be sent.", ("device",))
ECHOES = CounterMeasure("echoes", "C-ECHO answered.", ("device",))
REPORTS = CounterMeasure(
    "reports",
    "Messages about performed steps (N-CREATE, N-SET, N-GET), by status.",
    ("device", "operation", "status"),
)
RECORDS_LOST = CounterMeasure("activity_rows_lost", "Rows of devices' activity that were not written.")
PULLS = CounterMeasure("pulls", "Pulls that ended, by source and outcome.", ("source", "outcome"))
STARTS = CounterMeasure(
    "process_starts", "Processes started; each beyond those wanted is a restart.", ("process",)
)
HTTP_ANSWERS = CounterMeasure("http_answers", "Answers of the web server.", ("method", "status"))
HTTP_SECONDS = HistogramMeasure(
    "http_seconds",
    "Seconds for an answer of the web server.",
    ("method",),
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
CERTIFICATE_ENDS = GaugeMeasure(
    "certificate_end_timestamp_seconds",
    "When a certificate that the DICOM server uses ends: its own, or an authority's that it trusts.",
    ("use", "file"),
    Over.LEAST,
)

COUNTERS = (
    *(ACCEPTED, REFUSED, ABORTED, QUERIES, ANSWERS, LEFT_OUT),
    *(ECHOES, REPORTS, RECORDS_LOST, PULLS, STARTS, HTTP_ANSWERS),
)
HISTOGRAMS = (QUERY_SECONDS, HTTP_SECONDS)
GAUGES = (OPEN, DICOM_PROCESSES, CERTIFICATE_ENDS)
