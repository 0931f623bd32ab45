"""These facts of an examination may be written back to where its appointment came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum


class ScanFact(StrEnum):
    STATUS = "status"
    START = "start"
    END = "end"
    SCANNER = "scanner"
    OPERATOR = "operator"
    SERIES = "series"
    IMAGES = "images"
    PROTOCOLS = "protocols"
    STUDY = "study_instance_uid"
    REASON = "reason"


MOMENTS = frozenset({ScanFact.START, ScanFact.END})
NUMBERS = frozenset({ScanFact.SERIES, ScanFact.IMAGES})


@dataclass(frozen=True)
class Moment:
    """It is a day and perhaps a time, on the scanner's own clock: a time that was not reported is None."""

    day: date
    at: time | None = None


@dataclass(frozen=True)
class ScanOutcome:
    """It is what scanners and people have said of one appointment; what nobody has said is empty or None.

    `status` is an item's. `end`, `series` and `images` are known once nothing of it runs any more. Texts are
    in the order of the steps and series that gave them, each once.
    """

    status: str
    start: Moment | None = None
    end: Moment | None = None
    scanners: Sequence[str] = ()
    operators: Sequence[str] = ()
    series: int | None = None
    images: int | None = None
    protocols: Sequence[str] = ()
    studies: Sequence[str] = ()
    reason: str = ""

    def texts(self, fact: ScanFact) -> Sequence[str]:
        """Return the texts of a fact that is one, or several."""
        return {
            ScanFact.STATUS: (self.status,),
            ScanFact.SCANNER: self.scanners,
            ScanFact.OPERATOR: self.operators,
            ScanFact.PROTOCOLS: self.protocols,
            ScanFact.STUDY: self.studies,
            ScanFact.REASON: (self.reason,) if self.reason else (),
        }[fact]

    def moment(self, fact: ScanFact) -> Moment | None:
        return self.start if fact is ScanFact.START else self.end

    def number(self, fact: ScanFact) -> int | None:
        return self.series if fact is ScanFact.SERIES else self.images
