"""Queries of scanners that name a participant lose what they asked; that they asked stays."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from pydicom import charset

from worklist.answering import requests
from worklist.answering.compiled import FindRequest
from worklist.dicom import folding
from worklist.models import DeviceActivity
from worklist.privacy.traces import Traces

AT_ONCE = 200  # identifiers
PIECE = 4  # letters
ENCODINGS = frozenset(codecs.lookup(name).name for name in charset.python_encoding.values())
_ESCAPES = re.compile(rb"\x1b[$()\-]+[0-~]")  # of code extensions (PS3.5 6.1.2.5)
_WORD = re.compile(r"\w+")

# What these ask for is of a day or of a machine.
OF_NOBODY = frozenset(
    {
        *("ScheduledStationAETitle", "ScheduledStationName", "Modality", "SpecificCharacterSet"),
        *("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"),
        *("ScheduledProcedureStepStatus", "TimezoneOffsetFromUTC", "PatientSex"),
    }
)


def naming_queries(traces: Traces) -> Iterator[tuple[bytes, bool]]:
    """Yield the identifiers that name the participant, and their encoding; each is judged once.

    Scanners repeat themselves, so there are few. One that cannot be read, and may name them, does.
    """
    kept = DeviceActivity.objects.queries().exclude(identifier=b"").order_by()
    pieces = _pieces(traces)
    for identifier, implicit_vr in kept.values_list("identifier", "implicit_vr").distinct().iterator():
        if not _may_name(bytes(identifier), pieces):
            continue
        asked = requests.keys_with_values(FindRequest(bytes(identifier), implicit_vr=implicit_vr))
        if asked is None or any(
            keyword not in OF_NOBODY and traces.are_asked_for(value) for keyword, value in asked
        ):
            yield bytes(identifier), implicit_vr


def _may_name(identifier: bytes, pieces: Collection[bytes]) -> bool:
    """Tell whether it is worth decoding, which takes a thousand times as long.

    A wild card may stand for anything.
    """
    lowered = identifier.lower()
    return b"*" in lowered or b"?" in lowered or any(piece in lowered for piece in pieces)


def _pieces(traces: Traces) -> frozenset[bytes]:
    """Return bytes of which a query that names the participant has some, in whatever encoding it is."""
    words = {word for name in traces.names for word in _WORD.findall(name)}
    folded = {spelling for word in words for spelling in folding.spellings(word)}
    # Of a longer word a part is enough: the query may write another letter with an accent.
    parts = {word[at : at + PIECE] for word in folded for at in range(max(len(word) - PIECE + 1, 1))}
    days = {f"{day:%Y%m%d}" for day in traces.birth_dates}
    cased = {each for word in words for each in (word, word.lower(), word.upper(), word.capitalize())}
    texts = {*cased, *parts, *traces.ids, *days}
    return frozenset(
        piece for text in texts if len(text) > 1 or not text.isascii() for piece in _encoded(text)
    )


def _encoded(text: str) -> Iterator[bytes]:
    for encoding in ENCODINGS:
        with suppress(UnicodeEncodeError):
            yield max(_ESCAPES.split(text.encode(encoding)), key=len).lower()


def erase_asked(traces: Traces, uids: Mapping[str, str]) -> int:
    """Empty what was asked for the participant, give messages their steps' new UIDs, and return how many."""
    count = 0
    named = [identifier for identifier, _implicit_vr in naming_queries(traces)]
    for start in range(0, len(named), AT_ONCE):
        same = DeviceActivity.objects.filter(identifier__in=named[start : start + AT_ONCE])
        count += same.update(identifier=b"")
    messages = DeviceActivity.objects.filter(sop_instance_uid__in=uids)
    for activity in messages.only("sop_instance_uid"):
        activity.sop_instance_uid = uids[activity.sop_instance_uid]
        activity.save(update_fields=["sop_instance_uid"])
        count += 1
    return count
