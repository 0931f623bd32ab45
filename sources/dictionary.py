"""A source describes its data in REDCap's terms: fields with their choices, instruments, events, repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

DICOM = "dicom"


@dataclass(frozen=True)
class Field:
    """The data dictionary describes a field so; labels are plain text, without HTML.

    `columns` is a checkbox's: choice code to the export's own column name (`exportFieldNames`), for names
    cannot be built from codes. `section` is the header under which the field stands on its form. The type
    DICOM is of our own exports, whose values are written as DICOM has them: a name in its parts and groups.
    """

    name: str
    form: str
    type: str  # field_type
    label: str
    choices: Mapping[str, str] = field(default_factory=dict)  # code to label, yesno and truefalse too
    validation: str = ""  # text_validation_type_or_show_slider_number
    is_identifier: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    note: str = ""  # field_note
    section: str = ""  # section_header
    annotation: str = ""  # field_annotation


@dataclass(frozen=True)
class ProjectEvent:
    name: str  # unique_event_name
    label: str
    arm: int
    id: int | None = None


@dataclass(frozen=True)
class Dictionary:
    """It describes one project.

    `repeating` holds (event, form): form "" is the whole event, event "" a classic project. It is None where
    the user may not ask (it needs the Project Design right): repeats are then known from rows alone.
    """

    project_id: int
    title: str
    version: str
    is_longitudinal: bool
    has_repeats: bool
    fields: Mapping[str, Field]  # in the dictionary's order: the first is the record ID field
    forms: Mapping[str, str]  # instrument to label
    events: tuple[ProjectEvent, ...] = ()
    event_forms: Mapping[str, frozenset[str]] = field(default_factory=dict)
    repeating: frozenset[tuple[str, str]] | None = None
    missing_codes: frozenset[str] = frozenset()

    @cached_property
    def record_id_field(self) -> str:
        return next(iter(self.fields))

    @cached_property
    def arms(self) -> Mapping[str, int]:
        """Return the arm of each event."""
        return {event.name: event.arm for event in reversed(self.events)}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Return each event's place in the project's order."""
        names = dict.fromkeys(event.name for event in self.events)
        return {name: place for place, name in enumerate(names)}

    def to_json(self) -> dict[str, Any]:
        """Return it for a JSON column; `from_json` reads it back."""
        return {
            **{each.name: getattr(self, each.name) for each in fields(self)},
            "forms": dict(self.forms),
            "events": [vars(event) for event in self.events],
            "event_forms": {event: sorted(forms) for event, forms in self.event_forms.items()},
            "repeating": None if self.repeating is None else sorted(self.repeating),
            "missing_codes": sorted(self.missing_codes),
            "fields": [vars(field) for field in self.fields.values()],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Dictionary:
        repeating = kept["repeating"]
        fields = [Field(**entry) for entry in kept["fields"]]
        return cls(
            **{
                **kept,
                "fields": {each.name: each for each in fields},
                "events": tuple(ProjectEvent(**event) for event in kept["events"]),
                "event_forms": {event: frozenset(forms) for event, forms in kept["event_forms"].items()},
                "repeating": None
                if repeating is None
                else frozenset((event, form) for event, form in repeating),
                "missing_codes": frozenset(kept["missing_codes"]),
            }
        )
