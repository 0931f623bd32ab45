"""A mapping says what a source's items are made from, as a site wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    RECORD = "record"  # one value for all sessions of a record, looked for in its events in order
    SESSION = "session"  # on the session's own row


class SessionKind(StrEnum):
    """It tells where a record's sessions are found."""

    REPEATING_INSTRUMENT = "repeating_instrument"
    REPEATING_EVENT = "repeating_event"
    EVENT = "event"  # one for each event
    RECORD = "record"  # one for each record
    ROW = "row"  # one for each row of a table


class WithoutTime(StrEnum):
    """It tells what a date without a time means."""

    ISSUE = "issue"
    MIDNIGHT = "midnight"  # some time that day


class IdsAre(StrEnum):
    """It tells whose a patient ID is."""

    PARTICIPANT = "participant"  # sessions share it, unless its template numbers them
    SESSION = "session"  # two with one ID would be merged by the archive


class Policy(StrEnum):
    """It tells what a source may bring of who somebody is."""

    AS_MAPPED = "as_mapped"
    PSEUDONYMOUS = "pseudonymous"


@dataclass(frozen=True)
class Rule:
    """A row of a mapping has a target, and says where its value comes from.

    `target` is an item field (`patient_id`), `patient_weight_lb`, `scheduled_start_datetime`, any DICOM
    keyword, or a named value for templates in braces: `{session}`. `field` is a REDCap field, a form's
    status (`mri_complete`) or a column that every row carries (`redcap_data_access_group`, …); empty where a
    template or the default says all. `transforms` has one a line (`transforms.parse`). `events` are the
    unique names of the events to look in, in order; empty is all, in the project's order.
    """

    target: str
    field: str = ""
    level: Level = Level.SESSION
    events: tuple[str, ...] = ()
    transforms: str = ""
    default: str = ""
    required: bool = False


@dataclass(frozen=True)
class SessionLayout:
    """It tells how sessions are found.

    `conditions` has one a line, which must all hold: `mri_complete = 2`.
    """

    kind: SessionKind
    instrument: str = ""  # of REPEATING_INSTRUMENT; of EVENT, where only events that have it count
    events: tuple[str, ...] = ()  # empty: every event that can hold a session
    conditions: str = ""
    without_time: WithoutTime = WithoutTime.ISSUE


@dataclass(frozen=True)
class NamingRules:
    """They say which patient IDs, names and visits a study takes; what is empty limits nothing.

    A pattern is a regular expression that the whole value fits; of a name it is the PN, `Family^Given`.
    Lengths are in characters, of a name those of its longest component group, delimiters included.
    `visits` are values of the row `{session}` or `{visit}`, or without such a row the unique names of events.
    """

    patient_id_pattern: str = ""
    longest_patient_id: int | None = None
    patient_name_pattern: str = ""
    longest_patient_name: int | None = None
    visits: tuple[str, ...] = ()
    ids_are: IdsAre = IdsAre.PARTICIPANT


@dataclass(frozen=True)
class MappingPlan:
    """It holds all that decides what a project's rows become.

    `constants` are named values that templates may use beside fields ({site_id}); `fallbacks` are item
    fields' values where no rule has the field as its target (protocol_name, hisris_coding_designator,
    scheduled_station_aetitle). `is_pseudonymous` has true names and full birth dates refused.
    """

    rules: tuple[Rule, ...]
    sessions: SessionLayout
    constants: Mapping[str, str] = field(default_factory=dict)
    is_pseudonymous: bool = False
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    naming: NamingRules = NamingRules()
