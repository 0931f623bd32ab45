"""These models hold what sources keep.

data_sources  where participants come from, and the mapping
dictionaries  what is known of a source's project
same_project  sources that read one project
state         how a source fares, what waits to be read, and the worker's beat
steps         which session of which record an item stands for
runs          what each pull did
issues        what a person must mend at the source
originals     what came from a database of the original
"""

from __future__ import annotations

from sources.models.data_sources import DataSource, MappingRule
from sources.models.dictionaries import KnownDictionary
from sources.models.issues import SyncIssue
from sources.models.originals import OriginalDatabase, OriginalRow, OriginalStep
from sources.models.runs import RunOutcome, SyncRun, Trigger
from sources.models.state import PendingRecord, SourceState, State, WorkerBeat
from sources.models.steps import SyncedStep, Withdrawal

__all__ = [
    "DataSource",
    "KnownDictionary",
    "MappingRule",
    "OriginalDatabase",
    "OriginalRow",
    "OriginalStep",
    "PendingRecord",
    "RunOutcome",
    "SourceState",
    "State",
    "SyncIssue",
    "SyncRun",
    "SyncedStep",
    "Trigger",
    "Withdrawal",
    "WorkerBeat",
]
