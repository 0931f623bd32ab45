"""A query is compiled once: what it asks, and how each item is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from worklist.answering.remembered import RowCache
from worklist.answering.rows import Row
from worklist.answering.statuses import PENDING, PENDING_WITHOUT_SOME_KEYS
from worklist.dicom import datasets
from worklist.dicom.datasets import Unreadable
from worklist.dicom.encoding import AnswerPlan, EncodedAnswer
from worklist.dicom.matching import IdentifierError, MatchingKeys, read_keys
from worklist.dicom.output_rules import OutputRules

logger = logging.getLogger(__name__)

LONGEST_IDENTIFIER = 1024 * 1024  # bytes, inflated
LONGEST_REMEMBERED = 16 * 1024

_answers: RowCache[Row, tuple[int, bytes]] = RowCache(most=5000)


@dataclass(frozen=True)
class FindRequest:
    """This is the identifier of a C-FIND as it was sent."""

    identifier: bytes
    implicit_vr: bool
    deflated: bool = False


@dataclass(frozen=True, eq=False)
class Query:
    """A query is what one identifier asks, and how it is answered."""

    keys: MatchingKeys
    plan: AnswerPlan
    deflated: bool

    def answer(self, row: Row) -> tuple[int, bytes]:
        """Return status and identifier of the item's answer. Raises EncodingError."""
        return _answers.get((self, row.pk), row, self._encode)

    def _encode(self, row: Row) -> tuple[int, bytes]:
        answer = self.plan.encode(row.record)
        if answer.departure:
            logger.warning(
                "Item %s does not fit its device's character set: sent %s", row.pk, answer.departure
            )
        identifier = datasets.deflate(answer.identifier) if self.deflated else answer.identifier
        return self._status(answer), identifier

    def _status(self, answer: EncodedAnswer) -> int:
        complete = answer.complete and not self.keys.unmatched
        return PENDING if complete else PENDING_WITHOUT_SOME_KEYS


def compile_query(request: FindRequest, rules: OutputRules) -> Query:
    """Return the query of an identifier, compiled.

    Raises IdentifierError, and Unreadable when the identifier cannot be decoded.
    """
    compiled: Callable[[FindRequest, OutputRules], Query] = _compiled
    if len(request.identifier) > LONGEST_REMEMBERED:
        compiled = _compiled.__wrapped__
    return compiled(request, rules)


@lru_cache(maxsize=128)
def _compiled(request: FindRequest, rules: OutputRules) -> Query:
    """Remember the last queries by their bytes, for scanners ask the same again and again."""
    identifier = datasets.read(
        request.identifier,
        implicit_vr=request.implicit_vr,
        deflated=request.deflated,
        longest=LONGEST_IDENTIFIER,
    )
    try:
        keys = read_keys(identifier)
        plan = AnswerPlan(identifier, implicit_vr=request.implicit_vr, rules=rules)
        return Query(keys, plan, request.deflated)
    except IdentifierError:
        raise
    except Exception as error:  # pydicom decodes an element when it is looked at
        raise Unreadable("cannot be decoded") from error
