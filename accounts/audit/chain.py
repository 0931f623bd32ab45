"""Each event's digest is made of the event, the digest before it and a key that is not in the database.

So who changes, takes out or puts in a row with the database's own means is found out. What no chain shows
is that the newest rows were cut off: a copy elsewhere does (ATNA, or an export that is kept).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC

from django.utils.crypto import salted_hmac

from accounts.models import AuditEvent, AuditKind

CHAINED = (
    *("kind", "username", "address", "method", "path", "parameters", "status", "rows"),
    *("subject", "detail", "up_to", "previous"),
)


def digest_of(event: AuditEvent) -> str:
    """Return 64 hexadecimal digits (HMAC-SHA256, keyed by SECRET_KEY)."""
    told = {name: getattr(event, name) for name in CHAINED}
    told["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(told, sort_keys=True, ensure_ascii=True, default=str)
    return salted_hmac("accounts.audit", text, algorithm="sha256").hexdigest()


def link(events: Iterable[AuditEvent], previous: str) -> None:
    """Chain events in their order to what stands before them."""
    for event in events:
        event.previous = previous
        event.digest = previous = digest_of(event)


def complaints(events: Iterable[AuditEvent]) -> Iterator[str]:
    """Say in sentences what does not hold of the events, which come in the order of their keys."""
    before: AuditEvent | None = None
    first_is_after = ""
    announced = {""}
    for event in events:
        if event.kind == AuditKind.PRUNED:
            announced.add(event.detail)
        if not event.digest:
            if before is not None and before.digest:
                yield f"Event {event.pk} has no digest, though the one before it has."
        else:
            if before is None:
                first_is_after = event.previous
            elif event.previous != before.digest:
                yield f"Between event {before.pk} and event {event.pk} something was taken out or put in."
            if digest_of(event) != event.digest:
                yield f"Event {event.pk} is not as it was written."
        before = event
    if first_is_after not in announced:
        yield "The trail has lost its beginning, and no event says that retention deleted it."
