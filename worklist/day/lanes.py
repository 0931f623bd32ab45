"""A day's bookings stand here in a lane for each scanner, in the order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from typing import Any

from django.utils import timezone

from worklist.attention import awaiting
from worklist.day import ages, marks, questions
from worklist.day.questions import AskingDevice, LastQuestion
from worklist.devices import stations
from worklist.devices.silent import Silence
from worklist.items.lifecycle import PERFORMABLE
from worklist.items.moves import MOVABLE
from worklist.models import Attention, Device, Status, WorklistItem
from worklist.models.items import DERIVED

# What is known elsewhere of sessions: their names by item, for the items of these keys.
SessionNames = Callable[[Collection[int]], Mapping[int, str]]
UNKNOWN_TIME = time(0, 0)  # as items are stored
NOT_SHOWN = ("extra_attributes", *DERIVED)


@dataclass(frozen=True)
class Booking:
    """`also` are the item's stations beside the one in whose lane it stands; `points` are open.

    `session` is what its source calls it, else what the procedure is called. A silent one is performed by
    scanners that send no MPPS; `awaited` says what is known of it all the same.
    """

    item: WorklistItem
    also: tuple[str, ...]
    points: tuple[Attention, ...]
    session: str
    is_overdue: bool
    today: date
    is_silent: bool = False
    awaited: str = ""

    @property
    def name(self) -> str:
        return self.item.readable_patient_name

    @property
    def status(self) -> str:
        return self.item.performed_procedure_step_status

    @property
    def time(self) -> time | None:
        """Return None where the time is not known."""
        at = self.item.scheduled_start_time
        return None if at == UNKNOWN_TIME else at

    @property
    def clock(self) -> str:
        """Return the time as 08:00, or "" where it is not known."""
        return f"{self.time:%H:%M}" if self.time else ""

    @property
    def age(self) -> str:
        return ages.in_words(self.item.patient_birth_date, self.item.scheduled_start_date)

    @property
    def weight(self) -> Decimal | None:
        return self.item.patient_weight_kg

    @property
    def is_to_come(self) -> bool:
        return self.status == Status.SCHEDULED

    @property
    def is_movable(self) -> bool:
        return self.status in MOVABLE

    @property
    def is_past(self) -> bool:
        return self.item.scheduled_start_date < self.today

    @property
    def may_be_performed(self) -> bool:
        return self.status in PERFORMABLE and self.item.scheduled_start_date <= self.today

    @property
    def may_not_have_come(self) -> bool:
        """Return whether the day has come, and the participant has not."""
        is_due = self.item.scheduled_start_date <= self.today
        return is_due and self.is_movable and not self.item.has_arrived

    @property
    def lacks_weight(self) -> bool:
        """Tell whether a person is to be weighed: a phantom without a weight has none on purpose."""
        return self.is_to_come and self.weight is None and not self.item.is_qa


@dataclass(frozen=True)
class Lane:
    """`station` is what items call the scanner, "" for those that name none; `label` is for people.

    `past` are the bookings of today up to the present moment, and empty on any other day.
    """

    station: str
    label: str
    device: Device | None
    asked: LastQuestion | None
    past: tuple[Booking, ...]
    to_come: tuple[Booking, ...]

    @property
    def bookings(self) -> tuple[Booking, ...]:
        return self.past + self.to_come


@dataclass(frozen=True)
class Day:
    """`now` is None on any day but today; `devices` are all that are listed, with a lane or without.

    `quality` are the QA scans of all scanners, by time, in no lane of these.
    """

    date: date
    now: datetime | None
    lanes: tuple[Lane, ...]
    devices: tuple[AskingDevice, ...]
    quality: tuple[Booking, ...] = ()

    @property
    def bookings(self) -> Iterator[Booking]:
        """Return those of participants, then the QA scans."""
        return chain((booking for lane in self.lanes for booking in lane.bookings), self.quality)


@dataclass
class _Scanner:
    """A lane before it has its bookings."""

    station: str
    label: str
    device: Any = None


def day_of(day: date, *, now: datetime | None = None, session_names: Sequence[SessionNames] = ()) -> Day:
    """Return all bookings of a day, each in one lane, in as many queries on a busy day as on an empty one.

    Lanes are ordered by what people call the scanners; what names no scanner comes last.
    """
    now = timezone.localtime(now)
    items = list(WorklistItem.objects.filter(scheduled_start_date=day).defer(*NOT_SHOWN))
    devices = questions.devices_with_key()
    scanners = _by_station(devices)
    silence = Silence(devices)
    bookings = list(_bookings(items, session_names, silence, today=now.date()))
    rows = _rows((each for each in bookings if not each.item.is_qa), scanners)
    strangers = [_Scanner(station, station) for station in rows if station and station not in scanners]
    asked = questions.asking(devices, [each.station for each in strangers])
    known = {id(scanner): scanner for scanner in scanners.values()}
    ordered = sorted((*known.values(), *strangers), key=lambda each: (each.label.casefold(), each.station))
    if "" in rows:
        ordered.append(_Scanner("", ""))
    is_today = day == now.date()
    return Day(
        day,
        now if is_today else None,
        tuple(_lane(each, rows, asked, now.time() if is_today else None) for each in ordered),
        tuple(AskingDevice(device, asked.get(device.ae_title)) for device in devices),
        tuple(_of_quality(each, scanners) for each in bookings if each.item.is_qa),
    )


def _of_quality(booking: Booking, scanners: Mapping[str, _Scanner]) -> Booking:
    """Return the booking with its scanners beside what is to be done: they have no lane to tell them."""
    labels = [scanners[each].label if each in scanners else each for each in booking.item.stations]
    return replace(booking, session=" · ".join(filter(None, [", ".join(labels), booking.session])))


def _by_station(devices: Iterable[Device]) -> dict[str, _Scanner]:
    """Return the scanner of each station; one that goes by several stations stands under each."""
    found: dict[str, _Scanner] = {}
    for device in devices:
        if not stations.is_scanner(device):
            continue
        free = [station for station in stations.of(device, device.ae_title) if station not in found]
        if free:
            scanner = _Scanner(free[0], device.name or device.ae_title, device)
            found |= dict.fromkeys(free, scanner)
    return found


def _bookings(
    items: Collection[WorklistItem],
    session_names: Sequence[SessionNames],
    silence: Silence,
    *,
    today: date,
) -> Iterator[Booking]:
    keys = [item.pk for item in items]
    points = marks.open_points(keys)
    sessions = {pk: name for names in session_names for pk, name in names(keys).items()}
    still_awaited = awaited(items, today=today)
    silent = frozenset(item.pk for item in items if silence.includes(item))
    said = awaiting.sentences(silent)
    for item in items:
        session = sessions.get(item.pk) or item.procedure_description or item.study_description
        yield Booking(
            item,
            (),
            points.get(item.pk, ()),
            session,
            is_late(item, today=today) and item.pk not in still_awaited,
            today,
            item.pk in silent,
            said.get(item.pk, ""),
        )


def is_late(item: WorklistItem, *, today: date) -> bool:
    """Return whether its day has passed while it was scheduled; it is overdue unless something is awaited."""
    return item.performed_procedure_step_status == Status.SCHEDULED and item.scheduled_start_date < today


def awaited(items: Iterable[WorklistItem], *, today: date) -> frozenset[int]:
    """Return the keys of those that are late, and of which it is not known yet what became of them."""
    return awaiting.among([item.pk for item in items if is_late(item, today=today)], today)


def _rows(bookings: Iterable[Booking], scanners: dict[str, _Scanner]) -> dict[str, list[Booking]]:
    """Return the bookings by the station in whose lane they stand: that of the first they name."""
    found: dict[str, list[Booking]] = defaultdict(list)
    for booking in bookings:
        first, *others = booking.item.stations or [""]
        own = scanners.get(first)
        also = tuple(each for each in others if own is None or scanners.get(each) is not own)
        found[own.station if own else first].append(replace(booking, also=also))
    return found


def _lane(
    scanner: _Scanner, rows: dict[str, list[Booking]], asked: dict[str, LastQuestion], now: time | None
) -> Lane:
    bookings = rows.get(scanner.station, [])
    past = [each for each in bookings if now is not None and each.item.scheduled_start_time <= now]
    title = scanner.device.ae_title if scanner.device else scanner.station
    return Lane(
        scanner.station,
        scanner.label,
        scanner.device,
        asked.get(title),
        tuple(past),
        tuple(bookings[len(past) :]),
    )
