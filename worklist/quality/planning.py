"""A rule's items of the week ahead are made, follow the rule while they are open, and are taken back.

Each rule is planned in a transaction that holds its row, so that neither a restart nor two workers make an
item twice; a day that once had its item never gets another.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from worklist.devices import stations
from worklist.items import intake, lifecycle
from worklist.items.lifecycle import StatusRefused
from worklist.items.whose import Answer
from worklist.models import QaRule, QaScan, Sex, Status, WorklistItem
from worklist.models.quality import IdScope
from worklist.quality.slots import planned, slots

log = logging.getLogger(__name__)

DAYS_AHEAD = 7
ACTOR = "qa"  # of what the worker does by a rule
TAKEN_BACK = "The QA rule does not ask for it any more."
USED = gettext_lazy(
    "Item %(item)s has the patient ID already, and each scan of this rule is to have one of its own."
)
FOLLOWS = "The QA rule was changed."


class OpenScan(NamedTuple):
    """The item may still change, and is held for update."""

    scan: QaScan
    item: WorklistItem


def plan_all(now: datetime | None = None) -> int:
    """Bring the items of all rules up to date, and return how many rules cannot have theirs."""
    now = now or timezone.now()
    with transaction.atomic():
        _take_back(_open(QaScan.objects.filter(rule=None).exclude(day=None), now), actor=ACTOR)
    return sum(bool(plan(pk, actor=ACTOR, now=now)) for pk in QaRule.objects.values_list("pk", flat=True))


def plan(rule_pk: int, *, actor: str, now: datetime | None = None) -> str:
    """Bring a rule's open items up to date; return what keeps one from it, for people, or "".

    The problem is kept with the rule, which goes on being planned.
    """
    now = now or timezone.now()
    with transaction.atomic():
        rule = QaRule.objects.select_for_update(of=("self",)).select_related("device").filter(pk=rule_pk)
        found = rule.first()
        if found is None:
            return ""
        problem = _plan(found, actor, now)
        if problem != found.problem:
            QaRule.objects.filter(pk=rule_pk).update(problem=problem)
    if problem and problem != found.problem:
        log.warning("QA rule %s cannot have all of its scans: its page says why.", rule_pk)
    return problem


def values_of(rule: QaRule, moment: datetime) -> dict[str, Any]:
    """Return the fields of a rule's item at that moment, as the site's clock reads it."""
    day, at = moment.date(), moment.time().replace(microsecond=0, fold=0)
    return {
        "patient_id": rule.filled(rule.id_pattern, on=day, at=at),
        "patient_name": rule.filled(rule.name_pattern, on=day, at=at),
        "patient_birth_date": rule.patient_birth_date,
        "patient_sex": Sex.OTHER,
        "patient_weight_kg": rule.patient_weight_kg,
        "modality": rule.modality or rule.device.modality,
        "study_description": rule.name,
        "procedure_description": rule.procedure_description,
        "protocol_name": rule.protocol_name,
        "scheduled_station_aetitle": stations.of(rule.device, rule.device.ae_title)[0],
        "scheduled_start_date": day,
        "scheduled_start_time": at,
    }


def make(rule: QaRule, moment: datetime, *, day: date | None, actor: str, reason: str) -> WorklistItem:
    """Make an item of the rule, which the caller holds. Raises ValidationError."""
    values = values_of(rule, moment)
    _refuse_used(rule, values["patient_id"])
    item = intake.create({**values, "is_qa": True}, actor=actor, reason=reason, answer=_own_phantom(rule))
    QaScan.objects.create(rule=rule, item=item, day=day, digest=_digest(values))
    return item


def _plan(rule: QaRule, actor: str, now: datetime) -> str:
    here = timezone.get_default_timezone()
    today = timezone.localdate(now, here)
    # Those of days that have passed matter only where somebody put them off.
    may_be_open = Q(day__gte=today) | Q(item__performed_procedure_step_status=Status.SCHEDULED)
    scans = list(rule.scans.filter(may_be_open).exclude(day=None))
    open_scans = {each.scan.day: each for each in _open(scans, now) if each.scan.day}
    if not (rule.enabled and rule.device.enabled):
        _take_back(open_scans.values(), actor=actor)
        return ""
    moments = {
        slot.day: slot.moment for slot in slots(rule.weekdays, rule.at, here, now=now, days=DAYS_AHEAD)
    }
    taken = {scan.day for scan in scans if scan.day}
    steps = planned(moments, taken, open_scans, weekdays=rule.weekdays, today=today)
    _take_back((open_scans[day] for day in steps.surplus), actor=actor)
    problems: list[str] = []
    for was, day in (*((day, day) for day in steps.kept), *steps.moved):
        problems += _follow(rule, open_scans[was], moments[day], day, actor)
    for day in steps.missing:
        problems += _make_for(rule, moments[day], day, actor)
    return "\n".join(dict.fromkeys(problems))


def _make_for(rule: QaRule, moment: datetime, day: date, actor: str) -> list[str]:
    """Make a day's item, or return what keeps it from being made."""
    try:
        with transaction.atomic():
            make(rule, moment, day=day, actor=actor, reason=f"By the QA rule {rule.name}.")
    except ValidationError as error:
        return sentences(error)
    return []


