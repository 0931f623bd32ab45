"""C-FIND-RSP on the Modality Worklist Information Model has these statuses (PS3.4 Table K.4-1)."""

from __future__ import annotations

from typing import NamedTuple

from django.db import Error
from pydicom.tag import BaseTag

from pylantir_site.database.faults import in_a_comment
from worklist.devices.offers import DeviceUnusable
from worklist.dicom.datasets import Unreadable
from worklist.dicom.matching import IdentifierError

SUCCESS = 0x0000
PENDING = 0xFF00
PENDING_WITHOUT_SOME_KEYS = 0xFF01
CANCELLED = 0xFE00
OUT_OF_RESOURCES = 0xA700
IDENTIFIER_DOES_NOT_MATCH = 0xA900
UNABLE_TO_PROCESS = 0xC000


class TooManyMatches(Exception):
    """More items match than the device is sent, and its rule is to send none."""

    def __init__(self, total: int, maximum: int) -> None:
        super().__init__(f"{total} items match, and at most {maximum} are sent")
        self.total = total
        self.maximum = maximum


class Failure(NamedTuple):
    """A query ends with this status; the comment has at most 64 characters (Error Comment is LO)."""

    status: int
    comment: str
    tag: BaseTag | None = None


def failure(error: Exception) -> Failure:
    """Tell an exception of a search to who asked, with nothing of the query's values."""
    match error:
        case TooManyMatches():
            return Failure(OUT_OF_RESOURCES, f"More than {error.maximum} items match: ask for fewer")
        case IdentifierError():
            return Failure(IDENTIFIER_DOES_NOT_MATCH, error.comment, error.tag)
        case Unreadable():
            return Failure(UNABLE_TO_PROCESS, f"The identifier {error}")
        case DeviceUnusable():
            return Failure(UNABLE_TO_PROCESS, "The rules of this device cannot be used: see its row")
        case Error():
            return Failure(OUT_OF_RESOURCES, in_a_comment(error, "ask again later"))
        case _:
            return Failure(UNABLE_TO_PROCESS, "Unexpected error: see the server's log")
