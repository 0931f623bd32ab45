"""A session's field stands in one row of its record: by default the session's own."""

from __future__ import annotations

from collections.abc import Sequence

from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.mapping import columns, events, sessions
from sources.mapping.rules import SessionKind, SessionLayout
from sources.outgoing.rules import OutgoingRule


def place(
    rule: OutgoingRule, key: SessionKey, layout: SessionLayout, dictionary: Dictionary
) -> SessionKey | None:
    """Return the row that holds the field for a session, None where that session has none."""
    form = columns.form_of(rule.field, dictionary) or ""
    if layout.kind is not SessionKind.RECORD:
        return key if _is_on_row(form, key, dictionary) else None
    found = [event for event in _of_arm(form, key, dictionary) if rule.event in ("", event)]
    return SessionKey(event=found[0]) if len(found) == 1 else None


def possible_events(form: str, dictionary: Dictionary) -> Sequence[str]:
    """Return the events whose plain row has the form; "" is a classic project."""
    return [
        event
        for event in events.holding(form, dictionary)
        if not events.repeats(event, dictionary) and not events.repeats_form(event, form, dictionary)
    ]


def is_on_sessions(name: str, layout: SessionLayout, dictionary: Dictionary) -> bool:
    """Tell whether every session's own row has the field."""
    form = columns.form_of(name, dictionary) or ""
    if layout.kind is SessionKind.REPEATING_INSTRUMENT:
        return form == layout.instrument
    return all(
        events.has_form(event, form, dictionary) and not events.repeats_form(event, form, dictionary)
        for event in sessions.session_events(layout, dictionary)
    )


def _is_on_row(form: str, key: SessionKey, dictionary: Dictionary) -> bool:
    if key.instrument:
        return form == key.instrument
    here = events.has_form(key.event, form, dictionary)
    return here and not events.repeats_form(key.event, form, dictionary)


def _of_arm(form: str, key: SessionKey, dictionary: Dictionary) -> Sequence[str]:
    """Return the events that hold the form, in the session's arm where the record may be in several."""
    found = possible_events(form, dictionary)
    if not key.event:
        return found
    arm = events.arm(key.event, dictionary)
    return [event for event in found if events.arm(event, dictionary) == arm]