def sentences(error: ValidationError) -> list[str]:
    """Return what is wrong with a rule's item, each sentence with the field that it is about."""
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    return [f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts]


def _open(scans: Iterable[QaScan], now: datetime) -> list[OpenScan]:
    """Return the scans whose items may still change.

    The item's own time counts, for somebody may have moved it.
    """
    by_item = {scan.item_id: scan for scan in scans if scan.item_id}
    items = WorklistItem.objects.select_for_update().filter(pk__in=by_item)
    items = items.filter(performed_procedure_step_status=Status.SCHEDULED)
    here = timezone.get_default_timezone()
    found = []
    for item in items.order_by("pk"):
        at = datetime.combine(item.scheduled_start_date, item.scheduled_start_time, tzinfo=here)
        if at.astimezone(UTC) > now.astimezone(UTC):
            found.append(OpenScan(by_item[item.pk], item))
    return found


def _follow(rule: QaRule, found: OpenScan, moment: datetime, day: date, actor: str) -> list[str]:
    """Let the item be as the rule says now; what the rule has not changed stays as people left it."""
    scan, item = found
    values = values_of(rule, moment)
    digest = _digest(values)
    if scan.digest != digest:
        try:
            with transaction.atomic():
                if values["patient_id"] != item.patient_id:
                    _refuse_used(rule, values["patient_id"])
                intake.change_locked(item, values, actor=actor, reason=FOLLOWS, answer=_own_phantom(rule))
        except ValidationError as error:
            return sentences(error)
    if (scan.digest, scan.day) != (digest, day):
        scan.digest, scan.day = digest, day
        scan.save(update_fields=["digest", "day"])
    return []


def _take_back(scans: Iterable[OpenScan], *, actor: str) -> None:
    """Cancel the items and free their days: the rule may want them again."""
    for scan, item in list(scans):
        try:
            lifecycle.move_locked(item, to=Status.CANCELLED, actor=actor, reason=TAKEN_BACK)
        except StatusRefused:  # it is no longer one that may be cancelled: it stays
            continue
        scan.delete()


def _own_phantom(rule: QaRule) -> Answer:
    """Answer for the rule's own items: one phantom, however its rule wrote it before."""
    return Answer(beside=tuple(rule.scans.values_list("item", flat=True)))


def _refuse_used(rule: QaRule, patient_id: str) -> None:
    """Refuse an ID that is to be one scan's and that another item has, whatever became of it."""
    if rule.id_scope != IdScope.SCAN:
        return
    others = WorklistItem.objects.filter(patient_id=patient_id)
    others = others.exclude(performed_procedure_step_status=Status.CANCELLED)
    if (other := others.order_by("pk").values_list("pk", flat=True).first()) is not None:
        raise ValidationError(USED, params={"item": other}, code="used")


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()
