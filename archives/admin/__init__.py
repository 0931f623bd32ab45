"""Archives in the Django admin: what they have shown is put on its pages by archives.shown."""

from __future__ import annotations

from importlib import import_module

for name in ("item_panel", "item_marks", "timeline", "arrivals"):
    import_module(f"archives.shown.{name}")
