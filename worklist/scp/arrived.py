"""The answers that have come to a question of ours are counted, for pynetdicom may drop one (3.0.4).

Its own thread goes on once a question is answered. Where it is late in pausing for the next one, as on a busy
machine, it takes an answer for a request, says so in its log, and drops it.
"""

from __future__ import annotations

from typing import Any

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_FIND_RSP

BETWEEN_MESSAGES = 0.005  # seconds, in which that thread is mostly back where it can be paused


class Arrived:
    """It counts the answers of C-FIND on one association, each before it is given to whoever asked."""

    def __init__(self, association: Association) -> None:
        self.number = 0
        association.bind(evt.EVT_DIMSE_RECV, self._count)

    def _count(self, event: Any) -> None:
        self.number += isinstance(event.message, C_FIND_RSP)
