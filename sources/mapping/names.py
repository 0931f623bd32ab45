"""A line of a mapping names a field in small letters, as REDCap does, or by a path such as project.name."""

from __future__ import annotations

_PLAIN = r"[a-z][a-z0-9_]*"
_PATH = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+|[a-z][a-z0-9]*[A-Z][A-Za-z0-9]*"
FIELD = rf"(?:{_PATH}|{_PLAIN})"


def spelled(name: str) -> str:
    """Return a field's own name, as somebody may have typed it: capitals count in a path alone."""
    is_camel = "_" not in name and name[:1].islower() and name != name.lower()
    return name if "." in name or is_camel else name.lower()
