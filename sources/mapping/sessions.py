"""A record's sessions are found: the rows that each stand for one appointment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.mapping import columns, events
from sources.mapping.rules import Level, SessionKind, SessionLayout
from sources.rows import ExportRow


def find(
    rows: Sequence[ExportRow], sessions: SessionLayout, dictionary: Dictionary
) -> tuple[tuple[SessionKey, ExportRow], ...]:
    """Return the sessions of one record, in the project's order of events; each key once.

    Rows of a table have one key each already, and keep the table's order.
    """
    if sessions.kind is SessionKind.ROW:
        return tuple((place_of(row), row) for row in rows)
    wanted = [row for row in rows if not sessions.events or row.event in sessions.events]
    found: dict[SessionKey, ExportRow] = {}
    for row in sorted(wanted, key=row_order(dictionary)):
        if _is_session(row, sessions, dictionary):
            found.setdefault(_key(row, sessions, dictionary), row)
    return tuple(found.items())


def row_order(
    dictionary: Dictionary, first: Sequence[str] = ()
) -> Callable[[ExportRow], tuple[int, str, bool, str, int]]:
    """Sort by event, then what does not repeat before what does, then by instance."""
    place = events.order(dictionary, first)
    return lambda row: (
        place.get(row.event, len(place)),
        row.event,
        bool(row.instrument),
        row.instrument,
        row.instance,
    )


def place_of(row: ExportRow) -> SessionKey:
    return SessionKey(row.event, row.instrument, row.instance)


def _key(row: ExportRow, sessions: SessionLayout, dictionary: Dictionary) -> SessionKey:
    if sessions.kind is SessionKind.RECORD:
        return SessionKey(event=_name_of_arm(row.event, dictionary))
    return place_of(row)


def _name_of_arm(event: str, dictionary: Dictionary) -> str:
    """Return the arm's first event, which tells two sessions apart where a record is in two arms."""
    if len({known.arm for known in dictionary.events}) < 2:
        return ""
    arm = events.arm(event, dictionary)
    return next((known.name for known in dictionary.events if known.arm == arm), event)


def _is_session(row: ExportRow, sessions: SessionLayout, dictionary: Dictionary) -> bool:
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


def _is_plain_form(row: ExportRow, form: str, dictionary: Dictionary) -> bool:
    """Tell whether the form is on the event's own row: it may repeat in one event, not in another."""
    return events.has_form(row.event, form, dictionary) and not events.repeats_form(
        row.event, form, dictionary
    )


def _holds_form(row: ExportRow, sessions: SessionLayout, dictionary: Dictionary) -> bool:
    """Tell whether the row has values of the form, where the user may not ask what repeats."""
    return dictionary.repeating is not None or any(
        columns.read(field.name, row, dictionary)
        for field in dictionary.fields.values()
        if field.form == sessions.instrument and field.name != dictionary.record_id_field
    )


def detect(dictionary: Dictionary, date_field: str) -> SessionLayout:
    """Find sessions by the field that holds their date.

    They are in its instrument where that repeats, else in each event that has it, else in the record. Raises
    LookupError for a field that the project does not have.
    """
    form = columns.form_of(date_field, dictionary)
    if form is None:
        raise LookupError(f"The project has no field {date_field}.")
    holding = events.holding(form, dictionary)
    if dictionary.repeating is None and dictionary.has_repeats:
        return SessionLayout(
            SessionKind.REPEATING_INSTRUMENT, instrument=form
        )  # `find` looks at the rows, too
    if any(events.repeats_form(event, form, dictionary) for event in holding):
        return SessionLayout(SessionKind.REPEATING_INSTRUMENT, instrument=form)
    if holding and all(events.repeats(event, dictionary) for event in holding):
        return SessionLayout(SessionKind.REPEATING_EVENT, events=holding)
    if dictionary.is_longitudinal:
        return SessionLayout(SessionKind.EVENT, instrument=form)
    return SessionLayout(SessionKind.RECORD)


def session_events(sessions: SessionLayout, dictionary: Dictionary) -> tuple[str, ...]:
    """Return the events that can hold a session; "" is a classic project."""
    return tuple(_session_events(sessions, dictionary))


def _session_events(sessions: SessionLayout, dictionary: Dictionary) -> Iterator[str]:
    known = [event.name for event in dictionary.events] if dictionary.is_longitudinal else [""]
    for event in sessions.events or known:
        if sessions.kind is SessionKind.REPEATING_EVENT and not _may_repeat(event, dictionary):
            continue
        if not sessions.instrument or events.has_form(event, sessions.instrument, dictionary):
            yield event


def is_on_session(name: str, sessions: SessionLayout, dictionary: Dictionary) -> bool:
    """Tell whether a session's own rows can hold the field."""
    form = columns.form_of(name, dictionary)
    if form is None or sessions.kind is SessionKind.RECORD or name == dictionary.record_id_field:
        return True
    if sessions.kind is SessionKind.REPEATING_INSTRUMENT:
        return form == sessions.instrument
    return any(events.has_form(event, form, dictionary) for event in session_events(sessions, dictionary))


def level_of(name: str, sessions: SessionLayout, dictionary: Dictionary) -> Level:
    """Return the level that a field naturally has: of the session where its rows alone hold it."""
    form = columns.form_of(name, dictionary)
    is_id = name == dictionary.record_id_field
    if form is None or is_id or not is_on_session(name, sessions, dictionary):
        return Level.RECORD
    if sessions.kind is SessionKind.REPEATING_INSTRUMENT:
        return Level.SESSION
    elsewhere = set(events.holding(form, dictionary)) - set(session_events(sessions, dictionary))
    return Level.RECORD if elsewhere else Level.SESSION
