"""Appointments are brought together into sessions, and sessions into participants, or refused by name.

Nothing is guessed: a participant of whom appointments say two things, and a label that two would share, are
told with whom they are about, and there is no data set until that is mended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from worklist.bids import labels
from worklist.bids.columns import OLDEST_TOLD
from worklist.bids.dataset import BidsSession, Subject

Value = TypeVar("Value")
# Two centuries: a shifted date lies before 1926, as BIDS asks, and no reader's calendar ends before it.
SHIFTED_BACK = timedelta(weeks=10_436)
TRUE_FROM = date(1926, 1, 1)  # BIDS: a year before is one that was shifted


@dataclass(frozen=True, slots=True)
class ReadAppointment:
    """This is what an item says, and when the first of its performed steps began.

    `participant` is whose it is, `subject` what their label is made of, `visit` which session it names;
    `is_wanted` is false where it only counts for the numbers of the sessions.
    """

    key: int
    participant: str
    subject: str
    visit: str
    study_uid: str
    scheduled: datetime
    acquired: datetime | None
    birth_date: date | None
    sex: str
    weight: Decimal | None
    modality: str
    status: str
    is_wanted: bool = True


@dataclass(frozen=True)
class HowTold:
    """This is how participants are told: of what labels and UIDs are made, and how dates are shifted."""

    subject: Callable[[ReadAppointment], str]
    study_uid: Callable[[str], str]
    shift: Callable[[ReadAppointment], timedelta]


class BidsRefused(ValueError):
    """No data set can be made; `problems` holds a sentence for each reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def participants(appointments: Iterable[ReadAppointment], how: HowTold) -> list[Subject]:
    """Return the participants by their labels, and the sessions of each in order.

    Raises BidsRefused with all that is wrong.
    """
    problems: list[str] = []
    found: list[tuple[str, Subject]] = []
    for its_appointments in _by_participant(appointments):
        try:
            found.append((its_appointments[0].participant, _participant(its_appointments, how)))
        except BidsRefused as refused:
            problems.extend(refused.problems)
    problems.extend(_shared_labels((name, participant.label) for name, participant in found))
    if problems:
        raise BidsRefused(problems)
    return sorted((participant for _, participant in found), key=lambda participant: participant.label)


def _by_participant(appointments: Iterable[ReadAppointment]) -> Iterator[list[ReadAppointment]]:
    """Yield the appointments of each participant who has a wanted one, in the order of time."""
    found: dict[str, list[ReadAppointment]] = defaultdict(list)
    for appointment in appointments:
        found[appointment.participant].append(appointment)
    for its_appointments in found.values():
        if any(appointment.is_wanted for appointment in its_appointments):
            yield sorted(its_appointments, key=lambda appointment: (appointment.scheduled, appointment.key))


def _participant(appointments: Sequence[ReadAppointment], how: HowTold) -> Subject:
    wanted = [appointment for appointment in appointments if appointment.is_wanted]
    problems = [*_contradictions(wanted)]
    try:
        label = labels.label(how.subject(appointments[0]))
        sessions = tuple(_sessions(appointments, how))
    except labels.UnfitLabel as error:
        problems.append(f"Patient ID {appointments[0].participant!r} cannot name a subject: {error}.")
    except BidsRefused as refused:
        problems.extend(refused.problems)
    if problems:
        raise BidsRefused(problems)
    return Subject(label, _one({appointment.sex for appointment in wanted}, ""), sessions)


def _contradictions(appointments: Sequence[ReadAppointment]) -> Iterator[str]:
    said: Mapping[str, set[object]] = {
        "sexes": {appointment.sex for appointment in appointments if appointment.sex},
        "birth dates": {appointment.birth_date for appointment in appointments if appointment.birth_date},
    }
    for what, values in said.items():
        if len(values) > 1:
            yield f"Items {_keys(appointments)} name one participant with different {what}: correct them."


def _sessions(appointments: Sequence[ReadAppointment], how: HowTold) -> Iterator[BidsSession]:
    """Yield the sessions that have a wanted appointment; the others only count."""
    birth_date = _one({appointment.birth_date for appointment in appointments if appointment.is_wanted}, None)
    for label, of_session in _labelled(appointments):
        wanted = [appointment for appointment in of_session if appointment.is_wanted]
        if wanted:
            yield _session(label, wanted, birth_date, how)


