"""Rules that would leave coming items out of a device's list say so, before they are saved and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from worklist.answering import compiled, requests
from worklist.answering.compiled import FindRequest
from worklist.answering.explaining import Reason, not_sent, why_not
from worklist.devices import offers
from worklist.devices.offers import DeviceUnusable, Offer, Selection
from worklist.dicom import datasets
from worklist.dicom.matching import DATE_FIELD, MatchingKeys
from worklist.dicom.output_rules import TooLong
from worklist.models import Device, WorklistItem
from worklist.models.items import WorklistQuerySet

MOST_NAMED = 5  # items of each reason
MOST_JUDGED = 20_000  # of the names and IDs of coming items
LENGTH_FIELDS = ("pk", "patient_name", "patient_id")
Why = Callable[[WorklistItem], Reason | None]


@dataclass
class LeftOutItems:
    """So many coming items would be left out by one kind of rule; some of them are named."""

    count: int = 0
    named: list[int] = field(default_factory=list)

    def add(self, pk: int) -> None:
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(pk)


def would_leave_out(device: Device, *, before: Device | None = None) -> list[str]:
    """Return sentences that say which coming items the device's rules leave out, how many, and why.

    Those that the rules `before` left out as well are not told again. While the device has no AE title, or
    speaks for any, nothing is said of stations. Raises django.db.Error.
    """
    ae_title = "" if device.ae_title == Device.ANY else device.ae_title
    try:
        then, now = offers.offer_of(before or Device(), ae_title), offers.offer_of(device, ae_title)
    except DeviceUnusable:
        return []
    offered = _coming(device, now).matching(_selection(then, ae_title))
    kept = _coming(device, now).matching(_selection(now, ae_title))
    by_rule = LeftOutItems()
    lost = offered.exclude(pk__in=kept.order_by().values("pk"))
    by_rule.named = list(lost.values_list("pk", flat=True)[:MOST_NAMED])
    by_rule.count = lost.count() if by_rule.named else 0
    too_long = _too_long(offered & kept, then, now)
    query = compiled.compile_query(_universal(), now.output)
    return [
        *_sentences(by_rule, lambda item: why_not(item, now, query)),
        *_sentences(too_long, lambda item: not_sent(item, query)),
    ]


def _selection(offer: Offer, ae_title: str) -> Selection:
    """Return what the device's own rules select, without the one of stations while it has no title."""
    keys = MatchingKeys()
    rules = [rule for rule in offer.rules(keys) if ae_title or rule.name != "station"]
    return Selection(tuple(rule.condition for rule in rules), offer.allowed_statuses(keys))


def _coming(device: Device, offer: Offer) -> WorklistQuerySet:
    """Return the items from today on, of the device's modality where it has one."""
    items = WorklistItem.objects.filter(**{f"{DATE_FIELD}__gte": offer.today})
    return items.filter(modality=device.modality) if device.modality else items


def _too_long(items: WorklistQuerySet, then: Offer, now: Offer) -> LeftOutItems:
    found = LeftOutItems()
    if (now.output.longest_name, now.output.longest_patient_id) == (None, None):
        return found
    for record in items.values(*LENGTH_FIELDS)[:MOST_JUDGED].iterator():
        if _fits(record, then) and not _fits(record, now):
            found.add(record["pk"])
    return found


def _fits(record: dict[str, object], offer: Offer) -> bool:
    try:
        offer.output.check_lengths(record)
    except TooLong:
        return False
    return True


def _universal() -> FindRequest:
    identifier = datasets.write(requests.universal_query(), implicit_vr=False, deflated=False)
    return FindRequest(identifier, implicit_vr=False)


def _sentences(left_out: LeftOutItems, why: Why) -> Iterator[str]:
    if left_out.count:
        items = "1 coming item is" if left_out.count == 1 else f"{left_out.count} coming items are"
        more = left_out.count - len(left_out.named)
        named = "; ".join(_named(left_out.named, why))
        yield f"{items} left out: {named}{f'; and {more} more' if more else ''}"


def _named(pks: Iterable[int], why: Why) -> Iterator[str]:
    """Yield each item with why it is left out, in the words of the page that says why one is missing."""
    for item in WorklistItem.objects.filter(pk__in=list(pks)):
        reason = why(item)
        yield f"{item}: {reason.sentence if reason else ''}".rstrip(": .")
