"""Outcomes are written into a REDCap project: read by the source's token, written by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from sources.backends.redcap.backend import RedcapBackend, access_by
from sources.contract import HeldSession, Mistake, SessionKey
from sources.dictionary import Dictionary
from sources.errors import AuthorisationError, ConfigurationError
from sources.mapping import columns, evaluate, readers, sessions
from sources.models import DataSource
from sources.models.details import SecretMissing
from sources.models.write_back import other_plans, outgoing_rules
from sources.outgoing import check, places
from sources.outgoing.rules import OutgoingRule
from sources.redcap.client import Client
from sources.rows import ExportRow
from sources.secrets import CannotDecrypt

MAY_NOT = "It is the token for writing: its user needs API Import, and may have to edit the instruments."
MISTAKES_NAMED = 3


def open_writer(source: DataSource) -> RedcapWriter:
    return RedcapWriter(source)


class RedcapWriter:
    """It has a client for each token."""

    def __init__(self, source: DataSource) -> None:
        """Raises SourceError where a token is missing."""
        self.source = source
        self.rules: tuple[OutgoingRule, ...] = outgoing_rules(source)
        self.backend = RedcapBackend(source)
        self.alive: Callable[[], None] = lambda: None
        self._client: Client | None = None

    def __enter__(self) -> Self:
        self.backend.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.__exit__(kind, error, traceback)
        self.backend.__exit__(kind, error, traceback)

    @property
    def client(self) -> Client:
        """Return the client that writes. Raises AuthorisationError without a token for it."""
        if self._client is None:
            self._client = Client(access_by(self.source.redcap, _token(self.source)), wait=self.backend.wait)
        return self._client

    def dictionary(self) -> Dictionary:
        return self.backend.dictionary()

    def prepare(self, *, writes: bool = True) -> None:
        self.backend.alive = self.alive
        self.backend.prepare()
        self._refuse_mistakes()
        if writes:
            self._refuse_another_project()

    def may_write(self) -> bool:
        self._refuse_another_project()
        return self.client.may_import()

    def read(self, records: Sequence[str]) -> Iterator[tuple[str, Mapping[SessionKey, HeldSession]]]:
        dictionary, plan = self.dictionary(), self.backend.plan
        written = [rule.field for rule in self.rules]
        fields = [*evaluate.fields_needed(plan, dictionary), *written]
        rows = self.backend.client.records(
            records,
            dictionary=replace(dictionary, missing_codes=frozenset()),
            fields=list(dict.fromkeys(fields)),
            columns=readers.columns_needed(plan, dictionary),
        )
        for record, found in rows:
            self.alive()
            yield record, self._sessions([row for row in found if row.record == record], dictionary)

    def _sessions(
        self, rows: Sequence[ExportRow], dictionary: Dictionary
    ) -> Mapping[SessionKey, HeldSession]:
        """Return the sessions as a pull reads them, with what is held beside them."""
        read = [_without_codes(row, dictionary) for row in rows]
        by_place = {sessions.place_of(row): row for row in rows}
        found = evaluate.sessions_of(read, self.backend.plan, dictionary) if read else ()
        return {
            session.key: HeldSession(session, self._held(session.key, by_place, dictionary))
            for session in found
        }

    def _held(
        self, key: SessionKey, rows: Mapping[SessionKey, ExportRow], dictionary: Dictionary
    ) -> dict[str, str]:
        held = {}
        for rule in self.rules:
            place = self._place(rule, key)
            if place is not None:
                row = rows.get(place)
                held[rule.field] = columns.read(rule.field, row, dictionary) if row is not None else ""
        return held

    def write(self, record: str, key: SessionKey, values: Mapping[str, str]) -> None:
        """Whether the values are there is told by reading them again, whatever was counted."""
        try:
            self.client.import_rows(self._rows(record, key, values))
        except AuthorisationError as error:
            raise AuthorisationError(f"{error} {MAY_NOT}", retry_after=error.retry_after) from None

    def _rows(self, record: str, key: SessionKey, values: Mapping[str, str]) -> list[dict[str, str | int]]:
        """Return the rows of an import: one for each place that has a field."""
        found: dict[SessionKey, dict[str, str | int]] = {}
        for rule in self.rules:
            place = self._place(rule, key)
            if rule.field in values and place is not None:
                row = found.setdefault(place, self._identity(record, place))
                row[rule.field] = values[rule.field]
        return list(found.values())

    def _identity(self, record: str, place: SessionKey) -> dict[str, str | int]:
        dictionary = self.dictionary()
        row: dict[str, str | int] = {dictionary.record_id_field: record}
        if dictionary.is_longitudinal:
            row["redcap_event_name"] = place.event
        if place.instance:
            row |= {"redcap_repeat_instrument": place.instrument, "redcap_repeat_instance": place.instance}
        return row

    def _place(self, rule: OutgoingRule, key: SessionKey) -> SessionKey | None:
        return places.place(rule, key, self.backend.plan.sessions, self.dictionary())

    def _refuse_mistakes(self) -> None:
        found = self._mistakes(self.dictionary())
        if found and not self.backend.is_fresh:
            found = self._mistakes(self.backend.dictionary(fresh=True))
        if found:
            named = " ".join(mistake.text for mistake in found[:MISTAKES_NAMED])
            raise ConfigurationError(f"What is written back does not fit the project. {named}")

    def _mistakes(self, dictionary: Dictionary) -> tuple[Mistake, ...]:
        others = other_plans(self.source)
        return check.mistakes(self.rules, self.backend.plan, dictionary, others=others)

    def _refuse_another_project(self) -> None:
        """Refuse to write into another project than the one that is read."""
        read = self.dictionary().project_id
        opened = int(self.client.project()["project_id"])
        if opened != read:
            raise ConfigurationError(
                f"The token for writing opens project {opened}, and the source reads {read}: nothing was "
                "written. Enter a token of the same project."
            )


def _token(source: DataSource) -> str:
    try:
        return str(source.redcap.write_token())
    except (SecretMissing, CannotDecrypt) as error:
        raise AuthorisationError(str(error)) from None


def _without_codes(row: ExportRow, dictionary: Dictionary) -> ExportRow:
    """Return the row as a pull has it, without missing data codes."""
    values = {name: "" if value in dictionary.missing_codes else value for name, value in row.values.items()}
    return replace(row, values=values)
