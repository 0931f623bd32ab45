"""The worklist is searched here for one application entity, from what it asked to what it is answered."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pylantir_site.environment.logs import traceback_of
from worklist.answering import compiled, rows
from worklist.answering.compiled import FindRequest, Query
from worklist.answering.rows import ItemsFound
from worklist.answering.statuses import TooManyMatches
from worklist.devices import offers
from worklist.devices.offers import Offer
from worklist.dicom.answer_elements import EncodingError
from worklist.models.connections import gives_back_connection, tried_again

logger = logging.getLogger(__name__)


class PendingAnswer(NamedTuple):
    pk: int
    status: int
    identifier: bytes


@dataclass
class Search:
    offer: Offer
    query: Query
    found: ItemsFound
    unsent: int = 0  # items that cannot be encoded for this device

    def answers(self) -> Iterator[PendingAnswer]:
        for row in self.found.rows():
            try:
                status, identifier = self.query.answer(row)
            except Exception as error:  # one bad row never loses the others
                self.unsent += 1
                _log_unsent(row.pk, error)
            else:
                yield PendingAnswer(row.pk, status, identifier)

    @property
    def left_out(self) -> int:
        """Return how many items match and are not answered; known when all answers have been read."""
        return self.found.skipped + self.unsent


@tried_again
@gives_back_connection
def search(request: FindRequest, ae_title: str) -> Search:
    """Compile the query and find its items.

    Raises IdentifierError, Unreadable, DeviceUnusable, TooManyMatches and django.db.Error.
    """
    offer = offers.offer_to(ae_title)
    query = compiled.compile_query(request, offer.output)
    return Search(offer, query, keep_to_maximum(offer, rows.find(offer.selection(query.keys))))


def keep_to_maximum(offer: Offer, found: ItemsFound) -> ItemsFound:
    """Cut what is found to the device's maximum. Raises TooManyMatches where its rule is to send none."""
    if offer.maximum and found.total > offer.maximum:
        logger.warning(
            "%s: %d items match, and at most %d are sent",
            offer.ae_title.encode("unicode_escape").decode("ascii"),
            found.total,
            offer.maximum,
        )
        if offer.refuses_over_maximum:
            raise TooManyMatches(found.total, offer.maximum)
        found.truncate(offer.maximum)
    return found


def _log_unsent(pk: int, error: Exception) -> None:
    what = str(error) if isinstance(error, EncodingError) else traceback_of(error)
    logger.error("Item %s is left out of the answers: %s", pk, what)
