"""These models are what this server knows of archives.

archives   where an archive is, how it is asked and how often
addresses  which addresses may be asked
checks     which items it is to be asked for, when, and what came of it
studies    what it answered of a study
states     how it goes with asking it
"""

from __future__ import annotations

from archives.models.archives import Archive, ArchiveKind, Authentication
from archives.models.checks import IS_THERE, ArchiveCheck, Finding
from archives.models.states import ArchiveState
from archives.models.studies import ArchivedStudy

__all__ = [
    "IS_THERE",
    "Archive",
    "ArchiveCheck",
    "ArchiveKind",
    "ArchiveState",
    "ArchivedStudy",
    "Authentication",
    "Finding",
]
