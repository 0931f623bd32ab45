"""This backend reads a REDCap project as a source."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from sources.backends import missing_columns
from sources.contract import ConnectionReport, Mistake, ReadRecord, SessionKey
from sources.errors import AuthorisationError, ConfigurationError
from sources.mapping import check, evaluate, partial, readers, repeats
from sources.mapping.rules import MappingPlan
from sources.models import DataSource, KnownDictionary
from sources.models.data_sources import TokenMissing
from sources.redcap.address import normalise_url
from sources.redcap.batches import ColumnsMissing
from sources.redcap.client import Access, Client
from sources.redcap.dictionary import Dictionary
from sources.secrets import CannotDecrypt

DICTIONARY_KEPT = timedelta(hours=6)
MISTAKES_NAMED = 3
FIRST_PAUSE = 1.0  # seconds before a request is tried again


def open_backend(source: DataSource) -> RedcapBackend:
    return RedcapBackend(source)


def dictionary_of(source: DataSource, *, fresh: bool = False) -> Dictionary:
    """Return the project's dictionary, asked for if it is unknown, too old or to be fresh.

    Raises SourceError.
    """
    with RedcapBackend(source) as backend:
        return backend.dictionary(fresh=fresh)


def known_dictionary(source: DataSource) -> Dictionary | None:
    """Return the dictionary as it was last read, without asking REDCap."""
    kept = KnownDictionary.objects.filter(source=source).first()
    return kept.dictionary() if kept else None


class RedcapBackend:
    def __init__(
        self, source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
    ) -> None:
        """Read through the source's own mapping, or another plan; a dictionary given is not asked for."""
        self.source = source
        self.plan = source.plan if plan is None else plan
        self.warnings: list[str] = []
        self.alive: Callable[[], None] = _nobody_waits
        self.access = _access(source)
        self.client = Client(self.access, wait=self._wait)
        self._dictionary = dictionary
        self._is_fresh = dictionary is not None

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.__exit__(kind, error, traceback)

    @property
    def requests(self) -> int:
        return self.client.requests

    @property
    def skew(self) -> timedelta | None:
        return self.client.skew

    def _wait(self, seconds: float) -> None:
        self.alive()
        time.sleep(seconds)
        self.alive()

    def prepare(self) -> None:
        self._check_mapping(self.dictionary())

    def prepare_to_show(self) -> tuple[str, ...]:
        """Go on with what is right of the mapping, and say what has to be mended before it can pull."""
        dictionary = self.dictionary()
        mistakes = self._mistakes(dictionary)
        possible = partial.without_mistakes(self.plan, self.dictionary())
        if not possible.rules or any(map(partial.is_of_sessions, mistakes)):
            self._check_mapping(self.dictionary())
        told = tuple(self.sentence(mistake) for mistake in mistakes)
        self.plan = possible
        return told

    def record_ids(self, *, since: datetime | None = None) -> Sequence[str]:
        return self.client.record_ids(
            id_field=self.dictionary().record_id_field, since=since, server_timezone=self.source.zone
        )

    def read(self, records: Sequence[str], *, with_trace: bool = False) -> Iterator[ReadRecord]:
        dictionary = self.dictionary()
        fields = evaluate.fields_needed(self.plan, dictionary)
        needed = readers.columns_needed(self.plan, dictionary)
        try:
            for record, rows in self.client.records(
                records, dictionary=dictionary, fields=fields, columns=needed
            ):
                if not self._is_fresh and repeats.contradict(rows, dictionary):
                    dictionary = self.dictionary(fresh=True)
                    self._check_mapping(dictionary)
                sessions = (
                    evaluate.sessions_of(rows, self.plan, dictionary, with_trace=with_trace) if rows else ()
                )
                yield ReadRecord(record, bool(rows), sessions)
        except ConfigurationError as error:
            self._say_it_better(error)
            raise

    def utc_offset(self) -> timedelta | None:
        return self.client.utc_offset()

    def dictionary(self, *, fresh: bool = False) -> Dictionary:
        if self._dictionary is None or (fresh and not self._is_fresh):
            kept = None if fresh else self._kept()
            self._dictionary = kept or self._ask()
        return self._dictionary

    def check(self) -> ConnectionReport:
        from sources.backends.redcap_check import report

        return report(self)

    def link(self, record: str, key: SessionKey, field: str = "") -> str:
        """Return an address of REDCap's own pages, or "" while the project is not known."""
        dictionary = self._dictionary or known_dictionary(self.source)
        return record_link(self.source, dictionary, record, key, field) if dictionary else ""

    def _kept(self) -> Dictionary | None:
        oldest = timezone.now() - DICTIONARY_KEPT
        own = KnownDictionary.objects.filter(source=self.source, access=self._fingerprint())
        kept = own.filter(read_at__gte=oldest).first()
        return kept.dictionary() if kept else None

    def _ask(self) -> Dictionary:
        dictionary = self.client.dictionary()
        expected = self.source.project_id
        if expected is not None and dictionary.project_id != expected:
            raise ConfigurationError(
                f"The token opens project {dictionary.project_id}, not {expected}: nothing was read from it."
            )
        KnownDictionary.keep(self.source, dictionary, access=self._fingerprint(), read_at=timezone.now())
        self._is_fresh = True
        return dictionary

    def _fingerprint(self) -> str:
        """Tell whose dictionary it is: with another URL, token or expected project it is asked for anew."""
        parts = (str(self.source.uid), self.access.url, self.access.token, str(self.source.project_id))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _check_mapping(self, dictionary: Dictionary) -> None:
        mistakes = self._mistakes(dictionary)
        if mistakes:
            named = " ".join(self.sentence(mistake) for mistake in mistakes[:MISTAKES_NAMED])
            raise ConfigurationError(f"The mapping does not fit the project. {named}")

    def _mistakes(self, dictionary: Dictionary) -> tuple[Mistake, ...]:
        """Check the mapping; one that does not fit is checked by a fresh dictionary: one kept may be old."""
        mistakes = check.mistakes(self.plan, dictionary)
        if mistakes and not self._is_fresh:
            mistakes = check.mistakes(self.plan, self.dictionary(fresh=True))
        return mistakes

    def sentence(self, mistake: Mistake) -> str:
        if mistake.rule is not None:
            return f"Row {self.plan.rules[mistake.rule].target}: {mistake.text}"
        return mistake.text if mistake.field == "rules" else f"Sessions: {mistake.text}"

    def _say_it_better(self, error: ConfigurationError) -> None:
        """Name the mapping's row where REDCap refused what the kept dictionary promised."""
        if not self._is_fresh:
            self._check_mapping(self.dictionary(fresh=True))
        if isinstance(error, ColumnsMissing):
            raise missing_columns.explained(error, self.plan, self.dictionary()) from None


