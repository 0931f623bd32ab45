"""Names of sources and items stand on these pages as people read them."""

from __future__ import annotations

from typing import Any

from sources.mapping import targets
from worklist.dicom import name_parts


def value(target: str, given: Any) -> Any:
    """Return a name as people read it, and every other value as it is."""
    return name_parts.readable(given) if _is_name(target, given) else given


def both(target: str, here: Any, there: Any) -> tuple[Any, Any]:
    """Return two values of one target; two names that would read alike stay as DICOM has them."""
    if _is_name(target, here) and _is_name(target, there):
        return name_parts.readable_beside(here, there)
    return value(target, here), value(target, there)


def _is_name(target: str, given: Any) -> bool:
    return isinstance(given, str) and targets.vr(target) == "PN"
