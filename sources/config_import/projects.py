"""A project's dictionary is asked for before its mapping is decided; what cannot be asked stays unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sources.backends import redcap
from sources.errors import ConfigurationError, SourceError
from sources.models import DataSource
from sources.models.data_sources import TokenMissing
from sources.redcap.address import normalise_url
from sources.redcap.client import Access, Client
from sources.redcap.dictionary import Dictionary
from sources.redcap.rows import ExportRow
from sources.secrets import CannotDecrypt

ATTEMPTS = 2  # somebody waits for the import
READ_TIMEOUT = 30  # seconds
RECORDS_AT_ONCE = 500  # of a few fields


class Projects:
    """Each project of an import is asked once, however many sources read it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Dictionary | SourceError] = {}

    def records(
        self, source: DataSource, dictionary: Dictionary, fields: Sequence[str]
    ) -> Iterator[tuple[ExportRow, ...]]:
        """Yield the rows of each record, with these fields alone.

        Raises SourceError, TokenMissing or CannotDecrypt.
        """
        with Client(replace(_access(source), batch_size=RECORDS_AT_ONCE)) as client:
            ids = client.record_ids(id_field=dictionary.record_id_field, server_timezone=source.zone)
            for _, rows in client.records(ids, dictionary=dictionary, fields=fields):
                if rows:
                    yield rows

    def dictionary(self, source: DataSource) -> Dictionary:
        """Return the dictionary at the URL and token of a source, saved or not.

        Raises SourceError, TokenMissing or CannotDecrypt.
        """
        access = _access(source)
        key = (access.url, access.token)
        if key not in self._known:
            self._known[key] = _ask(access)
        found = self._known[key]
        if isinstance(found, SourceError):
            raise found
        if source.project_id not in (None, found.project_id):
            raise ConfigurationError(f"The token opens project {found.project_id}, not {source.project_id}.")
        return found


def known(source: DataSource, projects: Projects) -> tuple[Dictionary | None, str]:
    """Return the dictionary, or None and why it is unknown."""
    try:
        return projects.dictionary(source), ""
    except (SourceError, TokenMissing, CannotDecrypt) as error:
        return None, str(error)


def _ask(access: Access) -> Dictionary | SourceError:
    try:
        with Client(access) as client:
            return client.dictionary()
    except SourceError as error:
        return error


def _access(source: DataSource) -> Access:
    return Access(
        url=normalise_url(source.url),
        token=source.token(),
        ca_bundle=source.ca_bundle,
        read_timeout=READ_TIMEOUT,
        requests_per_minute=source.requests_per_minute,
        attempts=ATTEMPTS,
        pause=redcap.FIRST_PAUSE,
    )
