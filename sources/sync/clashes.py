"""Records clash where one patient ID has two people, or one appointment has two records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sources.contract import Problem, Session
from sources.models import DataSource, SyncedStep
from sources.sync import occurrences
from sources.sync.known import KnownRecords, Said, SaidPerson
from worklist.attention import identity
from worklist.items.whose import Answer

TWO_PEOPLE = "Another item has this patient ID with another name, birth date or sex: whose is it?"
TWO_RECORDS = (
    "Another record has the same patient at the same time: was one of them renamed or entered twice?"
)
NUMBERED_TWICE = "Another record's session has this patient ID: are they two people, or is one entered twice?"
TWO_SOURCES = "Another source has the same patient at the same time: does it read the same project?"


def find_clashes(
    known: KnownRecords, record: str, session: Session, said: Said, *, beside: Collection[int]
) -> Iterator[Problem]:
    """Yield what a session's patient ID has against it. Whose it is, intake asks again when it writes.

    `beside` holds the keys of the record's own items.
    """
    key = session.key
    if known.is_anothers_id(record, said.person, beside=beside):
        yield Problem("patient_id", "", TWO_PEOPLE, key, blocks=True)
    elif known.is_in_another_record(record, said):
        yield Problem("patient_id", "", TWO_RECORDS, key)
    elif session.numbered_by and known.is_id_of_another_record(record, said):
        # An ID with the session's number is one session's: name and birth date may be the same by chance.
        yield Problem("patient_id", session.numbered_by, NUMBERED_TWICE, key, blocks=True)
    elif known.is_in_another_source(said):
        yield Problem("patient_id", "", TWO_SOURCES, key)


def own_items(known: KnownRecords, record: str, person: SaidPerson, *, itself: int | None) -> tuple[int, ...]:
    """Return the keys of the record's items that are the person's, and so are corrected one by one.

    All items of one record are one person's, but for those that were examined before the record was given
    to somebody else. `itself` is the key of the item that the session stands for already.
    """
    return tuple(
        item.pk
        for item in known.items_of(record)
        if item.pk == itself
        or not occurrences.is_another_person(item, person)
        or item.pk not in known.examined
    )


def of_the_record(source: DataSource, record: str, says: Mapping[str, Any]) -> Answer:
    """Answer whose the ID is that a session of the record says."""
    steps = SyncedStep.objects.filter(source=source, record=record, item__isnull=False)
    items = [step.item for step in steps.order_by("pk").select_related("item") if step.item is not None]
    person = Said(dict(says), {}).person
    others = [item for item in items if occurrences.is_another_person(item, person)]
    examined = identity.examined(others)
    return Answer(beside=tuple(item.pk for item in items if item.pk not in examined))
