"""A source remembers when a person last tested, previewed and compared it, and what it was then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from sources.models import DataSource, SourceState

CHECK, PREVIEW, COMPARE = "check", "preview", "compare"


def note(source: DataSource, what: str, *, by: str) -> None:
    """Keep that a person has looked, and that all was well."""
    seen = {"at": timezone.now().isoformat(), "by": by, "of": _seen(source, what)}
    with transaction.atomic():
        state = SourceState.objects.select_for_update().only("looked_at").get(source=source)
        SourceState.objects.filter(source=source).update(looked_at={**state.looked_at, what: seen})


def when(source: DataSource, what: str) -> datetime | None:
    """Return when a person last looked at the source as it is now, or None."""
    kept = source.state.looked_at.get(what)
    if not kept or not constant_time_compare(kept["of"], _seen(source, what)):
        return None
    return datetime.fromisoformat(kept["at"])


def ever(source: DataSource, what: str) -> datetime | None:
    """Return when a person last looked, whatever the source has become since."""
    kept = source.state.looked_at.get(what)
    return datetime.fromisoformat(kept["at"]) if kept else None


def previewed(source: DataSource) -> str:
    """Return what a page that shows a good preview says of it: nobody can make this up."""
    return _digest("sources.admin.preview", (source.pk, source.plan, *source.details.access()))


def _seen(source: DataSource, what: str) -> str:
    if what == CHECK:
        return _digest("sources.admin.check", (source.pk, *source.details.access()))
    return previewed(source)


def _digest(salt: str, seen: tuple[Any, ...]) -> str:
    return salted_hmac(salt, repr(seen)).hexdigest()
