"""A project's dictionary is asked for before its mapping is decided; what cannot be asked stays unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sources.backends.redcap import backend
from sources.dictionary import Dictionary
from sources.errors import ConfigurationError, SourceError
from sources.host import NotAllowed
from sources.models import RedcapProject
from sources.models.details import SecretMissing
from sources.redcap.address import normalise_url
from sources.redcap.client import Access, Client
from sources.rows import ExportRow
from sources.secrets import CannotDecrypt

ATTEMPTS = 2  # somebody waits for the import
READ_TIMEOUT = 30  # seconds
RECORDS_AT_ONCE = 500  # of a few fields


class Projects:
    """Each project of an import is asked once, however many sources read it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Dictionary | SourceError] = {}

    def records(
        self, project: RedcapProject, dictionary: Dictionary, fields: Sequence[str]
    ) -> Iterator[tuple[ExportRow, ...]]:
        """Yield the rows of each record, with these fields alone.

        Raises SourceError, SecretMissing or CannotDecrypt.
        """
        with Client(replace(_access(project), batch_size=RECORDS_AT_ONCE)) as client:
            ids = client.record_ids(id_field=dictionary.record_id_field, server_timezone=project.zone)
            for _, rows in client.records(ids, dictionary=dictionary, fields=fields):
                if rows:
                    yield rows

    def dictionary(self, project: RedcapProject) -> Dictionary:
        """Return the dictionary at the URL and token of a project, saved or not.

        Raises SourceError, SecretMissing or CannotDecrypt.
        """
        access = _access(project)
        key = (access.url, access.token)
        if key not in self._known:
            self._known[key] = _ask(access)
        found = self._known[key]
        if isinstance(found, SourceError):
            raise found
        if project.project_id not in (None, found.project_id):
            raise ConfigurationError(f"The token opens project {found.project_id}, not {project.project_id}.")
        return found


def known(project: RedcapProject, projects: Projects) -> tuple[Dictionary | None, str]:
    """Return the dictionary, or None and why it is unknown."""
    try:
        return projects.dictionary(project), ""
    except (SourceError, SecretMissing, CannotDecrypt, NotAllowed) as error:
        return None, str(error)


def _ask(access: Access) -> Dictionary | SourceError:
    try:
        with Client(access) as client:
            return client.dictionary()
    except SourceError as error:
        return error


def _access(project: RedcapProject) -> Access:
    return Access(
        url=normalise_url(project.url),
        token=project.token(),
        ca_bundle=project.certificates(),
        read_timeout=READ_TIMEOUT,
        requests_per_minute=project.requests_per_minute,
        attempts=ATTEMPTS,
        pause=backend.FIRST_PAUSE,
        **backend.bounds_of_answers(),
    )
