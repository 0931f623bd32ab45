"""These models hold what sources keep.

data_sources  where participants come from, and the mapping
details       what a row of each kind's own is asked
calpendo_sites  the resources, states and user of a source that is a Calpendo
redcap_projects  the project, token and sessions of a source that is a REDCap project
tables        the file of a source that is a table, its layout, and what was uploaded
dictionaries  what is known of a source's project
identifying   an administrator's yes to identifying fields
state         how a source fares, what waits to be read, the worker's beat, and the first steps' end
steps         which session of which record an item stands for
runs          what each pull did
erased        which records are left out since their participants were erased
issues        what a person must mend at the source
originals     what came from a database of the original
write_back    the outgoing mapping, and which outcomes wait to be written back
"""

from __future__ import annotations

from sources.models.calpendo_sites import CalpendoSite
from sources.models.data_sources import DataSource, MappingRule
from sources.models.dictionaries import KnownDictionary
from sources.models.erased import ErasedRecord
from sources.models.identifying import HowAgreed, IdentifyingAgreement
from sources.models.issues import SyncIssue
from sources.models.originals import OriginalDatabase, OriginalRow, OriginalStep
from sources.models.redcap_projects import RedcapProject
from sources.models.runs import RunOutcome, SyncRun, Trigger
from sources.models.state import FirstStepsEnd, PendingRecord, SourceState, State, WorkerBeat
from sources.models.steps import SyncedStep, Withdrawal
from sources.models.tables import SeenTable, TableFile, UploadedTable
from sources.models.write_back import (
    Hindrance,
    OutcomeWrite,
    WriteIssue,
    WriteProgress,
    WriteRule,
    WriteState,
)

__all__ = [
    "CalpendoSite",
    "DataSource",
    "ErasedRecord",
    "FirstStepsEnd",
    "Hindrance",
    "HowAgreed",
    "IdentifyingAgreement",
    "KnownDictionary",
    "MappingRule",
    "OriginalDatabase",
    "OriginalRow",
    "OriginalStep",
    "OutcomeWrite",
    "PendingRecord",
    "RedcapProject",
    "RunOutcome",
    "SeenTable",
    "SourceState",
    "State",
    "SyncIssue",
    "SyncRun",
    "SyncedStep",
    "TableFile",
    "Trigger",
    "UploadedTable",
    "Withdrawal",
    "WorkerBeat",
    "WriteIssue",
    "WriteProgress",
    "WriteRule",
    "WriteState",
]
