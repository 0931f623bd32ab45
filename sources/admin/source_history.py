"""The history page tells who changed what of a source and of its mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from sources.models import DataSource, MappingRule
from worklist.admin.history import ActorHistoryAdmin
from worklist.models.changes import HistoryEntry, history_entries

# What a person who may not change the source does not see.
HIDDEN = ("token_set_at", "token_set_by", "token_variable", "token_file", "trigger_enabled")


class SourceHistoryAdmin(ActorHistoryAdmin):
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the source and its mapping; whoever may only look sees nothing of the token."""
        source = self.get_object(request, object_id)
        if source is None or self.has_change_permission(request, source):
            return super().history_view(request, object_id, extra_context)
        shown = {"entries": _history(source, hidden=HIDDEN)}
        return super().history_view(request, object_id, {**shown, **(extra_context or {})})

    def _entries(self, obj: Model) -> list[HistoryEntry]:
        return _history(obj)


def _history(source: Any, *, hidden: Iterable[str] = ()) -> list[HistoryEntry]:
    own = history_entries(list(source.history.all()), hidden=hidden)
    both = [*own, *_rows_in_history(source)]
    return sorted(both, key=lambda entry: entry.record.history_date, reverse=True)


def _rows_in_history(source: DataSource) -> Iterator[HistoryEntry]:
    records = MappingRule.history.filter(source_id=source.pk).order_by("id", "-history_date", "-history_id")
    for _, of_a_row in groupby(records, key=lambda record: record.id):
        for entry in history_entries(list(of_a_row)):
            record = entry.record
            row = f"{record.target} ← {record.field or record.transforms or record.default}"
            yield entry._replace(action=f"{entry.action} mapping row {row}")
