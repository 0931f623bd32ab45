"""Output rules tell the encoder's plan how answers to one device differ from what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from worklist.dicom import representations, values
from worklist.dicom.answer_elements import EncodingError
from worklist.dicom.values import CODE_VALUE_LENGTH, Record

PROTOCOL_CODES = "ScheduledProtocolCodeSequence"
LONGEST = 64  # characters of LO, which a long code and a meaning are

Coded = tuple[str, tuple[str, str, str]]  # a protocol's name, and its code's value, scheme and meaning


class CodesSent(Enum):
    """The codes of a protocol are sent in one of these ways."""

    AS_STORED = "as_stored"
    SHORT_ONLY = "short_only"  # a receiver that does not know Long Code Value (0008,0119)
    NONE = "none"


class TooLong(EncodingError):
    """A value is longer than the device takes. Shortened, it would be another patient's or nobody's."""

    def __init__(self, keyword: str, *, length: int, longest: int) -> None:
        super().__init__(keyword)
        self.args = (f"{keyword} has {length} characters, and the device takes {longest}",)
        self.length = length
        self.longest = longest


@dataclass(frozen=True)
class OutputRules:
    """Each rule is off where it is empty; then the answer is what is stored.

    `character_set` are the terms of Specific Character Set (0008,0005); without them the query decides.
    """

    station_ae_title: str = ""  # of an item that any station may take
    station_name: str = ""  # of an item that has none
    character_set: tuple[str, ...] = ()
    transliterates: bool = False
    longest_name: int | None = None  # characters of each component group, delimiters included
    longest_patient_id: int | None = None
    coding_scheme: str = ""  # of a protocol without one
    codes: CodesSent = CodesSent.AS_STORED
    protocol_codes: tuple[Coded, ...] = ()
    plain_pending: bool = False  # FF00 also where FF01 is due

    def applied(self, record: Record) -> Record:
        """Return the record as it is answered. Raises TooLong."""
        self.check_lengths(record)
        changes = {**self._station(record), **self._protocol(record)}
        return {**record, **changes} if changes else record

    def check_lengths(self, record: Record) -> None:
        """Raise TooLong for a name or an ID that the device does not take whole."""
        if self.longest_name is not None:
            longest = max(map(len, record["patient_name"].split("=")))
            if longest > self.longest_name:
                raise TooLong("PatientName", length=longest, longest=self.longest_name)
        if self.longest_patient_id is not None and len(record["patient_id"]) > self.longest_patient_id:
            length = len(record["patient_id"])
            raise TooLong("PatientID", length=length, longest=self.longest_patient_id)

    def _station(self, record: Record) -> dict[str, Any]:
        changes = {}
        if self.station_ae_title and not record["scheduled_station_aetitle"]:
            changes["scheduled_station_aetitle"] = self.station_ae_title
        if self.station_name and not record["station_name"]:
            changes["station_name"] = self.station_name
        return changes

    def _protocol(self, record: Record) -> dict[str, Any]:
        """The item's own codes go before those of the device."""
        stored = record["extra_attributes"] or {}
        if not self._concerns_codes or not isinstance(stored, Mapping):
            return {}
        own = values.with_scheme(stored.get(PROTOCOL_CODES), self._scheme_of(record))
        codes = own or self._codes_of(record)
        if not isinstance(codes, list):
            return {}  # the encoder says what is wrong with it
        others = {keyword: value for keyword, value in stored.items() if keyword != PROTOCOL_CODES}
        if kept := [code for code in codes if self._is_kept(code)]:
            return {"extra_attributes": {**others, PROTOCOL_CODES: kept}}
        return {"extra_attributes": others, "hisris_coding_designator": ""}

    @property
    def _concerns_codes(self) -> bool:
        return bool(self.protocol_codes or self.coding_scheme) or self.codes is not CodesSent.AS_STORED

    def _codes_of(self, record: Record) -> list[dict[str, Any]]:
        known = dict(self.protocol_codes).get(record["protocol_name"])
        if known is not None:
            return [values.code_item(*known)]
        scheme = self._scheme_of(record)
        return values.scheduled_protocol_codes({**record, "hisris_coding_designator": scheme})

    def _scheme_of(self, record: Record) -> str:
        return record["hisris_coding_designator"] or self.coding_scheme

    def _is_kept(self, code: Any) -> bool:
        if self.codes is CodesSent.SHORT_ONLY:
            return isinstance(code, Mapping) and bool(code.get("CodeValue"))
        return self.codes is CodesSent.AS_STORED


def read_protocol_codes(text: str, *, scheme: str) -> tuple[Coded, ...]:
    """Read `PROTOCOL = VALUE | SCHEME | MEANING`, one a line; scheme and meaning may be left out.

    Without a scheme it is the one given, without a meaning the protocol's name. Raises ValueError with a
    sentence.
    """
    found: dict[str, tuple[str, str, str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        protocol, _, code = (part.strip() for part in line.partition("="))
        value, own_scheme, meaning, *more = [*(part.strip() for part in code.split("|")), "", ""]
        if not protocol or not value or any(more):
            raise ValueError(f"Line {number}: write PROTOCOL = VALUE | SCHEME | MEANING.")
        if protocol in found:
            raise ValueError(f"Line {number}: the protocol stands in an earlier line already.")
        found[protocol] = value, own_scheme or scheme, meaning or protocol
        if problem := _problem(*found[protocol]):
            raise ValueError(f"Line {number}: {problem}")
    return tuple(found.items())


def _problem(value: str, scheme: str, meaning: str) -> str:
    if not scheme:
        return "a code needs its scheme: write it here, or give the device one for all."
    texts = (("code", value, LONGEST), ("scheme", scheme, CODE_VALUE_LENGTH), ("meaning", meaning, LONGEST))
    for name, text, most in texts:
        if len(text) > most:
            return f"the {name} has {len(text)} characters, and {most} are allowed."
        if fault := representations.problem("LO", text):
            return f"the {name}: {fault}"
    return ""
