"""How a plan finds its sessions is checked here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sources.contract import Mistake
from sources.dictionary import Dictionary
from sources.mapping import columns, conditions, events, sessions
from sources.mapping.problems import with_likely_name
from sources.mapping.rules import SessionKind, SessionLayout


def syntax(how: SessionLayout) -> Iterator[Mistake]:
    """Yield what can be known to be wrong without the project."""
    try:
        conditions.parse(how.conditions)
    except conditions.ConditionError as error:
        yield Mistake(None, "conditions", str(error))
    if how.kind is SessionKind.REPEATING_INSTRUMENT and not how.instrument:
        yield Mistake(None, "instrument", "Choose the instrument that repeats.")


def in_project(how: SessionLayout, dictionary: Dictionary) -> Iterator[Mistake]:
    unknown = list(unknown_events(how.events, dictionary))
    yield from (Mistake(None, "events", no_such_event(event, dictionary)) for event in unknown)
    is_known = not how.instrument or how.instrument in dictionary.forms
    if not is_known:
        text = f"The project has no instrument {how.instrument}."
        yield Mistake(None, "instrument", with_likely_name(text, how.instrument, dictionary.forms))
    yield from _conditions(how, dictionary)
    if not unknown and is_known:
        yield from _kind(how, dictionary)


def unknown_events(names: Iterable[str], dictionary: Dictionary) -> Iterator[str]:
    known = {event.name for event in dictionary.events}
    return (name for name in names if name not in known)


def no_such_event(event: str, dictionary: Dictionary) -> str:
    if not dictionary.is_longitudinal:
        return "There are no events here: leave this empty."
    names = [known.name for known in dictionary.events]
    return with_likely_name(f"The project has no event {event}.", event, names)


def no_such_field(name: str, how: SessionLayout, dictionary: Dictionary) -> str:
    missing = "The table has no column" if how.kind is SessionKind.ROW else "The project has no field"
    return with_likely_name(f"{missing} {name}.", name, dictionary.fields)


def _conditions(how: SessionLayout, dictionary: Dictionary) -> Iterator[Mistake]:
    try:
        found = conditions.parse(how.conditions)
    except conditions.ConditionError:
        return
    for condition in found:
        if not columns.exists(condition.field, dictionary):
            yield Mistake(None, "conditions", no_such_field(condition.field, how, dictionary))


def _kind(how: SessionLayout, dictionary: Dictionary) -> Iterator[Mistake]:
    if how.kind in (SessionKind.EVENT, SessionKind.REPEATING_EVENT) and not dictionary.is_longitudinal:
        yield Mistake(None, "kind", "The project has no events: choose one per record, or an instrument.")
    elif how.kind is SessionKind.REPEATING_EVENT:
        yield from _repeating_event(how, dictionary)
    elif how.kind is SessionKind.REPEATING_INSTRUMENT:
        yield from _repeating_instrument(how, dictionary)
    elif how.kind is SessionKind.EVENT and not sessions.session_events(how, dictionary):
        yield Mistake(None, "instrument", f"No event has the instrument {how.instrument}.")


def _repeating_event(how: SessionLayout, dictionary: Dictionary) -> Iterator[Mistake]:
    if dictionary.repeating is None:
        return
    if not any(events.repeats(event.name, dictionary) for event in dictionary.events):
        yield Mistake(None, "kind", "No event of the project repeats.")
    for event in how.events:
        if not events.repeats(event, dictionary):
            yield Mistake(None, "events", f"The event {event} does not repeat.")


def _repeating_instrument(how: SessionLayout, dictionary: Dictionary) -> Iterator[Mistake]:
    if dictionary.repeating is None or not how.instrument:
        return
    if not any(form == how.instrument for _, form in dictionary.repeating):
        yield Mistake(None, "instrument", f"The instrument {how.instrument} does not repeat.")
