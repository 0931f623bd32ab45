"""A pull leaves out the records of erased participants, so that nobody comes back whom a site has erased.

A record is known again by a keyed digest (HMAC, RFC 2104) under FIELD_ENCRYPTION_KEYS: whoever has the
database alone cannot try out which record it was. The first key makes digests, and all are tried.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import date
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from sources.contract import ReadRecord, Session
from sources.errors import ConfigurationError
from sources.mapping import targets
from sources.models import DataSource, ErasedRecord
from sources.models.erased import OF_A_PATIENT_ID, PURPOSE
from sources.sync.known import said_by

NO_KEY = (
    "FIELD_ENCRYPTION_KEYS lacks the key by which erased participants are left out: give that key back, or "
    "a pull would bring them in again."
)


def mark(
    source: DataSource | None, name: str, *, erasure: UUID, by: str, until: date | None = None
) -> ErasedRecord:
    """Let pulls leave out a record of the source, or without one a patient ID of any source."""
    key = settings.FIELD_ENCRYPTION_KEYS[0]
    return ErasedRecord.objects.create(
        erasure=erasure,
        source=source,
        digest=_digest(key, source, name),
        key=_name_of(key),
        until=until,
        erased_by=by,
    )


def let_back(erasure: UUID) -> int:
    """Leave out no record of an erasure any more, and return how many there were; a full pull reads them."""
    count, _models = ErasedRecord.objects.filter(erasure=erasure).delete()
    return count


def is_erased(source: DataSource, record: str) -> bool:
    """Tell whether nothing of the record comes in, as far as the keys that are there tell."""
    digests = [_digest(key, source, record) for key in settings.FIELD_ENCRYPTION_KEYS]
    return ErasedRecord.objects.filter(source=source, digest__in=digests, until=None).exists()


class LeftOutRecords:
    """These records and patient IDs are left out of one source, as far as they were erased by now."""

    def __init__(self, source: DataSource, *, rehearses: bool = False) -> None:
        """Read them. Whoever rehearses marks nothing. Raises ConfigurationError where a key is missing."""
        self._source, self._rehearses = source, rehearses
        self._keys = settings.FIELD_ENCRYPTION_KEYS
        rows = list(ErasedRecord.objects.filter(Q(source=source) | Q(source=None)))
        self._of_records = _by_digest(row for row in rows if row.source_id is not None)
        self._of_ids = _by_digest(row for row in rows if row.source_id is None)
        known = set(map(_name_of, self._keys)) if rows else set()
        if any(row.key not in known for row in rows):
            raise ConfigurationError(NO_KEY)

    def has(self, record: str) -> bool:
        """Tell whether nothing of the record comes in, whatever it says."""
        erased = self._find(self._of_records, self._source, record)
        return erased is not None and erased.until is None

    def without(self, reads: Iterable[ReadRecord]) -> Iterator[ReadRecord]:
        """Yield the records with what of them comes in, and not those of which nothing does."""
        if not self._of_records and not self._of_ids:
            yield from reads
            return
        for read in reads:
            sessions = tuple(
                session for session in read.sessions if not self._is_left_out(read.record, session)
            )
            if sessions or not read.sessions:
                yield read._replace(sessions=sessions)

    def _is_left_out(self, record: str, session: Session) -> bool:
        said = said_by(session)
        erased = self._find(self._of_records, self._source, record)
        if erased is None:
            erased = self._find(self._of_ids, None, said.patient_id)
            if erased is not None and not self._rehearses:  # its page says so from now on
                until, by = erased.until, erased.erased_by
                marked = mark(self._source, record, erasure=erased.erasure, by=by, until=until)
                self._of_records[marked.digest] = marked
        if erased is None or erased.until is None:
            return erased is not None
        day = str(said.values.get(targets.START_DATE, ""))
        return not day or date.fromisoformat(day) <= erased.until

    def _find(
        self, among: dict[str, ErasedRecord], source: DataSource | None, name: str
    ) -> ErasedRecord | None:
        if not among or not name:
            return None
        digests = (_digest(key, source, name) for key in self._keys)
        return next((among[digest] for digest in digests if digest in among), None)


def _by_digest(rows: Iterable[ErasedRecord]) -> dict[str, ErasedRecord]:
    """Return the newest of each; one without an end counts before others."""
    found: dict[str, ErasedRecord] = {}
    for row in rows:
        if row.digest not in found or row.until is None:
            found[row.digest] = row
    return found


def _digest(key: str, source: DataSource | None, name: str) -> str:
    what = f"record\0{source.uid}" if source is not None else OF_A_PATIENT_ID
    return hmac.new(_secret(key), f"{what}\0{name}".encode(), hashlib.sha256).hexdigest()


def _secret(key: str) -> bytes:
    """Derive a key of our own: what encrypts tokens signs nothing."""
    return hmac.new(key.encode(), f"pylantir: {PURPOSE}".encode(), hashlib.sha256).digest()


def _name_of(key: str) -> str:
    return hashlib.sha256(b"pylantir: name of a key" + key.encode()).hexdigest()[:16]
