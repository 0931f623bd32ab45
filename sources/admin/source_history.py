"""The history page tells who changed what of a source and of its mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from sources.models import DataSource, MappingRule, WriteRule
from worklist.admin.history import ActorHistoryAdmin
from worklist.models.changes import HistoryEntry, history_entries

ROW_ACTIONS = {
    "+": gettext_lazy("Created mapping row %(row)s"),
    "~": gettext_lazy("Changed mapping row %(row)s"),
    "-": gettext_lazy("Deleted mapping row %(row)s"),
}


class SourceHistoryAdmin(ActorHistoryAdmin):
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the source and its mapping; whoever may only look sees nothing of the token."""
        source = self.get_object(request, object_id)
        if source is None or self.has_change_permission(request, source):
            return super().history_view(request, object_id, extra_context)
        shown = {"entries": _history(source, hidden=source.details.hidden_from_viewers)}
        return super().history_view(request, object_id, {**shown, **(extra_context or {})})

    def _entries(self, obj: Model) -> list[HistoryEntry]:
        return _history(obj)


def _history(source: Any, *, hidden: Iterable[str] = ()) -> list[HistoryEntry]:
    """Return what was done with the source, its details and its rows, the newest first."""
    details = history_entries(list(source.details.history.all()), hidden=hidden)
    beside = {entry.record.history_date: entry for entry in details}
    own = [
        _together(entry, beside.pop(entry.record.history_date, None))
        for entry in history_entries(list(source.history.all()))
    ]
    every = [*own, *beside.values(), *_rows_in_history(source)]
    return sorted(every, key=lambda entry: entry.record.history_date, reverse=True)


def _together(entry: HistoryEntry, of_details: HistoryEntry | None) -> HistoryEntry:
    """A source and its details were saved at one moment: that is one entry to read."""
    changes = of_details.changes if of_details else []
    return entry._replace(changes=[*entry.changes, *changes])


def _rows_in_history(source: DataSource) -> Iterator[HistoryEntry]:
    """Yield what was done with the rows of the mapping, and with those that are written back."""
    for model, named in ((MappingRule, _mapped), (WriteRule, _written)):
        records = model.history.filter(source_id=source.pk).order_by("id", "-history_date", "-history_id")
        for _pk, of_a_row in groupby(records, key=lambda record: record.id):
            for entry in history_entries(list(of_a_row)):
                action = ROW_ACTIONS[entry.record.history_type] % {"row": named(entry.record)}
                yield entry._replace(action=action)


def _mapped(record: Any) -> str:
    return f"{record.target} ← {record.field or record.transforms or record.default}"


def _written(record: Any) -> str:
    return f"{record.field} ← {record.fact}"
