"""What scanners and people have said of an item is gathered here from its performed steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sources.outgoing.facts import Moment, ScanOutcome
from worklist.attention.points import is_wrong_entry
from worklist.models import PerformedStatus, PerformedStep, PerformedStepItem, WorklistItem


def of_items(items: Collection[WorklistItem]) -> dict[int, ScanOutcome]:
    """Return each item's outcome by its key."""
    links = PerformedStepItem.objects.filter(item__in=[item.pk for item in items])
    steps: dict[int, list[PerformedStep]] = {item.pk: [] for item in items}
    for link in links.select_related("step").prefetch_related("step__series").order_by("pk"):
        if not is_wrong_entry(link.step):  # that participant was not scanned
            steps[link.item_id].append(link.step)
    return {item.pk: of(item, steps[item.pk]) for item in items}


def of(item: WorklistItem, steps: Sequence[PerformedStep]) -> ScanOutcome:
    """Return what the steps say of their item, each of which has begun."""
    has_ended = bool(steps) and all(step.is_final for step in steps)
    series = [series for step in steps for series in step.series.all()]
    stops = [step for step in steps if step.status == PerformedStatus.DISCONTINUED]
    return ScanOutcome(
        status=item.performed_procedure_step_status,
        start=min(_moments(steps, "start"), key=_order, default=None),
        end=max(_moments(steps, "end"), key=_order, default=None) if has_ended else None,
        scanners=_each_once(step.performed_station_ae_title for step in steps),
        operators=_each_once(name for each in series for name in each.readable_operators_name.split("; ")),
        series=len(series) if has_ended else None,
        images=sum(each.image_count for each in series) if has_ended else None,
        protocols=_each_once(each.protocol_name for each in series),
        studies=_each_once(step.study_instance_uid for step in steps),
        reason=next(filter(None, map(_reason, reversed(stops))), ""),
    )


def _moments(steps: Iterable[PerformedStep], which: str) -> list[Moment]:
    found = ((getattr(step, f"{which}_date"), getattr(step, f"{which}_time")) for step in steps)
    return [Moment(day, at) for day, at in found if day is not None]


def _order(moment: Moment) -> tuple[Any, ...]:
    """Sort a day whose time is not known before its times."""
    return moment.day, moment.at is not None, moment.at or 0


def _reason(step: PerformedStep) -> str:
    return str(step.discontinuation_reason or step.discontinuation_reason_code)


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