def _session(
    label: str, appointments: Sequence[ReadAppointment], birth_date: date | None, how: HowTold
) -> BidsSession:
    acquired = [appointment.acquired for appointment in appointments if appointment.acquired]
    first, shift = min(appointments, key=lambda each: each.scheduled), how.shift(appointments[0])
    begun = min(acquired, default=None)
    return BidsSession(
        label=label,
        acquired=_shifted(begun, shift, first),
        scheduled=_shifted(first.scheduled, shift, first) or first.scheduled,
        age=_age(birth_date, (begun or first.scheduled).date()),
        weight=_one({appointment.weight for appointment in appointments}, None),
        modalities=_each(appointment.modality for appointment in appointments),
        statuses=_each(appointment.status for appointment in appointments),
        study_uids=_each(how.study_uid(appointment.study_uid) for appointment in appointments),
        keys=tuple(appointment.key for appointment in appointments),
    )


def _labelled(appointments: Sequence[ReadAppointment]) -> list[tuple[str, list[ReadAppointment]]]:
    """Return the label of each session with its appointments: by visits where they name some, else numbers.

    Appointments of one study are one session, and so are those of one visit.
    """
    studies: dict[str, list[ReadAppointment]] = defaultdict(list)
    for appointment in appointments:
        studies[appointment.study_uid].append(appointment)
    visits = [{appointment.visit for appointment in study if appointment.visit} for study in studies.values()]
    if not any(visits):
        return [(str(number), study) for number, study in enumerate(studies.values(), start=1)]
    return _by_visit(appointments, studies.values(), visits)


def _by_visit(
    appointments: Sequence[ReadAppointment],
    studies: Collection[Sequence[ReadAppointment]],
    visits: Sequence[Collection[str]],
) -> list[tuple[str, list[ReadAppointment]]]:
    if any(len(named) != 1 for named in visits):
        raise BidsRefused(
            [f"Items {_keys(appointments)} of one participant name a visit, none, or two: give each its own."]
        )
    of_visit: dict[str, list[ReadAppointment]] = defaultdict(list)
    for study, named in zip(studies, visits, strict=True):
        of_visit[_one(set(named), "")].extend(study)
    try:
        named_labels = {visit: labels.label(visit) for visit in of_visit}
    except labels.UnfitLabel as error:
        raise BidsRefused(
            [f"Items {_keys(appointments)} name a visit that cannot name a session: {error}."]
        ) from error
    for names in labels.clashes(named_labels.items()):
        raise BidsRefused([f"Visits {_quoted(names)} of items {_keys(appointments)} would be one session."])
    return [(named_labels[visit], of_session) for visit, of_session in of_visit.items()]


def _shared_labels(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    for names in labels.clashes(named):
        yield f"Patient IDs {_quoted(names)} would be one subject: correct them, or take pseudonyms."


def _shifted(moment: datetime | None, shift: timedelta, whose: ReadAppointment) -> datetime | None:
    """Return the moment as it is told; raises BidsRefused where a reader could not tell shifted from true."""
    if moment is None:
        return None
    told = moment + shift
    if (told.date() < TRUE_FROM) is not bool(shift):
        raise BidsRefused(
            [f"Item {whose.key} has a date that BIDS cannot tell from a shifted one: correct it."]
        )
    return told


def _age(birth_date: date | None, day: date) -> int | None:
    """Return the completed years on that day, at most OLDEST_TOLD; None where they are not known."""
    if birth_date is None or birth_date > day:
        return None
    years = day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
    return min(years, OLDEST_TOLD)


def _one(values: set[Value], otherwise: Value) -> Value:
    """Return the value that is left without empty ones; `otherwise` where there is none, or several."""
    given = [value for value in values if value]
    return given[0] if len(given) == 1 else otherwise


def _each(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _keys(appointments: Iterable[ReadAppointment]) -> str:
    return ", ".join(str(appointment.key) for appointment in appointments)


def _quoted(names: Iterable[str]) -> str:
    return " and ".join(map(repr, names))
