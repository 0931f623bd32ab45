"""What the worklist knows of a batch of records is read by a few queries, and asked without any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from django.utils import timezone

from sources.contract import ReadRecord, Session, SessionKey
from sources.mapping import targets
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import values
from sources.sync.values import Errors, Values
from worklist.attention import identity, whose_id
from worklist.items import cleaning, whose
from worklist.models import WorklistItem

Moment = tuple[str, str]  # day and time, as JSON


class SaidPerson(NamedTuple):
    """This is whom a session names."""

    patient_id: str
    patient_name: str
    patient_birth_date: date | None
    patient_sex: str


@dataclass(frozen=True)
class Said:
    """This is what a session says as an item may have it, and what of it no item may have."""

    values: Values
    errors: Errors

    @cached_property
    def patient_id(self) -> str:
        return str(self.values.get("patient_id", ""))

    @cached_property
    def moment(self) -> Moment:
        day, time = (str(self.values.get(name, "")) for name in targets.MOMENT)
        return day, time

    @cached_property
    def person(self) -> SaidPerson:
        return SaidPerson(
            **{field: cleaning.CLEANERS[field](self.values.get(field, "")) for field in SaidPerson._fields}
        )


class NewAppointments:
    """These are about to be made: whose records bring them, by patient ID."""

    def __init__(self) -> None:
        self._of_id: dict[str, list[tuple[str, Said]]] = defaultdict(list)

    def note(self, record: str, said: Said) -> None:
        self._of_id[said.patient_id].append((record, said))

    def beside(self, record: str, patient_id: str) -> list[tuple[str, Said]]:
        """Return those that other records bring under the ID."""
        return [(of, said) for of, said in self._of_id.get(patient_id, ()) if of != record]


class KnownRecords:
    """These are the steps and items of some records of a source, and whom their patient IDs name.

    `steps` has each record's sessions by key, as they are now; `of_record` all its steps, also those whose
    row is used again. `holds_ids` keeps other writers from the patient IDs until the transaction ends.
    `new` is what is about to be made, and `said` what the records say, by record and session.
    """

    def __init__(
        self,
        source: DataSource,
        reads: Sequence[ReadRecord],
        *,
        holds_ids: bool = False,
        new: NewAppointments | None = None,
        said: Mapping[str, Mapping[SessionKey, Said]] | None = None,
    ) -> None:
        self.source = source
        self.today = timezone.localdate()
        self.said = said or _said_by_each(reads)
        self.of_record = _of_record(source, [read.record for read in reads])
        self.steps = {record: _current(steps) for record, steps in self.of_record.items()}
        ids = {each.patient_id for of_record in self.said.values() for each in of_record.values()} - {""}
        if holds_ids:
            whose.hold(ids)
        self._people = whose_id.People(ids)
        self._offered, self._elsewhere = _offered(source, ids)
        self.new = new or NewAppointments()

    @cached_property
    def examined(self) -> dict[int, date | None]:
        """Map the key of each item that is or was examined to the last day of that, where it is known."""
        return identity.examined([item for record in self.of_record for item in self.items_of(record)])

    def items_of(self, record: str) -> list[WorklistItem]:
        return [step.item for step in self.of_record.get(record, ()) if step.item is not None]

    def is_anothers_id(self, record: str, person: SaidPerson, *, beside: Collection[int]) -> bool:
        """Tell whether an item, or an appointment that is about to be made, has the ID with another person.

        `beside` has the keys of items that are known to be the same person's.
        """
        if self._people.others(person, beside=beside):
            return True
        new = self.new.beside(record, person.patient_id)
        return any(whose_id.differing(person, said.person) for _, said in new)

    def is_in_another_record(self, record: str, said: Said) -> bool:
        """Tell whether another record of the source has the patient at the same time."""
        offered = self._offered.get(said.patient_id, ())
        if any(of != record and moment == said.moment for of, moment in offered):
            return True
        return any(new.moment == said.moment for _, new in self.new.beside(record, said.patient_id))

    def is_id_of_another_record(self, record: str, said: Said) -> bool:
        """Tell whether another record of the source has the patient ID at all."""
        offered = self._offered.get(said.patient_id, ())
        return any(of != record for of, _ in offered) or bool(self.new.beside(record, said.patient_id))

    def is_in_another_source(self, said: Said) -> bool:
        """Tell whether another source offers the patient at the same time."""
        return said.moment in self._elsewhere.get(said.patient_id, ())


def _said_by_each(reads: Iterable[ReadRecord]) -> dict[str, dict[SessionKey, Said]]:
    found: dict[str, dict[SessionKey, Said]] = {}
    for read in reads:
        said = ((session.key, said_by(session)) for session in read.sessions)
        found.setdefault(read.record, {}).update(said)
    return found


def said_by(session: Session) -> Said:
    return Said(*values.cleaned(session.values))


def _of_record(source: DataSource, records: Collection[str]) -> dict[str, list[SyncedStep]]:
    found: dict[str, list[SyncedStep]] = {}
    steps = SyncedStep.objects.filter(source=source, record__in=records).select_related("item")
    for step in steps.order_by("occurrence"):
        found.setdefault(step.record, []).append(step)
    return found


def _current(steps: Iterable[SyncedStep]) -> dict[SessionKey, SyncedStep]:
    """Return the last use of each row."""
    return {step.key: step for step in steps}


def _offered(
    source: DataSource, ids: Collection[str]
) -> tuple[dict[str, list[tuple[str, Moment]]], dict[str, list[Moment]]]:
    """Return when items with each patient ID are: the source's, with their records, and other sources'."""
    own: dict[str, list[tuple[str, Moment]]] = {}
    elsewhere: dict[str, list[Moment]] = {}
    steps = SyncedStep.objects.filter(item__patient_id__in=ids, withdrawal=Withdrawal.NONE).order_by()
    columns = ("source_id", "item__patient_id", "record", f"item__{targets.START_DATE}")
    for source_pk, patient_id, record, *at in steps.values_list(*columns, f"item__{targets.START_TIME}"):
        day, time = map(values.as_json, at)
        if source_pk == source.pk:
            own.setdefault(patient_id, []).append((record, (day, time)))
        else:
            elsewhere.setdefault(patient_id, []).append((day, time))
    return own, elsewhere
