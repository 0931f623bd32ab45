"""Worklist files become items here, or are refused: what each did, or would do, is told to whoever shows it.

A file is taken whole or not at all. What names the person and makes the match must be there and be fit for an
item; what else is missing is made, and what else no item may have is left out, unless the run is strict.
"""

from __future__ import annotations

import hashlib
import re
from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from pydicom.datadict import tag_for_keyword
from pydicom.tag import Tag

from worklist.dicom import item_attributes, reading
from worklist.dicom.reading import FileRefused
from worklist.dicom.values import to_text
from worklist.items import cleaning, identifiers, intake, known_steps
from worklist.items.plain import Unsaved
from worklist.items.worklist_files import ESSENTIAL, LeftOutAttribute, ScheduledStep, WorklistFile
from worklist.models import WorklistItem

Outcome = Literal["created", "updated", "unchanged"]
OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "unchanged")
CHANGED_SINCE = "It would do something else now than what was shown: look at it again."
NOT_THIS_STUDY = "It names another study than this item's."

_IDENTIFIERS = ("study_instance_uid", *identifiers.PREFIXES)
_REFERENCE = "ReferencedStudySequence"
_QUOTED_VALUE = re.compile(r"^Value .* is", re.DOTALL)

Written = TypeVar("Written")


@dataclass(frozen=True)
class GivenFile:
    """This is a file as it was given: its content, or why it cannot be used.

    `name` is its own, without folders; people see it as `shown`.
    """

    shown: str
    name: str
    content: WorklistFile | None = None
    refusal: str = ""


class ImportedValue(NamedTuple):
    """This is a value of an item that a file changes, as people read it."""

    label: str
    old: str
    new: str


class ImportedStep(NamedTuple):
    """This is what became of a step, or would. `made` names the identifiers that its file lacks."""

    outcome: Outcome
    item: WorklistItem
    changes: tuple[ImportedValue, ...] = ()
    made: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportedFile:
    """This is what became of a file, or would: of all its steps, or of none where it is refused."""

    shown: str
    steps: tuple[ImportedStep, ...] = ()
    left_out: tuple[LeftOutAttribute, ...] = ()
    refusal: str = ""

    @property
    def does_something(self) -> bool:
        return any(step.outcome != "unchanged" for step in self.steps)

    def outcomes(self) -> Counter[str]:
        return Counter(step.outcome for step in self.steps)

    def left_out_by_reason(self) -> list[tuple[str, list[str]]]:
        """Return each reason with the names of what was left out for it."""
        found: dict[str, list[str]] = {}
        for each in self.left_out:
            found.setdefault(each.why, []).append(each.name)
        return list(found.items())

    def digest(self) -> str:
        """Return what is the same only where the same would be done."""
        done = [
            (step.outcome, step.item.study_instance_uid, step.item.scheduled_procedure_step_id, step.changes)
            for step in self.steps
        ]
        return hashlib.sha256(repr((done, self.left_out, self.refusal)).encode()).hexdigest()


class SeenStep(NamedTuple):
    """This is what an item was given in this run, and by which file."""

    shown: str
    step: ScheduledStep


SeenSteps = Mapping[int, SeenStep]  # by the item's key


def given(shown: str, name: str, read: Callable[[], WorklistFile]) -> GivenFile:
    """Read a file, and keep why that is not possible."""
    try:
        return GivenFile(shown, name, read())
    except FileRefused as reason:
        return GivenFile(shown, name, refusal=str(reason))


@dataclass
class FileImport:
    """This is one run over several files, which may not contradict each other."""

    actor: str
    strict: bool = False
    seen: dict[int, SeenStep] = field(default_factory=dict)

    def take(self, file: GivenFile, *, expected: str | None = None) -> ImportedFile:
        """Import all steps of the file, or none of them.

        `expected` is the digest of what a person saw: where it would do something else now, it is refused.
        """
        try:
            with transaction.atomic():
                return self._imported(file, expected)
        except FileRefused as reason:
            return ImportedFile(file.shown, refusal=str(reason))

    def _imported(self, file: GivenFile, expected: str | None) -> ImportedFile:
        if file.content is None:
            raise FileRefused(file.refusal)
        left_out, seen = list(file.content.left_out), dict[int, SeenStep]()
        done = []
        for position, step in enumerate(file.content.steps):
            one = StepImport(self, file.name, position, len(file.content.steps) == 1, left_out)
            done.append(one.imported(step, ChainMap(seen, self.seen)))
            seen.setdefault(done[-1].item.pk, SeenStep(file.shown, step))
        imported = ImportedFile(file.shown, tuple(done), tuple(dict.fromkeys(left_out)))
        if expected not in (None, imported.digest()):
            raise FileRefused(CHANGED_SINCE)
        self.seen |= seen
        return imported


