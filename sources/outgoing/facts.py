"""These facts of an examination may be written back to where its appointment came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum


class Fact(StrEnum):
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


MOMENTS = frozenset({Fact.START, Fact.END})
NUMBERS = frozenset({Fact.SERIES, Fact.IMAGES})


@dataclass(frozen=True)
class Moment:
    """It is a day and perhaps a time, on the scanner's own clock: a time that was not reported is None."""

    day: date
    at: time | None = None


@dataclass(frozen=True)
class Outcome:
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

    def texts(self, fact: Fact) -> Sequence[str]:
        """Return the texts of a fact that is one, or several."""
        return {
            Fact.STATUS: (self.status,),
            Fact.SCANNER: self.scanners,
            Fact.OPERATOR: self.operators,
            Fact.PROTOCOLS: self.protocols,
            Fact.STUDY: self.studies,
            Fact.REASON: (self.reason,) if self.reason else (),
        }[fact]

    def moment(self, fact: Fact) -> Moment | None:
        return self.start if fact is Fact.START else self.end

    def number(self, fact: Fact) -> int | None:
        return self.series if fact is Fact.SERIES else self.images
