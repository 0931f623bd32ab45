"""Many worklist files are imported by a few statements; one of which something is doubtful by itself.

What each file does is what `FileImport.take` would do with one after the other. A file comes in among others
where all its steps are new, or say nothing else than their items, and where nothing else that is stored or
given has to do with them: the others are judged as ever, in their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from worklist.dicom import patient_id
from worklist.dicom.reading import FileRefused
from worklist.items import batches, cleaning, intake, known_steps
from worklist.items.file_import import (
    FileImport,
    GivenFile,
    ImportedFile,
    ImportedStep,
    SeenStep,
    StepImport,
    item_named,
)
from worklist.items.plain import Unsaved
from worklist.items.worklist_files import LeftOutAttribute, ScheduledStep
from worklist.models import WorklistItem

MOST_AT_ONCE = 100  # files in a transaction: on SQLite nobody else writes meanwhile

Key = tuple[str, str]  # of a step: Study Instance UID and Scheduled Procedure Step ID


def take_all(run: FileImport, files: Iterable[GivenFile]) -> Iterator[ImportedFile]:
    """Import the files, and yield in their order what became of each; files are read as they are taken."""
    given = iter(files)
    while some := list(islice(given, MOST_AT_ONCE)):
        yield from _taken(run, some)


def rehearse(run: FileImport, files: Iterable[GivenFile]) -> list[ImportedFile]:
    """Return what the files would do, and write nothing."""
    read = list(files)  # before the transaction, which keeps others from writing
    with transaction.atomic():
        imported = list(take_all(run, read))
        transaction.set_rollback(True)
    return imported


def _taken(run: FileImport, files: Sequence[GivenFile]) -> list[ImportedFile]:
    done = _brought_in(run, files)
    return [done.get(place) or run.take(file) for place, file in enumerate(files)]


class _Step(NamedTuple):
    """This is a step on its way to an item; what is left out of it goes to its importer's list."""

    importer: StepImport
    given: ScheduledStep
    usable: ScheduledStep
    made: dict[str, str]

    @property
    def values(self) -> Mapping[str, str]:
        return {**self.usable.values, **self.made}

    @property
    def key(self) -> Key:
        uid, step_id = (self.values.get(name, "") for name in intake.MADE_ONCE)
        return uid, step_id

    @property
    def is_whole(self) -> bool:
        """Tell whether the file itself says which step it is."""
        return not self.made.keys() & {*intake.MADE_ONCE}

    @property
    def sought_accession(self) -> str:
        """Return the accession number by which its item is looked for; none where it names its study."""
        return "" if self.usable.values.get("study_instance_uid") else self.usable.values["accession_number"]

    @property
    def letters(self) -> str:
        given = str(cleaning.CLEANERS["patient_id"](self.usable.values["patient_id"]))
        return patient_id.alphanumeric(given) or given


class _Outcome(NamedTuple):
    """This is what a step does: its item is as it was, or is to be made."""

    step: _Step
    item: WorklistItem
    unsaved: Unsaved | None

    def told(self) -> ImportedStep:
        if self.unsaved is None:
            return ImportedStep("unchanged", self.item)
        return ImportedStep("created", self.item, made=self.step.importer.named(self.step.made))


@dataclass
class _File:
    """This is a file whose steps may be brought in with those of others."""

    given: GivenFile
    steps: list[_Step]
    outcomes: list[_Outcome] = field(default_factory=list)

    @property
    def letters(self) -> set[str]:
        return {step.letters for step in self.steps}

    @property
    def unsaved(self) -> list[Unsaved]:
        return [outcome.unsaved for outcome in self.outcomes if outcome.unsaved]

    def told(self) -> ImportedFile:
        assert self.given.content is not None
        left_out = [*self.given.content.left_out]
        for step in self.steps:
            left_out += step.importer.left_out
        steps = tuple(outcome.told() for outcome in self.outcomes)
        return ImportedFile(self.given.shown, steps, tuple(dict.fromkeys(left_out)))


def _brought_in(run: FileImport, files: Sequence[GivenFile]) -> dict[int, ImportedFile]:
    """Bring in what is plain, and return what became of it by its place among the files."""
    planned = {place: _File(file, steps) for place, file in enumerate(files) if (steps := _steps(run, file))}
    known = _Known([step for file in planned.values() for step in file.steps])
    judged = {place: file for place, file in planned.items() if _is_judged(run, file, known)}
    chosen = _alone_under_their_ids(files, planned, judged)
    saved = _saved(run, list(chosen.values()))
    done = {place: file for (place, file), is_saved in zip(chosen.items(), saved, strict=True) if is_saved}
    for file in done.values():
        for step, item, _ in file.outcomes:
            run.seen[item.pk] = SeenStep(file.given.shown, step.given)
    return {place: file.told() for place, file in done.items()}


def _steps(run: FileImport, file: GivenFile) -> list[_Step]:
    """Return the steps of the file, or none where one of them cannot be used."""
    if file.content is None:
        return []
    steps = []
    is_alone = len(file.content.steps) == 1
    for position, given in enumerate(file.content.steps):
        importer = StepImport(run, file.name, position, is_alone, list[LeftOutAttribute]())
        try:
            steps.append(_Step(importer, given, *importer.identified(given)))
        except FileRefused:
            return []
    return steps if all(all(step.key) for step in steps) else []


