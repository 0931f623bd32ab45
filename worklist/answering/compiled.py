"""A query is compiled once: what it asks, and how each item is answered."""

from __future__ import annotations

import itertools
import logging
import zlib
from dataclasses import dataclass, field
from functools import partial

from worklist.answering.remembered import RowCache
from worklist.answering.rows import Row
from worklist.answering.statuses import PENDING, PENDING_WITHOUT_SOME_KEYS
from worklist.dicom import datasets
from worklist.dicom.datasets import Unreadable
from worklist.dicom.encoding import AnswerParts, AnswerPlan
from worklist.dicom.matching import IdentifierError, MatchingKeys, read_keys
from worklist.dicom.output_rules import OutputRules
from worklist.models.sized_cache import SizedCache

logger = logging.getLogger(__name__)

LONGEST_IDENTIFIER = 64 * 1024  # bytes, inflated: compiling more would take a second
LONGEST_REMEMBERED = 16 * 1024
# Bytes of identifiers in all: a query of nothing but empty elements takes two hundred times as much.
MOST_REMEMBERED = 8 * LONGEST_REMEMBERED
MOST_ANSWERS_REMEMBERED = 8 * 1024 * 1024  # bytes
BESIDE_AN_ANSWER = 500  # bytes that the cache takes for it


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
    status: int  # of each answer
    deflated: bool
    length: int  # bytes of its identifier, inflated
    # Its answers are known by it: by the query itself they would keep that in memory.
    number: int = field(default_factory=itertools.count().__next__)

    def answer(self, row: Row) -> tuple[int, bytes]:
        """Return status and identifier of the item's answer. Raises EncodingError."""
        return _answers.get((self.number, row.pk), row, self._encode)

    def parts(self, row: Row) -> AnswerParts:
        """Return the identifier of the item's answer in its parts, not deflated. Raises EncodingError."""
        answer = self.plan.parts(row.record)
        if answer.departure:
            logger.warning(
                "Item %s does not fit its device's character set: sent %s", row.pk, answer.departure
            )
        return answer

    def _encode(self, row: Row) -> tuple[int, bytes]:
        identifier = self.parts(row).identifier
        return self.status, datasets.deflate(identifier) if self.deflated else identifier


def _size(key: tuple[FindRequest, OutputRules], query: Query) -> int:
    return query.length


def _answer_size(answer: tuple[int, bytes]) -> int:
    return BESIDE_AN_ANSWER + len(answer[1])


# Scanners ask the same again and again: queries are known by their bytes.
_queries: SizedCache[tuple[FindRequest, OutputRules], Query] = SizedCache(most=MOST_REMEMBERED, size=_size)
_answers: RowCache[Row, tuple[int, bytes]] = RowCache(most=MOST_ANSWERS_REMEMBERED, size=_answer_size)


def compile_query(request: FindRequest, rules: OutputRules) -> Query:
    """Return the query of an identifier, compiled.

    Raises IdentifierError, and Unreadable when the identifier cannot be decoded.
    """
    return _queries.get((request, rules), partial(_compile, request, rules))


def _compile(request: FindRequest, rules: OutputRules) -> Query:
    encoded = _inflated(request)
    identifier = datasets.read(
        encoded, implicit_vr=request.implicit_vr, deflated=False, longest=LONGEST_IDENTIFIER
    )
    try:
        keys = read_keys(identifier)
        plan = AnswerPlan(identifier, implicit_vr=request.implicit_vr, rules=rules)
        return Query(keys, plan, _status(keys, plan, rules), request.deflated, len(encoded))
    except IdentifierError:
        raise
    except Exception as error:  # pydicom decodes an element when it is looked at
        raise Unreadable("cannot be decoded") from error


def _status(keys: MatchingKeys, plan: AnswerPlan, rules: OutputRules) -> int:
    """Return FF01 where a key is not supported for existence or matching (PS3.4 Table K.4-1), else FF00."""
    is_plain = rules.plain_pending or (plan.complete and not keys.unmatched)
    return PENDING if is_plain else PENDING_WITHOUT_SOME_KEYS


def _inflated(request: FindRequest) -> bytes:
    if not request.deflated:
        return request.identifier
    try:
        return datasets.inflate(request.identifier, longest=LONGEST_IDENTIFIER)
    except zlib.error as error:
        raise Unreadable("cannot be decoded") from error
