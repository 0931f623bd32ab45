"""An item that a query does not find is explained by the first rule that stops it, in plain words.

Each rule is asked of the database and the encoder by the code that answers C-FIND.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

from django.utils.formats import date_format

from worklist.answering import rows
from worklist.answering.compiled import Query
from worklist.answering.happened import is_over
from worklist.answering.rows import ItemsFound
from worklist.devices.offers import NOTHING, STATION, STATION_FIELD, Offer, OfferRule, Selection
from worklist.dicom import moments
from worklist.dicom.answer_elements import EncodingError
from worklist.dicom.conditions import Condition
from worklist.dicom.item_attributes import BY_KEYWORD
from worklist.dicom.matching import DATE_FIELD, MatchingKey, MatchingKeys
from worklist.dicom.output_rules import TooLong
from worklist.dicom.values import to_text
from worklist.models import WorklistItem
from worklist.models.restrictions import restriction

ERASED = "The participant was erased: the item only says that an examination was booked or took place."
DATE, TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"


class Cause(Enum):
    """The cause lies with one of these, and is put right there."""

    ITEM = "item"
    SOURCE = "source"  # what it says of all its items
    DEVICE = "device"
    SCANNER = "scanner"
    NOTHING = "nothing"  # is wrong: it was performed, or its day has passed


class Reason(NamedTuple):
    """`rule` is for programs: access, device, status, days, station, key, unreadable, length or maximum.

    Of an erased participant's item it is erased.
    `condition` is what the item does not meet, where others may not meet it for the same reason, and
    `device_may_let_it` says that another station filter of the device would offer it.
    """

    rule: str
    sentence: str
    cause: Cause
    condition: Condition | None = None
    is_of_station: bool = False
    device_may_let_it: bool = False


def why_not(
    item: WorklistItem, offer: Offer, query: Query, *, found: ItemsFound | None = None
) -> Reason | None:
    """Return why the item is not answered, or None where it is. Raises django.db.Error.

    `found` is what the query finds, if it is known.
    """
    selection = offer.selection(query.keys)
    if not WorklistItem.objects.matching(selection).filter(pk=item.pk).exists():
        reason: Reason | None = _first_that_stops(item, offer, query.keys)
    else:
        reason = not_sent(item, query) or _beyond_maximum(item, offer, found or _found(offer, selection))
    is_done = reason is not None and is_over(item, offer.today)
    return reason._replace(cause=Cause.NOTHING) if reason and is_done else reason


def _first_that_stops(item: WorklistItem, offer: Offer, keys: MatchingKeys) -> Reason:
    if item.erased_at is not None:
        return Reason("erased", ERASED, Cause.NOTHING)
    if item.performed_procedure_step_status not in offer.allowed_statuses(keys):
        return _status(item, offer, keys)
    for rule in offer.rules(keys):
        if not WorklistItem.objects.filter(restriction(rule.condition), pk=item.pk).exists():
            return _for_others(item, rule, _WORDS[rule.name](item, offer, rule))
    return Reason("unreadable", "It has changed while this was looked at: look again.", Cause.ITEM)


def _for_others(item: WorklistItem, rule: OfferRule, reason: Reason) -> Reason:
    """Return the reason with what others may not meet, too: in other keys participants differ."""
    keywords = rule.key.keywords if rule.key else (STATION,)
    if rule.name == "days" or keywords not in {(STATION,), ("Modality",)}:
        return reason
    is_of_station = keywords == (STATION,)
    may_let_it = is_of_station and (rule.key is None or not item.stations)
    return reason._replace(
        condition=rule.condition, is_of_station=is_of_station, device_may_let_it=may_let_it
    )


def _status(item: WorklistItem, offer: Offer, keys: MatchingKeys) -> Reason:
    status = item.performed_procedure_step_status
    if offer.statuses and status not in offer.statuses:
        return Reason("status", f"{status} is not offered to this device.", Cause.DEVICE)
    if keys.statuses is None:
        sentence = f"It is {status}, which no scanner is offered unless its query or its device says so."
        return Reason("status", sentence, Cause.ITEM)
    asked = " or ".join(keys.statuses) or "a status that there is not"
    return Reason("status", f"The scanner asked for {asked}; this item is {status}.", Cause.SCANNER)


def _days(item: WorklistItem, offer: Offer, _: OfferRule) -> Reason:
    day = day_in_words(item.scheduled_start_date, offer.today)
    first, last = offer.first_day, offer.last_day
    if first == last and first is not None:
        window = f"items of {day_in_words(first, offer.today)}"
    else:
        ends = (("from", first), ("to", last))
        window = "items " + " ".join(f"{word} {day_in_words(end, offer.today)}" for word, end in ends if end)
    return Reason("days", f"Scheduled for {day}; this device is offered only {window}.", Cause.DEVICE)


def _station(item: WorklistItem, offer: Offer, _: OfferRule) -> Reason:
    own = " or ".join(offer.stations)
    has, cause = _stations(item, offer)
    return Reason("station", f"This device is offered only items for station {own}; {has}.", cause)


def _key(item: WorklistItem, offer: Offer, rule: OfferRule) -> Reason:
    key = rule.key
    if key is None:
        raise LookupError("a rule of a query has its key")
    if rule.condition == NOTHING and key.keywords == (STATION,):
        own = " or ".join(offer.stations)
        asked = _listed(key.asked)
        sentence = f"The scanner asked for station {asked}; this device is offered only items for {own}."
        return Reason("station", sentence, Cause.SCANNER)
    if key.keywords == (STATION,):
        has, cause = _stations(item, offer)
        return Reason("key", f"The scanner asked for station {_listed(key.asked)}; {has}.", cause)
    if DATE in key.keywords or TIME in key.keywords:
        return Reason("key", _scheduled(item, offer, key), Cause.ITEM)
    return Reason("key", _other(item, key), Cause.ITEM)


def _stations(item: WorklistItem, offer: Offer) -> tuple[str, Cause]:
    """Say what the item is for, and whether that is its own or its source's matter."""
    if item.stations:
        return f"this item is for {' and '.join(item.stations)}", Cause.ITEM
    if not item.data_source or _source_names_stations(item, offer.today):
        return "this item has no station", Cause.ITEM
    return f"no item of the source {item.data_source} has a station", Cause.SOURCE