class _Known:
    """These are the items that may be the steps', and how often the steps themselves meet."""

    def __init__(self, steps: Sequence[_Step]) -> None:
        self._of_study: dict[str, list[_Step]] = defaultdict(list)
        self._accessions: Counter[str] = Counter()
        self._sought: Counter[str] = Counter()
        for step in steps:
            self._of_study[step.key[0]].append(step)
            self._accessions[step.values["accession_number"]] += 1
            self._sought[step.sought_accession] += 1
        self._items: dict[Key, WorklistItem] = {}
        self._studies: set[str] = set()
        self._stored_accessions: set[str] = set()
        for item in _items_of(steps):
            self._items[item.study_instance_uid, item.scheduled_procedure_step_id] = item
            self._studies.add(item.study_instance_uid)
            self._stored_accessions.add(item.accession_number)

    def item(self, step: _Step) -> WorklistItem | None:
        return self._items.get(step.key)

    def is_new(self, step: _Step) -> bool:
        """Tell whether no item has anything by which the step's would be looked for."""
        sought = step.sought_accession
        return step.key[0] not in self._studies and not (sought and sought in self._stored_accessions)

    def is_doubtful(self, step: _Step) -> bool:
        """Tell whether another step might be the same, or of the same study with another patient."""
        of_study = self._of_study[step.key[0]]
        number = step.values["accession_number"]
        if number and self._sought[number] and self._accessions[number] > 1:
            return True
        item = self._items.get(step.key)
        if item is not None and self._sought[item.accession_number] and item.accession_number != number:
            return True
        if len(of_study) == 1:
            return False
        keys = {each.key for each in of_study}
        people = {each.values["patient_id"] for each in of_study}
        return len(keys) < len(of_study) or len(people) > 1 or not all(each.is_whole for each in of_study)


def _items_of(steps: Sequence[_Step]) -> QuerySet[WorklistItem]:
    """Return the items of the steps' studies, and of the accession numbers that they are looked for by."""
    of_them = Q(study_instance_uid__in={step.key[0] for step in steps})
    if sought := {step.sought_accession for step in steps} - {""}:
        of_them |= Q(accession_number__in=sought)
    return WorklistItem.objects.filter(of_them).order_by()


def _is_judged(run: FileImport, file: _File, known: _Known) -> bool:
    """Tell whether each step of the file is plain by itself, and keep what each does."""
    for step in file.steps:
        if known.is_doubtful(step):
            return False
        item = known.item(step)
        if item is None and not known.is_new(step):
            return False
        try:
            outcome = _new(step) if item is None else _unchanged(run, step, item)
        except FileRefused:
            return False
        if outcome is None:
            return False
        file.outcomes.append(outcome)
    return True


def _new(step: _Step) -> _Outcome:
    """Raises FileRefused."""
    unsaved = step.importer.drafted(step.usable, step.made)
    return _Outcome(step, unsaved.item, unsaved)


def _unchanged(run: FileImport, step: _Step, item: WorklistItem) -> _Outcome | None:
    """Return what the step does where it changes nothing of its item. Raises FileRefused."""
    seen = run.seen.get(item.pk)
    if (seen is not None and seen.step != step.given) or item.erased_at is not None:
        return None
    name = partial(item_named, seen=run.seen)
    known_steps.refuse_another(item, step.usable.values, step.made, name)
    return None if step.importer.differing(item, step.usable) else _Outcome(step, item, None)


def _alone_under_their_ids(
    files: Sequence[GivenFile], planned: Mapping[int, _File], judged: Mapping[int, _File]
) -> dict[int, _File]:
    """Leave out files that make items under an ID of one that is taken by itself: the first one counts."""
    chosen = dict(judged)
    others = set[str]()
    for place, file in enumerate(files):
        if place not in chosen:
            others |= planned[place].letters if place in planned else _letters_of(file)
    while late := [place for place, file in chosen.items() if file.unsaved and file.letters & others]:
        for place in late:
            others |= chosen.pop(place).letters
    return chosen


def _letters_of(file: GivenFile) -> set[str]:
    """Return the letters of the IDs that can be read; what else is wrong with the file it is told itself."""
    found = set()
    for step in file.content.steps if file.content else ():
        try:
            given = str(cleaning.CLEANERS["patient_id"](step.values["patient_id"]))
        except ValidationError:
            continue
        found.add(patient_id.alphanumeric(given) or given)
    return found


def _saved(run: FileImport, files: Sequence[_File]) -> list[bool]:
    """Make the items of the files, and tell of each file whether it is done."""
    makers = [file for file in files if file.unsaved]
    made = dict.fromkeys(map(id, makers), False)
    if makers:
        steps = [step for file in makers for step, _, unsaved in file.outcomes if unsaved]
        with transaction.atomic():
            if not _items_of(steps).exists():  # as it was when they were judged, before the transaction
                saved = batches.create_plain([file.unsaved for file in makers], actor=run.actor)
                made = dict(zip(map(id, makers), saved, strict=True))
    return [made.get(id(file), True) for file in files]