@dataclass
class StepImport:
    """This is one step on its way to an item; what it loses on the way goes to `left_out`."""

    run: FileImport
    file_name: str
    position: int
    is_alone: bool
    left_out: list[LeftOutAttribute]

    def imported(self, given: ScheduledStep, seen: SeenSteps) -> ImportedStep:
        """Raises FileRefused."""
        step, made = self.identified(given)
        name = partial(item_named, seen=seen)
        item = known_steps.find(step.values, made, name, is_alone=self.is_alone)
        if item is None:
            known_steps.refuse_shared_study(step.values, name)
            return self._created(step, made)
        known_steps.refuse_another(item, step.values, made, name)
        earlier = seen.get(item.pk)
        if earlier and earlier.step != given:
            raise FileRefused(
                f"{earlier.shown} has the same step with other values: the last one read would win."
            )
        return self._changed(item, step)

    def identified(self, given: ScheduledStep) -> tuple[ScheduledStep, dict[str, str]]:
        """Return the step with what is of use, and the identifiers that it lacks. Raises FileRefused."""
        step, made = self._usable(given), dict[str, str]()
        if not self.run.strict:
            made = known_steps.made_identifiers(step.values, self.position, self.file_name)
        return step, made

    def drafted(self, step: ScheduledStep, made: dict[str, str]) -> Unsaved:
        """Return the item that the step would make, by what it says itself. Raises FileRefused."""
        values, extra = self._of_new(step, made)
        return self._write(values, lambda fit: intake.unsaved({**fit, "extra_attributes": extra}))

    def differing(self, item: WorklistItem, step: ScheduledStep) -> frozenset[str]:
        """Return the fields that the step would change. Raises FileRefused."""
        extra = self._of_known(item, step)
        return self._write(
            step.values, lambda fit: intake.differing(item, {**fit, "extra_attributes": extra})
        )

    def named(self, made: Iterable[str]) -> tuple[str, ...]:
        """Name the identifiers that are made."""
        return tuple(map(_tagged, made))

    def _usable(self, step: ScheduledStep) -> ScheduledStep:
        """Clean the identifiers, and leave out what no item may have of them and of further attributes.

        Raises FileRefused where what a file must have is of no use.
        """
        for name in ESSENTIAL:
            if why := _fault(name, step.values[name]):
                raise FileRefused(f"{known_steps.named(name)}: {why}")
        values = {**step.values, **{name: self._identifier(name, step.values) for name in _IDENTIFIERS}}
        if self.run.strict:
            return replace(step, values=values)
        faults = {keyword: _fault_of_extra(keyword, value) for keyword, value in step.extra.items()}
        for keyword, why in faults.items():
            if why:
                self._leave_out(keyword, why)
        extra = {keyword: value for keyword, value in step.extra.items() if not faults[keyword]}
        return replace(step, values=values, extra=extra)

    def _identifier(self, name: str, values: Mapping[str, str]) -> str:
        """Return the identifier as an item has it; empty where there is none, or none that is legal."""
        given = values.get(name, "")
        why = _fault(name, given)
        if not why:
            return str(cleaning.CLEANERS[name](given))
        if self.run.strict:
            raise FileRefused(f"{known_steps.named(name)}: {why}")
        self._leave_out(name, why)
        return ""

    def _created(self, step: ScheduledStep, made: dict[str, str]) -> ImportedStep:
        values, extra = self._of_new(step, made)
        item = self._write(
            values, lambda fit: intake.create({**fit, "extra_attributes": extra}, actor=self.run.actor)
        )
        return ImportedStep("created", item, made=self.named(made))

    def _changed(self, item: WorklistItem, step: ScheduledStep) -> ImportedStep:
        before = {name: getattr(item, name) for name in cleaning.CLEANERS}
        extra = self._of_known(item, step)
        changed = self._write(
            step.values,
            lambda fit: intake.change(item, {**fit, "extra_attributes": extra}, actor=self.run.actor),
        )
        changes = tuple(_changes(item, before, changed))
        return ImportedStep("updated" if changed else "unchanged", item, changes)

    def _of_new(self, step: ScheduledStep, made: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the values of a new item, and its further attributes."""
        status = {"performed_procedure_step_status": step.status} if step.status else {}
        values = {**step.values, **status, **made}
        return values, self._of_study(step.extra, values["study_instance_uid"])

    def _of_known(self, item: WorklistItem, step: ScheduledStep) -> dict[str, Any]:
        """Return the item's further attributes with those of the step."""
        return {**item.extra_attributes, **self._of_study(step.extra, item.study_instance_uid)}

    def _of_study(self, extra: dict[str, Any], study: str) -> dict[str, Any]:
        """Leave out a reference to another study: intake takes none, where PS3.4 Table K.6-1 would."""
        references = extra.get(_REFERENCE) or []
        if self.run.strict or all(each.get("ReferencedSOPInstanceUID") == study for each in references):
            return extra
        self._leave_out(_REFERENCE, NOT_THIS_STUDY)
        return {keyword: value for keyword, value in extra.items() if keyword != _REFERENCE}

    def _write(self, values: dict[str, str], write: Callable[[dict[str, str]], Written]) -> Written:
        """Write what is fit, leaving out what intake refuses of it. Raises FileRefused."""
        fit = dict(values)
        while True:
            try:
                return write(fit)
            except ValidationError as error:
                unusable = {} if self.run.strict else _unusable(error, fit)
                if not unusable:
                    raise FileRefused(_sentences(error)) from error
            for name, why in unusable.items():
                self._leave_out(name, why)
                del fit[name]

    def _leave_out(self, name: str, why: str) -> None:
        self.left_out.append(LeftOutAttribute(_tagged(name), why))


def item_named(item: WorklistItem, *, seen: SeenSteps) -> str:
    """Name it by its key, or by the file that made it in this run, whose key may be no one's afterwards."""
    whose = f"The item of {seen[item.pk].shown}" if item.pk in seen else f"Item {item.pk}"
    return f"{whose} (step {item.scheduled_procedure_step_id})"


def _fault(name: str, value: str) -> str:
    """Return why a field cannot have the value; empty where it can."""
    try:
        _column(name).clean(cleaning.CLEANERS[name](value), None)
    except ValidationError as error:
        return _without_value(" ".join(error.messages))
    return ""


def _fault_of_extra(keyword: str, value: Any) -> str:
    try:
        cleaning.extra_attributes({keyword: value})
    except ValidationError as error:
        return " ".join(error.messages).removeprefix(f"{keyword}: ")
    return ""


def _unusable(error: ValidationError, values: Mapping[str, str]) -> dict[str, str]:
    """Return what may be left out of what intake refuses, with why; nothing where more is wrong than that."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {}
    may_go = all(
        name in values and name not in ESSENTIAL and str(intake.FROZEN) not in messages
        for name, messages in by_field.items()
    )
    if not may_go:
        return {}
    return {name: _without_value(" ".join(messages)) for name, messages in by_field.items()}


def _changes(
    item: WorklistItem, before: Mapping[str, Any], changed: Iterable[str]
) -> Iterator[ImportedValue]:
    for name in (name for name in cleaning.CLEANERS if name in changed):
        old, new = before[name], getattr(item, name)
        if name != "extra_attributes":
            yield ImportedValue(_label(name), _shown(old), _shown(new))
            continue
        for keyword in sorted({*old, *new}):
            if old.get(keyword) != new.get(keyword):
                yield ImportedValue(keyword, _shown(old.get(keyword)), _shown(new.get(keyword)))


def _shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | time) else to_text(value)


def _sentences(error: ValidationError) -> str:
    """Say what intake found, by DICOM's names and without the values."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    return " ".join(
        (f"{known_steps.named(name)}: " if name in item_attributes.BY_FIELD else "") + _without_value(message)
        for name, messages in by_field.items()
        for message in messages
    )


def _without_value(message: str) -> str:
    return _QUOTED_VALUE.sub("This is", message)


def _tagged(name: str) -> str:
    """Name an attribute as reading does, by its field or its keyword."""
    attribute = item_attributes.BY_FIELD.get(name)
    tag = attribute.tag if attribute else tag_for_keyword(name)
    return reading.name(Tag(tag)) if tag else _label(name)


def _label(name: str) -> str:
    label = str(_column(name).verbose_name)
    return label[:1].upper() + label[1:]


def _column(name: str) -> Any:
    return WorklistItem._meta.get_field(name)
