"""Where a record's sessions are: the rows that each stand for one appointment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sources.contract import Key
from sources.mapping import columns, events
from sources.mapping.rules import Level, SessionKind, Sessions
from sources.redcap.dictionary import Dictionary
from sources.redcap.rows import Row


def find(rows: Sequence[Row], sessions: Sessions, dictionary: Dictionary) -> tuple[tuple[Key, Row], ...]:
    """The sessions of one record, in the project's order of events; each key once."""
    wanted = [row for row in rows if not sessions.events or row.event in sessions.events]
    found: dict[Key, Row] = {}
    for row in sorted(wanted, key=row_order(dictionary)):
        if _is_session(row, sessions, dictionary):
            found.setdefault(_key(row, sessions, dictionary), row)
    return tuple(found.items())


def row_order(
    dictionary: Dictionary, first: Sequence[str] = ()
) -> Callable[[Row], tuple[int, str, bool, str, int]]:
    """By event, then what does not repeat before what does, then by instance."""
    place = events.order(dictionary, first)
    return lambda row: (
        place.get(row.event, len(place)),
        row.event,
        bool(row.instrument),
        row.instrument,
        row.instance,
    )


def place_of(row: Row) -> Key:
    return Key(row.event, row.instrument, row.instance)


def _key(row: Row, sessions: Sessions, dictionary: Dictionary) -> Key:
    if sessions.kind is SessionKind.RECORD:
        return Key(event=_name_of_arm(row.event, dictionary))
    return place_of(row)


def _name_of_arm(event: str, dictionary: Dictionary) -> str:
    """A record in two arms is two sessions: the arm's first event tells them apart."""
    if len({known.arm for known in dictionary.events}) < 2:
        return ""
    arm = events.arm(event, dictionary)
    return next((known.name for known in dictionary.events if known.arm == arm), event)


def _is_session(row: Row, sessions: Sessions, dictionary: Dictionary) -> bool:
    if sessions.kind is SessionKind.RECORD:
        return True
    if sessions.kind is SessionKind.REPEATING_EVENT:
        return not row.instrument and row.instance > 0 and _may_repeat(row.event, dictionary)
    if row.instrument:
        return row.instrument == sessions.instrument
    if sessions.kind is SessionKind.EVENT:
        return not sessions.instrument or _is_plain_form(row, sessions.instrument, dictionary)
    return _is_plain_form(row, sessions.instrument, dictionary) and _holds_form(row, sessions, dictionary)


def _may_repeat(event: str, dictionary: Dictionary) -> bool:
    return dictionary.repeating is None or events.repeats(event, dictionary)


def _is_plain_form(row: Row, form: str, dictionary: Dictionary) -> bool:
    """Whether the form is on the event's own row: an instrument may repeat in one event, not in another."""
    return events.has_form(row.event, form, dictionary) and not events.repeats_form(
        row.event, form, dictionary
    )


def _holds_form(row: Row, sessions: Sessions, dictionary: Dictionary) -> bool:
    """Where the user may not ask what repeats, values on the row show that the form does not."""
    return dictionary.repeating is not None or any(
        columns.read(field.name, row, dictionary)
        for field in dictionary.fields.values()
        if field.form == sessions.instrument and field.name != dictionary.record_id_field
    )


def detect(dictionary: Dictionary, date_field: str) -> Sessions:
    """Sessions by the field that holds their date: its instrument where it repeats, else each event that has
    it, else the record. Raises LookupError for a field that the project does not have.
    """
    form = columns.form_of(date_field, dictionary)
    if form is None:
        raise LookupError(f"The project has no field {date_field}.")
    holding = events.holding(form, dictionary)
    if dictionary.repeating is None and dictionary.has_repeats:
        return Sessions(SessionKind.REPEATING_INSTRUMENT, instrument=form)  # `find` looks at the rows, too
    if any(events.repeats_form(event, form, dictionary) for event in holding):
        return Sessions(SessionKind.REPEATING_INSTRUMENT, instrument=form)
    if holding and all(events.repeats(event, dictionary) for event in holding):
        return Sessions(SessionKind.REPEATING_EVENT, events=holding)
    if dictionary.is_longitudinal:
        return Sessions(SessionKind.EVENT, instrument=form)
    return Sessions(SessionKind.RECORD)


def session_events(sessions: Sessions, dictionary: Dictionary) -> tuple[str, ...]:
    """The events that can hold a session; "" is a classic project."""
    return tuple(_session_events(sessions, dictionary))


def _session_events(sessions: Sessions, dictionary: Dictionary) -> Iterator[str]:
    known = [event.name for event in dictionary.events] if dictionary.is_longitudinal else [""]
    for event in sessions.events or known:
        if sessions.kind is SessionKind.REPEATING_EVENT and not _may_repeat(event, dictionary):
            continue
        if not sessions.instrument or events.has_form(event, sessions.instrument, dictionary):
            yield event


def is_on_session(name: str, sessions: Sessions, dictionary: Dictionary) -> bool:
    """Whether a session's own rows can hold the field."""
    form = columns.form_of(name, dictionary)
    if form is None or sessions.kind is SessionKind.RECORD or name == dictionary.record_id_field:
        return True
    if sessions.kind is SessionKind.REPEATING_INSTRUMENT:
        return form == sessions.instrument
    return any(events.has_form(event, form, dictionary) for event in session_events(sessions, dictionary))


def level_of(name: str, sessions: Sessions, dictionary: Dictionary) -> Level:
    """The level that a field naturally has: of the session where its rows hold it and no other rows do."""
    form = columns.form_of(name, dictionary)
    is_id = name == dictionary.record_id_field
    if form is None or is_id or not is_on_session(name, sessions, dictionary):
        return Level.RECORD
    if sessions.kind is SessionKind.REPEATING_INSTRUMENT:
        return Level.SESSION
    elsewhere = set(events.holding(form, dictionary)) - set(session_events(sessions, dictionary))
    return Level.RECORD if elsewhere else Level.SESSION
