"""These are our own exports of items, by their header rows."""

from __future__ import annotations

from sources.tables.own_export import OwnExport
from worklist.items.fields import FIELDS

# What GET /worklist answers as CSV is always guarded; `export` writes kilograms alone, plain or guarded.
EXPORTS = (
    OwnExport(FIELDS),
    OwnExport(tuple(name for name in FIELDS if name != "patient_weight_lb"), is_guarded_if_marked=True),
)
