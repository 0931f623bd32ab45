"""These models are what the worklist keeps.

items         what a scanner is offered
performed     what it reported back
people        who was confirmed to have a patient ID
attention     what a coordinator must look at
devices       who may ask, and what is particular to each
quality       when a scanner is checked with a phantom, and the items of that
calendar_feeds  to whom appointments are told as a calendar
activity      what each has asked and reported
serialised    JSON that is made before a transaction begins, and the column of data sets
search_words  words by which items and performed steps are searched for
listed_values  the modalities, stations and sources that items have
history       history by the actor's name
changes       that history as people read it
restrictions  a query's conditions as restrictions of items
lookups       field lookups and transforms that Django does not have
sized_cache   what was made last, up to a size
statements    SQL that Django writes once, and what it reads
prepared      SQL that PostgreSQL plans once, and several statements of which go together
writing       rows that are written by such SQL
constraints   constraints that models share
locks         locks of what has no row of its own
connections   database connections in threads that are not Django's
"""

from __future__ import annotations

from worklist.models.activity import DeviceActivity
from worklist.models.attention import Attention, AttentionKind
from worklist.models.calendar_feeds import CalendarFeed, FeedShows
from worklist.models.devices import CHARACTER_SETS, Device, Misfit, OverMaximum, StationFilter, Strictness
from worklist.models.items import (
    DERIVED,
    MARKS,
    PERSON_NAMES,
    STEP_EXISTS,
    PerformedBy,
    Sex,
    Status,
    WorklistItem,
)
from worklist.models.people import ConfirmedPerson
from worklist.models.performed import (
    LONGEST_TEXT,
    Evidence,
    PerformedSeries,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
)
from worklist.models.quality import IdScope, QaRule, QaScan
from worklist.models.search_words import ItemSearchWord, StepSearchWord

__all__ = [
    "CHARACTER_SETS",
    "DERIVED",
    "LONGEST_TEXT",
    "MARKS",
    "PERSON_NAMES",
    "STEP_EXISTS",
    "Attention",
    "AttentionKind",
    "CalendarFeed",
    "ConfirmedPerson",
    "Device",
    "DeviceActivity",
    "Evidence",
    "FeedShows",
    "IdScope",
    "ItemSearchWord",
    "Misfit",
    "OverMaximum",
    "PerformedBy",
    "PerformedSeries",
    "PerformedStatus",
    "PerformedStep",
    "PerformedStepItem",
    "QaRule",
    "QaScan",
    "Sex",
    "StationFilter",
    "Status",
    "StepSearchWord",
    "Strictness",
    "WorklistItem",
]