def record_link(
    source: DataSource, dictionary: Dictionary, record: str, key: SessionKey, field: str = ""
) -> str:
    base = normalise_url(source.url).removesuffix("api/")
    pages = f"{base}redcap_v{dictionary.version}/DataEntry/"
    known = dictionary.fields.get(field)
    form = known.form if known else key.instrument
    event = next((each for each in dictionary.events if each.name == key.event), None)
    query = {"pid": dictionary.project_id, "id": record}
    if not form or (dictionary.is_longitudinal and (event is None or event.id is None)):
        return f"{pages}record_home.php?{urlencode(query)}"
    if event is not None and event.id is not None:
        query["event_id"] = event.id
    if key.instance:
        query["instance"] = key.instance
    return f"{pages}index.php?{urlencode({**query, 'page': form})}"


def _access(source: DataSource) -> Access:
    try:
        token = source.token()
    except (TokenMissing, CannotDecrypt) as error:
        raise AuthorisationError(str(error)) from None
    return Access(
        url=normalise_url(source.url),
        token=token,
        ca_bundle=source.ca_bundle,
        read_timeout=source.read_timeout,
        # Each worker counts its own: together they keep to what the source allows.
        requests_per_minute=max(1, source.requests_per_minute // settings.WORKERS),
        batch_size=source.batch_size,
        pause=FIRST_PAUSE,
    )


def _nobody_waits() -> None:
    pass
