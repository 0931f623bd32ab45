"""These classes hold what a configuration says, whichever format it is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from sources.mapping.rules import Level, Rule, SessionLayout


@dataclass(frozen=True)
class RowDetails:
    """A value of `field_mapping` that is an object says all that a row of the mapping may say."""

    values: Mapping[str, str] = field(default_factory=dict)  # code to value
    template: str = ""
    pattern: str = ""
    group: str = ""
    level: Level | None = None
    events: tuple[str, ...] = ()
    default: str = ""
    required: bool = False


@dataclass(frozen=True)
class Pair:
    """`left: right` is an entry of a field mapping; with details, left is the field and right the target."""

    left: str
    right: str
    details: RowDetails | None = None


@dataclass(frozen=True)
class Credentials:
    """They are as the file has them; all are empty where the environment is to say."""

    api_url: str = ""
    api_token: str = field(default="", repr=False)
    api_token_env: str = ""
    api_token_file: str = ""

    @property
    def has_token(self) -> bool:
        return bool(self.api_token or self.api_token_env or self.api_token_file)


@dataclass(frozen=True)
class Environment:
    """A source's URL and token are in these variables where the file has none."""

    url: str = "REDCAP_API_URL"
    token: str = "REDCAP_API_TOKEN"  # noqa: S105  (a variable's name)

    @property
    def token_file(self) -> str:
        return f"{self.token}_FILE"


class PatientIds(StrEnum):
    """The original cut IDs: of CPIP-0042 it kept what follows the last dash."""

    OLD = "old"  # as it cut them
    WHOLE = "whole"


@dataclass(frozen=True)
class SourceEntry:
    """The file describes one source. What is None, it leaves open."""

    name: str
    enabled: bool | None = None
    sync_interval: int = 60  # seconds
    window: tuple[time, time] | None = None
    credentials: Credentials = Credentials()
    environment: Environment = Environment()
    project_id: int | None = None
    server_timezone: str = ""
    sessions: SessionLayout | None = None
    site_id: str = ""
    protocol_name: str = ""
    hisris_coding_designator: str = ""
    pairs: tuple[Pair, ...] = ()
    session_codes: Mapping[str, str] = field(default_factory=dict)
    patient_ids: PatientIds | None = None
    days_ahead: int | None = None  # offered to scanners, after today
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class CalpendoEntry:
    """The file describes one source of Calpendo's, as it is read here; `remarks` tell what differs.

    `doubts` say what keeps it from being enabled. What is None, the file leaves open.
    """

    name: str
    url: str
    time_zone: str
    resources: tuple[str, ...]
    modalities: Mapping[str, str] = field(default_factory=dict)  # of resources that have one
    states: str = ""
    enabled: bool | None = None
    sync_interval: int = 60  # seconds
    window: tuple[time, time] | None = None  # of the day, in which it is pulled
    days_ahead: int = 0
    conditions: str = ""
    further_paths: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    remarks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefusedEntry:
    """A source cannot be imported, and `reason` says why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Configuration:
    """`allowed_aet` is None where the file does not say who may associate."""

    sources: tuple[SourceEntry | CalpendoEntry | RefusedEntry, ...]
    allowed_aet: tuple[str, ...] | None = None
    db_path: str = ""
    users_db_path: str = ""
    remarks: tuple[str, ...] = ()
