"""Each device has a verdict on an item: whether it would be answered it, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from pylantir_site import elapsed
from worklist import validators
from worklist.answering import compiled, requests
from worklist.answering.explaining import Cause, Reason, why_not
from worklist.answering.happened import is_over, last_status_change
from worklist.answering.requests import AskedQuery
from worklist.answering.statuses import failure
from worklist.devices import access, offers
from worklist.devices.offers import DeviceUnusable
from worklist.dicom.conditions import Condition
from worklist.models import Device, DeviceActivity, Status, WorklistItem
from worklist.models.items import WorklistQuerySet
from worklist.models.restrictions import restriction

RECENTLY = timedelta(days=7)  # AE titles without a device that called since then are told, too
MOST_STRANGERS = 10


@dataclass(frozen=True)
class Verdict:
    """`reason` is None where it would be answered the item; `device` is its own row, if it has one."""

    ae_title: str
    device: Device | None
    asked: AskedQuery
    reason: Reason | None


def verdicts(item: WorklistItem) -> list[Verdict]:
    """Judge by each device's last query for a list, or by its usual one. Raises django.db.Error."""
    return [verdict(item, ae_title) for ae_title in ae_titles()]


def verdict(item: WorklistItem, ae_title: str) -> Verdict:
    device = Device.objects.filter(ae_title=ae_title).first()
    asked = last_or_usual(ae_title)
    reason = _reason(item, ae_title, asked)
    return Verdict(ae_title, device, asked, reason and _at_its_root(item, reason))


def last_or_usual(ae_title: str) -> AskedQuery:
    """Return what a device asks, as it would be asked today."""
    device = Device.objects.of(ae_title)
    try:
        offer = offers.offer_of(device, ae_title)
    except DeviceUnusable:  # the search tells it
        device, offer = None, offers.offer_of(None, ae_title)
    found = requests.last_list_query_of_today(device, offer)
    if found is None:
        return AskedQuery(
            requests.usual_query(device, offer), _("its usual query: today, its modality and station")
        )
    last, request = found
    return AskedQuery(request, _("its last query for a list, %(ago)s") % {"ago": elapsed.ago(last.at)})


def _reason(item: WorklistItem, ae_title: str, asked: AskedQuery) -> Reason | None:
    if closed := access.closed_to(ae_title):
        return Reason("access", f"It cannot connect: {closed}.", Cause.DEVICE)
    if refused := _last_refusal(ae_title, Device.objects.of(ae_title)):
        told = {"ago": elapsed.ago(refused.at), "why": refused.comment}
        sentence = _("Its last attempt, %(ago)s, was refused: %(why)s.") % told
        return Reason("access", sentence, Cause.DEVICE)
    try:
        offer = offers.offer_to(ae_title)
    except DeviceUnusable as error:
        return Reason("device", f"{error}.", Cause.DEVICE)
    try:
        query = compiled.compile_query(asked.request, offer.output)
    except Exception as error:
        return Reason("key", f"Its query fails: {failure(error).comment}.", Cause.SCANNER)
    return why_not(item, offer, query)


def _at_its_root(item: WorklistItem, reason: Reason) -> Reason:
    """Return the reason with the cause that keeps most out: to mend one item leaves the others missing."""
    if is_over(item, timezone.localdate()):
        return reason._replace(cause=Cause.NOTHING)
    if item.performed_procedure_step_status == Status.CANCELLED:
        return _of_a_cancelled_item(item, reason)
    if reason.condition is None or reason.cause is not Cause.ITEM:
        return reason
    others = WorklistItem.objects.filter(
        performed_procedure_step_status=Status.SCHEDULED, scheduled_start_date__gte=timezone.localdate()
    ).exclude(pk=item.pk)
    of_source = others.filter(data_source=item.data_source)
    if item.data_source and (count := _all_kept_out(of_source, reason.condition)):
        return _wider(reason, Cause.SOURCE, count, f" of {item.data_source}")
    if reason.device_may_let_it and (count := _all_kept_out(others, reason.condition)):
        return _wider(reason, Cause.DEVICE, count, "")
    return reason


def _of_a_cancelled_item(item: WorklistItem, reason: Reason) -> Reason:
    change = last_status_change(item)
    is_by_source = bool(item.data_source) and change is not None and change.actor.startswith("source:")
    return reason._replace(cause=Cause.SOURCE) if is_by_source and reason.rule == "status" else reason


def _all_kept_out(items: WorklistQuerySet, condition: Condition) -> int:
    """Return how many items there are where none meets the condition, else 0."""
    return 0 if items.filter(restriction(condition)).exists() else items.count()


def _wider(reason: Reason, cause: Cause, count: int, whose: str) -> Reason:
    others = f"the {count} other items" if count > 1 else "the other item"
    return reason._replace(
        cause=cause, sentence=f"{reason.sentence} So it is with {others}{whose} still to come."
    )


def _last_refusal(ae_title: str, device: Device | None) -> DeviceActivity | None:
    """Return its last refusal, unless the device has changed since.

    Whether it is let in now, its next attempt will tell.
    """
    newest = DeviceActivity.objects.newest(ae_title)
    if newest is None or newest.kind != DeviceActivity.Kind.REFUSED:
        return None
    return newest if device is None or device.updated_at < newest.at else None


def ae_titles() -> Iterator[str]:
    """Yield the AE titles of the devices, then of those without a row that called lately."""
    known = list(Device.objects.exclude(ae_title=Device.ANY).values_list("ae_title", flat=True))
    yield from known
    lately = DeviceActivity.objects.filter(at__gte=timezone.now() - RECENTLY).exclude(ae_title__in=known)
    strangers = lately.order_by("ae_title").values_list("ae_title", flat=True).distinct()
    yield from islice(filter(_is_ae_title, strangers.iterator()), MOST_STRANGERS)


def _is_ae_title(text: str) -> bool:
    """Return whether the text is an AE title.

    Who was refused before it said its title has none, and a port scanner's is no title.
    """
    try:
        validators.ae_title(text)
    except ValidationError:
        return False
    return True
