"""What items leave in the database is compared, whatever made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worklist.items import intake
from worklist.models import Attention, ItemSearchWord, WorklistItem

MADE_HERE = frozenset({"id", "created_at", "updated_at", "history_id", "history_date"})


def what_is_stored() -> dict[str, list[Any]]:
    """Return all that items leave, less what differs from one run to another."""
    steps = {item.pk: _step_of(item) for item in WorklistItem.objects.all()}
    return {
        "items": [_of(row) for row in WorklistItem.objects.order_by("pk").values()],
        "history": [_of(row) for row in WorklistItem.history.order_by("history_id").values()],
        "words": _words(steps),
        "points": sorted(
            Attention.objects.open().values_list("kind", *(f"item__{name}" for name in intake.MADE_ONCE))
        ),
    }


def in_any_order(stored: Mapping[str, list[Any]]) -> dict[str, list[str]]:
    """Leave out the order: what is plain comes in before what is doubtful."""
    return {table: sorted(map(str, rows)) for table, rows in stored.items()}


def _words(steps: Mapping[int, tuple[str, ...]]) -> list[Any]:
    pairs = ItemSearchWord.objects.values_list("owner", "word")
    return sorted((steps[owner], word) for owner, word in pairs)


def _step_of(item: WorklistItem) -> tuple[str, ...]:
    return tuple(getattr(item, name) for name in intake.MADE_ONCE)


def _of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in MADE_HERE}
