"""Test connection tells facts and warnings about a REDCap project, and names no participant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from sources.contract import ConnectionReport, Stance
from sources.dictionary import Dictionary
from sources.errors import SourceError
from sources.kinds import writer_for
from sources.mapping import check, check_patterns
from sources.models.write_back import outgoing_rules
from sources.outgoing import check as outgoing_check
from sources.redcap.batches import ColumnsMissing

if TYPE_CHECKING:
    from sources.backends.redcap.backend import RedcapBackend

SAMPLE = 20
WIDE = "each pull asks as far back as any clock could differ"
Facts = list[tuple[str, str]]


def report(backend: RedcapBackend) -> ConnectionReport:
    """Ask for all that a pull needs. Raises SourceError."""
    dictionary = backend.dictionary(fresh=True)
    offset = backend.utc_offset()
    facts: Facts = [
        ("Project", f"{dictionary.title} (ID {dictionary.project_id})"),
        ("REDCap", dictionary.version),
        ("Shape", _shape(dictionary)),
        ("Record ID field", dictionary.record_id_field),
        ("Rights", _rights(dictionary, has_logging=offset is not None)),
        ("Clock", _clock(backend, offset)),
    ]
    of_mapping = list(_mapping_warnings(backend, dictionary))
    of_writing: list[str] = []
    facts += _writing(backend, of_writing)
    records = list(backend.record_ids())
    facts.append(("Records", str(len(records))))
    if not of_mapping:
        try:
            facts.append(_sample(backend, records[:SAMPLE]))
        except ColumnsMissing as error:
            of_mapping.append(str(error))
    warnings = (*_clock_warnings(backend, offset), *of_mapping, *of_writing, *backend.warnings)
    return ConnectionReport(tuple(facts), warnings)


def _shape(dictionary: Dictionary) -> str:
    events = f"longitudinal, {len(dictionary.events)} events" if dictionary.is_longitudinal else "classic"
    if dictionary.repeating is None:
        return f"{events}; what repeats is known from the records alone"
    repeats = sorted({form or f"the whole event {event}" for event, form in dictionary.repeating})
    return f"{events}; repeating: {', '.join(repeats) or 'nothing'}"


def _rights(dictionary: Dictionary, *, has_logging: bool) -> str:
    held = ["API Export"]
    missing: list[str] = []
    (missing if dictionary.repeating is None and dictionary.has_repeats else held).append("Project Design")
    (held if has_logging else missing).append("Logging")
    lacking = f"; without {' and '.join(missing)}, which a pull can do without" if missing else ""
    return ", ".join(held) + lacking


def _clock(backend: RedcapBackend, offset: timedelta | None) -> str:
    skew = "unknown" if backend.skew is None else f"{round(backend.skew.total_seconds())} s from ours"
    return (
        f"{skew}; {'UTC offset ' + _hours(offset) if offset is not None else 'its time zone cannot be seen'}"
    )


def _clock_warnings(backend: RedcapBackend, offset: timedelta | None) -> Iterator[str]:
    ours = timezone.now().astimezone(backend.project.zone).utcoffset() or timedelta()
    zone = backend.project.server_timezone
    if offset is None:
        yield (
            f"The time zone cannot be confirmed: nothing shows that REDCap's clock keeps to {zone}. "
            f"Give the token's user the right Logging, or {WIDE}."
        )
    elif offset != ours:
        yield (
            f"The server's log is at UTC offset {_hours(offset)}, but {zone} is at {_hours(ours)} now: "
            f"correct the server's time zone, or {WIDE}."
        )


def _mapping_warnings(backend: RedcapBackend, dictionary: Dictionary) -> Iterator[str]:
    if not backend.plan.rules:
        yield "There is no mapping yet: Suggest a mapping makes one from the dictionary."
        return
    for mistake in (*check.mistakes(backend.plan, dictionary), *check_patterns.slow(backend.plan)):
        yield backend.sentence(mistake)


def _writing(backend: RedcapBackend, warnings: list[str]) -> Facts:
    """Tell whether the token for writing may import, by an import of nothing, and whether its rows fit."""
    if not (backend.project.has_write_token or backend.source.writes_back):
        return []
    rules, dictionary = outgoing_rules(backend.source), backend.dictionary()
    warnings += [each.text for each in outgoing_check.mistakes(rules, backend.plan, dictionary)]
    try:
        with writer_for(backend.source) as writer:
            may = writer.may_write()
    except SourceError as error:
        warnings.append(str(error))
        return [("Token for writing", "cannot be used: see below")]
    if may:
        return [("Token for writing", "API Import")]
    warnings.append("The token for writing lacks the right API Import: give it to its user.")
    return [("Token for writing", "without API Import, so that nothing can be written")]


def _sample(backend: RedcapBackend, records: list[str]) -> tuple[str, str]:
    found: Counter[str] = Counter()
    for read in backend.read(records):
        found.update(_word(session.stance) for session in read.sessions)
    counts = ", ".join(f"{count} {word}" for word, count in sorted(found.items())) or "no session"
    return f"Sessions of the first {len(records)}", counts


def _word(stance: Stance) -> str:
    return {
        Stance.WANTED: "to offer",
        Stance.NOT_WANTED: "not to offer",
        Stance.UNCLEAR: "with problems",
    }[stance]


def _hours(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
