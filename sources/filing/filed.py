"""An archive files an image under a project, a subject and a session, each read from some attribute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sources.filing.images import Attributes


class FilingRemark(StrEnum):
    """It is said of where something is filed."""

    NOT_FILED = "not_filed"  # nothing says where
    CHANGED = "changed"  # characters that a label cannot have were replaced or left out
    PASSED_OVER = "passed_over"  # an attribute was to say it, and is written otherwise than the archive reads
    PHANTOM = "phantom"  # the name makes it a phantom
    BY_CANDIDATE = "by_candidate"  # the archive knows the project of each candidate
    BY_SEQUENCES = "by_sequences"  # the names of sequences at the console say the session


class FiledPart(NamedTuple):
    """A label, and the keyword of the attribute that it is from; both "" where nothing says it."""

    label: str = ""
    attribute: str = ""


NOTHING = FiledPart()


@dataclass(frozen=True)
class Filed:
    project: FiledPart = NOTHING
    subject: FiledPart = NOTHING
    session: FiledPart = NOTHING
    remarks: tuple[FilingRemark, ...] = ()


File = Callable[[Attributes], Filed]
