"""Records clash where one patient ID has two people, or one appointment has two records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sources.contract import Problem, Session
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import values
from worklist.attention import whose_id
from worklist.attention.whose_id import PERSON_FIELDS
from worklist.items import cleaning
from worklist.items.whose import Answer
from worklist.models import WorklistItem

TWO_PEOPLE = "Another item has this patient ID with another name, birth date or sex: whose is it?"
TWO_RECORDS = (
    "Another record has the same patient at the same time: was one of them renamed or entered twice?"
)
NUMBERED_TWICE = "Another record's session has this patient ID: are they two people, or is one entered twice?"


def find_clashes(
    source: DataSource, record: str, session: Session, says: Mapping[str, Any], *, beside: Collection[int]
) -> Iterator[Problem]:
    """Yield what a session's patient ID has against it. Whose it is, intake asks again when it writes.

    `beside` holds the keys of the record's own items.
    """
    key = session.key
    who = {field: cleaning.CLEANERS[field](says.get(field, "")) for field in ("patient_id", *PERSON_FIELDS)}
    if whose_id.others(WorklistItem(**who), beside=beside):
        yield Problem("patient_id", "", TWO_PEOPLE, key, blocks=True)
        return
    others = list(_of_other_records(source, record, says))
    if any(_is_at_the_same_time(other, says) for other in others):
        yield Problem("patient_id", "", TWO_RECORDS, key)
    elif others and session.numbered_by:
        # An ID with the session's number is one session's: name and birth date may be the same by chance.
        yield Problem("patient_id", session.numbered_by, NUMBERED_TWICE, key, blocks=True)


def of_the_record(source: DataSource, record: str) -> Answer:
    """Answer whose the ID is: all items of one record are one person's, and are corrected one by one."""
    steps = SyncedStep.objects.filter(source=source, record=record, item__isnull=False)
    return Answer(beside=tuple(steps.order_by("pk").values_list("item_id", flat=True)))


def _of_other_records(source: DataSource, record: str, says: Mapping[str, Any]) -> Iterator[WorklistItem]:
    steps = source.steps.filter(item__patient_id=says["patient_id"], withdrawal=Withdrawal.NONE)
    for step in steps.exclude(record=record).select_related("item").order_by():
        assert step.item is not None  # it was found by its item
        yield step.item


def _is_at_the_same_time(item: WorklistItem, says: Mapping[str, Any]) -> bool:
    return all(
        values.item_value(item, name) == says.get(name)
        for name in ("scheduled_start_date", "scheduled_start_time")
    )