def _source_names_stations(item: WorklistItem, today: date) -> bool:
    """Tell whether the source names one for any item to come."""
    to_come = {f"{DATE_FIELD}__gte": min(today, item.scheduled_start_date)}
    beside = WorklistItem.objects.filter(data_source=item.data_source, **to_come)
    return beside.exclude(**{STATION_FIELD: ""}).exists()


def _scheduled(item: WorklistItem, offer: Offer, key: MatchingKey) -> str:
    day, at = day_in_words(item.scheduled_start_date, offer.today), f"{item.scheduled_start_time:%H:%M}"
    parts = dict(zip(key.keywords, (key.asked[:1], key.asked[1:]), strict=False))
    if len(key.keywords) == 1:
        parts = {key.keywords[0]: key.asked}
    dates = _listed(_days_asked(value, offer.today) for value in parts.get(DATE, ()))
    times = _listed(_times_asked(value) for value in parts.get(TIME, ()))
    asked = " at ".join(filter(None, (dates, times)))
    when = " at ".join(
        filter(None, (day if DATE in key.keywords else "", at if TIME in key.keywords else ""))
    )
    return f"Scheduled for {when}; the scanner asked for {asked}."


def _other(item: WorklistItem, key: MatchingKey) -> str:
    attribute = BY_KEYWORD[key.keywords[0]]
    value = to_text(getattr(item, attribute.field or ""))
    has = f"this item has {value}" if value else "this item has none"
    return f"The scanner asked for {attribute.name} {_listed(key.asked)}; {has}."


def not_sent(item: WorklistItem, query: Query) -> Reason | None:
    """Return why the item cannot be sent though it matches, or None where it can."""
    row = rows.read_one(item.pk)
    if row is None:
        return Reason("unreadable", "The item cannot be read: the server's log says what.", Cause.ITEM)
    try:
        query.answer(row)
    except TooLong as error:
        name = BY_KEYWORD[error.keyword].name
        sentence = (
            f"{name} is longer than this scanner takes: {error.length} characters, and it takes "
            f"{error.longest}."
        )
        return Reason("length", sentence, Cause.ITEM)
    except EncodingError as error:
        return Reason("unreadable", f"Its {error.keyword} cannot be sent.", Cause.ITEM)
    except Exception as error:
        sentence = f"It cannot be sent ({type(error).__name__}): the server's log says where."
        return Reason("unreadable", sentence, Cause.ITEM)
    return None


def _found(offer: Offer, selection: Selection) -> ItemsFound | None:
    """Return what the query finds, or None where no maximum cuts it."""
    if not offer.maximum:
        return None
    found = rows.find(selection)
    if found.total > offer.maximum:
        found.truncate(offer.maximum)
    return found


def _beyond_maximum(item: WorklistItem, offer: Offer, found: ItemsFound | None) -> Reason | None:
    if found is None or not found.cut_from:
        return None
    sentence = f"{found.cut_from} items match, and this device is sent at most {offer.maximum}"
    if offer.refuses_over_maximum:
        return Reason("maximum", f"{sentence}: it is sent an error instead.", Cause.DEVICE)
    return None if found.has(item.pk) else Reason("maximum", f"{sentence}: the earliest.", Cause.DEVICE)


def day_in_words(day: date, today: date) -> str:
    """Return a day as people speak of it."""
    names = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    return names.get((day - today).days) or date_format(day, "j F Y")


def _days_asked(value: str, today: date) -> str:
    return _range(value, moments.date_range, lambda day: day_in_words(day, today), "days")


def _times_asked(value: str) -> str:
    return _range(value, moments.time_range, lambda at: f"{at:%H:%M}", "times")


def _range(value: str, parse: Callable[[str], Any], say: Callable[[Any], str], any_of: str) -> str:
    found = parse(value)
    if found.low == found.high:
        return say(found.low)
    ends = (("from", found.low), ("to", found.high))
    return " ".join(f"{word} {say(end)}" for word, end in ends if end is not None) or f"any {any_of}"


def _listed(values: Any) -> str:
    return " or ".join(values)


_WORDS: dict[str, Callable[[WorklistItem, Offer, OfferRule], Reason]] = {
    "days": _days,
    "station": _station,
    "key": _key,
}
