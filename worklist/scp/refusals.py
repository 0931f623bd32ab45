"""Who is refused is told to the log and to the devices' activity: a few times, and then by number."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import NamedTuple

from cryptography.x509 import Name

from worklist.models import DeviceActivity
from worklist.scp import records

logger = logging.getLogger(__name__)

WINDOW = 60.0  # seconds from the first of the same
TOLD_EACH = 5  # within the window: who sets up a scanner tries again at once
MOST_OF_AN_ADDRESS = 20  # different ones within the window
MOST = 2000
OTHERS = "more of other kinds"


class Refused(NamedTuple):
    """A peer was refused for a reason; equal ones are the same again."""

    address: str
    ae_title: str
    called_ae_title: str
    comment: str


@dataclass
class _Told:
    until: float
    times: int = 0

    @property
    def untold(self) -> int:
        return max(self.times - TOLD_EACH, 0)


class Refusals:
    """A refusal is told at once; what came too often to be told each time, when its minute is over."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._told: dict[Refused, _Told] = {}
        self._of_address: Counter[str] = Counter()

    def tell(self, refused: Refused, sentence: str, *, subject: Name | None = None) -> None:
        """Tell it, or only count it where it was told often; `sentence` is for the log."""
        with self._lock:
            refused = self._counted_as(refused)
            if refused not in self._told:
                self._told[refused] = _Told(monotonic() + WINDOW)
                self._of_address[refused.address] += 1
            told = self._told[refused]
            told.times += 1
            if told.untold:
                return
        logger.warning("%s", sentence)
        _record(refused, refused.comment, subject)

    def _counted_as(self, refused: Refused) -> Refused:
        """Return what it is told as: of too many different ones only their number."""
        if refused in self._told:
            return refused
        if len(self._told) >= MOST:
            return Refused("", "", "", OTHERS)
        if self._of_address[refused.address] >= MOST_OF_AN_ADDRESS:
            return Refused(refused.address, "", "", OTHERS)
        return refused

    def sweep(self, *, all_of_them: bool = False) -> None:
        """Tell how often each came again whose minute is over; ask it every second or so."""
        now = monotonic()
        with self._lock:
            over = {one: told for one, told in self._told.items() if all_of_them or told.until <= now}
            for refused in over:
                del self._told[refused]
                self._of_address[refused.address] -= 1
            self._of_address += Counter()  # drops the addresses that have none
        for refused, told in over.items():
            if told.untold:
                comment = f"{told.untold} more times: {refused.comment}"
                logger.warning("Refused %s: %s.", refused.address or "from many addresses", comment)
                _record(refused, comment, None)


def _record(refused: Refused, comment: str, subject: Name | None) -> None:
    records.put(
        DeviceActivity.Kind.REFUSED,
        ae_title=refused.ae_title,
        called_ae_title=refused.called_ae_title,
        address=refused.address,
        comment=comment,
        subject=subject,
    )


refusals = Refusals()
