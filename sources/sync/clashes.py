"""Two records clash where one patient ID has two people, or one appointment has two records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sources.contract import Problem, SessionKey
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import values
from worklist.attention import identity
from worklist.models import WorklistItem

TWO_PEOPLE = "Another record has this patient ID with another name, birth date or sex: whose is it?"
TWO_RECORDS = (
    "Another record has the same patient at the same time: was one of them renamed or entered twice?"
)
TWO_SOURCES = "Another source has this patient ID with another name, birth date or sex."


def find_clashes(
    source: DataSource, record: str, key: SessionKey, says: Mapping[str, Any]
) -> Iterator[Problem]:
    others = SyncedStep.objects.filter(item__patient_id=says["patient_id"], withdrawal=Withdrawal.NONE)
    others = others.exclude(source=source, record=record).select_related("item").order_by()
    for text, blocks in sorted({_clash(source, other, says) for other in others}):
        if text:
            yield Problem("patient_id", "", text, key, blocks=blocks)


def _clash(source: DataSource, other: SyncedStep, says: Mapping[str, Any]) -> tuple[str, bool]:
    item = other.item
    assert item is not None  # it was found by its item
    if other.source_id != source.pk:
        return (TWO_SOURCES, False) if _is_someone_else(item, says) else ("", False)
    if _is_someone_else(item, says):
        return TWO_PEOPLE, True
    same_time = all(
        values.item_value(item, name) == says.get(name)
        for name in ("scheduled_start_date", "scheduled_start_time")
    )
    return (TWO_RECORDS, False) if same_time else ("", False)


def _is_someone_else(item: WorklistItem, says: Mapping[str, Any]) -> bool:
    """Tell whether something that both know differs."""
    if not identity.same_name(item.patient_name, says.get("patient_name", "")):
        return True
    pairs = (
        (values.item_value(item, name), says.get(name, "")) for name in ("patient_birth_date", "patient_sex")
    )
    return any(here and there and here != there for here, there in pairs)
