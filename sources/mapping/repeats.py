"""Rows tell what repeats, and a dictionary that was read some hours ago may tell otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from sources.dictionary import Dictionary
from sources.mapping import columns, events
from sources.rows import ExportRow


def contradict(rows: Iterable[ExportRow], dictionary: Dictionary) -> bool:
    """Tell whether a row cannot be what the dictionary says: an instrument repeats since, or no longer."""
    return dictionary.repeating is not None and any(_contradicts(row, dictionary) for row in rows)


def _contradicts(row: ExportRow, dictionary: Dictionary) -> bool:
    if row.instrument or row.instance:
        return not events.repeats_form(row.event, row.instrument, dictionary)
    if events.repeats(row.event, dictionary):
        return True
    return bool(dictionary.repeating) and any(
        value and _repeats(name, row.event, dictionary) for name, value in row.values.items()
    )


def _repeats(name: str, event: str, dictionary: Dictionary) -> bool:
    """Tell whether the field is of a form that repeats. A checkbox may be 0 where its form is not."""
    field = dictionary.fields.get(name)
    if field is None or columns.is_checkbox(field) or name == dictionary.record_id_field:
        return False
    return events.repeats_form(event, field.form, dictionary)
