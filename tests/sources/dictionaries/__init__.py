"""Dictionaries in the manner of real studies, each with what is right for it, written down beforehand.

A file begins with lines on the project (`title`, `event NAME: forms`, `repeats FORM`, `repeats EVENT/FORM`)
and on what is right. Then come its instruments: `[form] Label`, `-- Section header`, and a field a line, with
`; ` between name, type/validation, label, choices, field note and field annotation.

What is right is `FIELD`, `FIELD ^ FIELD`, `FIELD: codes` or `FIELD unit`; `open` where only a person can say,
and `-` where there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.dictionary import Dictionary, ProjectEvent
from sources.mapping import targets
from sources.mapping.rules import Rule
from sources.mapping.suggestion.proposals import Suggestion
from sources.redcap import parsing

FOLDER = Path(__file__).parent
OPEN, NOTHING = "open", "-"
# By the word of the files: the proposal's target, and which rules answer it.
ASKED = {
    "id": ("patient_id", {"patient_id"}),
    "name": ("patient_name", {"patient_name"}),
    "born": (targets.BIRTH_DATE, {targets.BIRTH_DATE}),
    "sex": (targets.SEX, {targets.SEX}),
    "weight": (targets.KILOGRAMS, {targets.KILOGRAMS, targets.POUNDS}),
    "date": (targets.START_DATE, {targets.START_DATE, targets.START}),
    "time": (targets.START_TIME, {targets.START_TIME}),
    "status": (targets.STATUS, {targets.STATUS}),
    "protocol": ("protocol_name", {"protocol_name"}),
}


@dataclass(frozen=True)
class Study:
    name: str
    language: str
    dictionary: Dictionary
    right: dict[str, str]  # by each word of ASKED


@dataclass(frozen=True)
class Answer:
    """It compares what was suggested with what is right."""

    study: str
    asked: str
    right: str
    suggested: str

    @property
    def is_right(self) -> bool:
        return self.suggested == self.right

    @property
    def is_missed(self) -> bool:
        """Tell whether nothing was taken where there is something to take, or to ask about."""
        return not self.is_right and self.suggested in (OPEN, NOTHING)

    @property
    def is_wrong(self) -> bool:
        return not self.is_right and not self.is_missed


def studies() -> list[Study]:
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def read(path: Path) -> Study:
    head, *forms = path.read_text(encoding="utf-8").split("\n[")
    lines = [line.split(" ", 1) for line in head.splitlines() if line.strip()]
    right = {
        key.strip(): value.strip() for word, rest in lines if word == "right" for key, value in _pair(rest)
    }
    assert right.keys() == ASKED.keys(), path
    metadata = [entry for form in forms for entry in _entries(form)]
    events = {key: value.split(", ") for word, rest in lines if word == "event" for key, value in _pair(rest)}
    repeating = {_repeat(rest) for word, rest in lines if word == "repeats"}
    given = dict(line for line in lines if line[0] in ("title", "language"))
    dictionary = Dictionary(
        project_id=1,
        title=given.get("title", "A study"),
        version="14.5.0",
        is_longitudinal=bool(events),
        has_repeats=bool(repeating),
        fields={field.name: field for field in parsing.fields_of(metadata, {})},
        forms=dict(form.splitlines()[0].split("] ") for form in forms),
        events=tuple(ProjectEvent(name, name, int(name.rsplit("_", 1)[1])) for name in events),
        event_forms={name: frozenset(held) for name, held in events.items()},
        repeating=frozenset(repeating),
    )
    return Study(path.stem, given["language"], dictionary, right)


def _pair(rest: str) -> Iterator[tuple[str, str]]:
    key, _, value = rest.partition(": ")
    yield key, value


def _repeat(text: str) -> tuple[str, str]:
    event, slash, form = text.partition("/")
    return (event, form) if slash else ("", event)


def _entries(text: str) -> Iterator[dict[str, str]]:
    """Yield an instrument's fields as the API's metadata has them."""
    heading, *lines = text.splitlines()
    section = ""
    for line in filter(None, lines):
        if line.startswith("-- "):
            section = line.removeprefix("-- ")
            continue
        name, kind, label, choices, note, annotation = [*line.split("; "), *[""] * 5][:6]
        field_type, _, validation = kind.partition("/")
        yield {
            "field_name": name,
            "form_name": heading.split("] ")[0],
            "section_header": section,
            "field_type": field_type,
            "field_label": label,
            "select_choices_or_calculations": choices,
            "field_note": note.strip(),
            "text_validation_type_or_show_slider_number": validation,
            "field_annotation": annotation,
        }
        section = ""


def answers(study: Study, suggestion: Suggestion) -> Iterator[Answer]:
    for asked, (target, answering) in ASKED.items():
        rules = [rule for rule in suggestion.plan.rules if rule.target in answering]
        proposal = next((each for each in suggestion.proposals if each.target == target), None)
        is_said = proposal is not None and bool(proposal.candidates) and bool(proposal.remark)
        left = OPEN if is_said else NOTHING
        yield Answer(study.name, asked, study.right[asked], _shown(rules[0]) if rules else left)


def _shown(rule: Rule) -> str:
    if rule.target in (targets.KILOGRAMS, targets.POUNDS):
        return f"{rule.field} {'kg' if rule.target == targets.KILOGRAMS else 'lb'}"
    if rule.transforms.startswith("codes ") and rule.target in (targets.SEX, targets.STATUS):
        return f"{rule.field}: {rule.transforms.removeprefix('codes ')}"
    if rule.transforms.startswith("template "):
        return rule.transforms.removeprefix("template ").replace("{", "").replace("}", "").replace("^", " ^ ")
    return rule.field
