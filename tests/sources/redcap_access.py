"""A client of the stand-in REDCap asks here without losing time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sources.dictionary import Dictionary
from sources.redcap.client import Access, Client
from sources.rows import ExportRow
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN


def access(server: RedcapServer, **changes: Any) -> Access:
    quick = {"pause": 0.001, "read_timeout": 5, "connect_timeout": 5, "requests_per_minute": 6000}
    return Access(server.url, **{"token": TOKEN, **quick, **changes})


def ids(
    client: Client, dictionary: Dictionary, *, since: datetime | None = None, zone: str = "UTC"
) -> tuple[str, ...]:
    return client.record_ids(id_field=dictionary.record_id_field, since=since, server_timezone=ZoneInfo(zone))


def read(client: Client, dictionary: Dictionary, *fields: str) -> dict[str, tuple[ExportRow, ...]]:
    """Read every record."""
    return dict(client.records(ids(client, dictionary), dictionary=dictionary, fields=fields))
