"""The engine's questions to a source are answered here by REDCap's API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from pylantir_site.outside.strict_json import Most
from sources.backends.asking import AskingBackend
from sources.backends.redcap import connection, missing_columns
from sources.contract import ConnectionReport, ReadRecord
from sources.dictionary import Dictionary
from sources.errors import AuthorisationError, ConfigurationError
from sources.host import NotAllowed
from sources.mapping import evaluate, readers, repeats
from sources.mapping.mapped_project import MappedProject
from sources.mapping.rules import MappingPlan
from sources.models import DataSource, RedcapProject
from sources.models.details import SecretMissing
from sources.redcap.address import normalise_url
from sources.redcap.batches import ColumnsMissing
from sources.redcap.client import Access, Client
from sources.secrets import CannotDecrypt

FIRST_PAUSE = 1.0  # seconds before a request is tried again


def open_backend(
    source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
) -> RedcapBackend:
    return RedcapBackend(source, plan, dictionary)


class RedcapBackend(AskingBackend):
    client: Client

    def __init__(
        self, source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
    ) -> None:
        super().__init__(source, plan, dictionary)
        self.project: RedcapProject = source.redcap
        self.access = _access(self.project)
        self.client = Client(self.access, wait=self.wait)

    def record_ids(self, *, since: datetime | None = None) -> Sequence[str]:
        return self.client.record_ids(
            id_field=self.dictionary().record_id_field, since=since, server_timezone=self.project.zone
        )

    def read(self, records: Sequence[str], *, with_trace: bool = False) -> Iterator[ReadRecord]:
        dictionary = self.dictionary()
        fields = evaluate.fields_needed(self.plan, dictionary)
        needed = readers.columns_needed(self.plan, dictionary)
        project = MappedProject(self.plan, dictionary)
        try:
            for record, rows in self.client.records(
                records, dictionary=dictionary, fields=fields, columns=needed
            ):
                if not self.is_fresh and repeats.contradict(rows, dictionary):
                    dictionary = self.dictionary(fresh=True)
                    self.check_mapping(dictionary)
                    project = MappedProject(self.plan, dictionary)
                sessions = evaluate.sessions_in(project, rows, with_trace=with_trace) if rows else ()
                yield ReadRecord(record, bool(rows), sessions)
        except ConfigurationError as error:
            self._say_it_better(error)
            raise

    def utc_offset(self) -> timedelta | None:
        return self.client.utc_offset()

    def check(self) -> ConnectionReport:
        return connection.report(self)

    def ask_dictionary(self) -> Dictionary:
        dictionary = self.client.dictionary()
        expected = self.project.project_id
        if expected is not None and dictionary.project_id != expected:
            raise ConfigurationError(
                f"The token opens project {dictionary.project_id}, not {expected}: nothing was read from it."
            )
        return dictionary

    def fingerprint(self) -> str:
        """Tell whose dictionary it is: with another URL, token or expected project it is asked for anew."""
        parts = (str(self.source.uid), self.access.url, self.access.token, str(self.project.project_id))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _say_it_better(self, error: ConfigurationError) -> None:
        """Name the mapping's row where REDCap refused what the kept dictionary promised."""
        if not self.is_fresh:
            self.check_mapping(self.dictionary(fresh=True))
        if isinstance(error, ColumnsMissing):
            raise missing_columns.explained(error, self.plan, self.dictionary()) from None


def _access(project: RedcapProject) -> Access:
    try:
        token = project.token()
    except (SecretMissing, CannotDecrypt) as error:
        raise AuthorisationError(str(error)) from None
    return access_by(project, token)


def access_by(project: RedcapProject, token: str) -> Access:
    """Return how the project is asked by a token. Raises ConfigurationError."""
    try:
        certificates = project.certificates()
    except NotAllowed as error:
        raise ConfigurationError(str(error)) from None
    return Access(
        url=normalise_url(project.url),
        token=token,
        ca_bundle=certificates,
        read_timeout=project.read_timeout,
        # Each worker counts its own: together they keep to what the source allows.
        requests_per_minute=max(1, project.requests_per_minute // settings.WORKERS),
        batch_size=project.batch_size,
        pause=FIRST_PAUSE,
        **bounds_of_answers(),
    )


def bounds_of_answers() -> dict[str, Any]:
    """Return how large an answer may be, as `Access` takes it."""
    rows = settings.SOURCE_ANSWER_ROWS
    return {
        "most_megabytes": settings.SOURCE_ANSWER_MEGABYTES,
        "most": Most(objects=rows, names=settings.SOURCE_ANSWER_COLUMNS, values=10 * rows),
    }
