"""Archives in the Django admin.

archives  the list, each archive's page, and its test
forms     an archive's form, by its kind
"""

from __future__ import annotations

from importlib import import_module

from archives.admin.archives import ArchiveAdmin

__all__ = ["ArchiveAdmin"]
# What archives have shown stands on pages of items.
for name in ("item_panel", "item_marks", "timeline", "arrivals"):
    import_module(f"archives.shown.{name}")
