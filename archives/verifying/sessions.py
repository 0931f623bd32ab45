"""Items stand here with what was reported of them, read by as many queries for one as for a thousand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db.models import Q

from archives.comparing.belonging import ScannedSession
from archives.comparing.series import ReportedSeries
from archives.contract import FoundStudy
from worklist.models import PerformedSeries, PerformedStep, PerformedStepItem, Status, WorklistItem

UNREAD = ("extra_attributes",)
OF_STEPS = (
    *("pk", "study_instance_uid", "start_date", "start_time", "finished_at"),
    *("calling_ae_title", "performed_station_name", "performed_station_ae_title"),
)


@dataclass
class Reported:
    """It is an item, its performed steps, and the series of these that hold anything.

    `shares` says that a step is of other items, too: then nobody knows whose its series are.
    """

    item: WorklistItem
    steps: list[PerformedStep] = field(default_factory=list)
    series: list[ReportedSeries] = field(default_factory=list)
    shares: bool = False

    @cached_property
    def session(self) -> ScannedSession:
        item = self.item
        reported = (step.study_instance_uid for step in self.steps)
        days = (step.start_date for step in self.steps)
        starts = [step.start_time for step in self.steps if step.start_time]
        return ScannedSession(
            item_pk=item.pk,
            study_instance_uids=frozenset(filter(None, (item.study_instance_uid, *reported))),
            accession_number=item.accession_number,
            patient_id=item.patient_id,
            days=frozenset(filter(None, (item.scheduled_start_date, *days))),
            modality=item.modality,
            start=min(starts) if starts else item.scheduled_start_time,
        )

    @property
    def device(self) -> str:
        """Return the AE title of the device that performed it, else of the first that was to."""
        titles = [*(step.calling_ae_title for step in self.steps), *self.item.stations]
        return titles[0] if titles else ""

    @property
    def is_acquired(self) -> bool:
        """Return whether there should be images: it was completed, or a report names some."""
        is_completed = self.item.performed_procedure_step_status == Status.COMPLETED
        return is_completed or bool(self.series)

    @property
    def ended_at(self) -> datetime | None:
        return max(filter(None, (step.finished_at for step in self.steps)), default=None)


def reported(items: Iterable[WorklistItem]) -> dict[int, Reported]:
    """Return these items by their keys, with their reports."""
    found = {item.pk: Reported(item) for item in items}
    links = PerformedStepItem.objects.filter(item__in=found).order_by("step__created_at", "step")
    of_steps: dict[int, list[int]] = defaultdict(list)
    for step_pk, item_pk in links.values_list("step_id", "item_id"):
        of_steps[step_pk].append(item_pk)
    steps = PerformedStep.objects.filter(pk__in=of_steps).only(*OF_STEPS).in_bulk()
    for step_pk, item_pks in of_steps.items():
        for pk in item_pks:
            found[pk].steps.append(steps[step_pk])
    every = PerformedStepItem.objects.filter(step__in=of_steps).order_by().values_list("step_id", "item_id")
    owners: dict[int, set[int]] = defaultdict(set)
    for step_pk, item_pk in every:
        owners[step_pk].add(item_pk)
    holding = PerformedSeries.objects.filter(Q(image_count__gt=0) | Q(other_count__gt=0), step__in=of_steps)
    named = holding.order_by("step", "number").only(
        "step_id", "series_instance_uid", "description", "protocol_name"
    )
    for series in named:
        for pk in of_steps[series.step_id]:
            if series.series_instance_uid:
                label = series.description or series.protocol_name
                found[pk].series.append(ReportedSeries(series.series_instance_uid, label))
    for step_pk, item_pks in of_steps.items():
        for pk in item_pks:
            found[pk].shares |= len(owners[step_pk]) > 1
    return found


def by_keys(item_pks: Collection[int]) -> dict[int, Reported]:
    """Return the items of these keys with their reports, those of nobody any more left out."""
    return reported(WorklistItem.objects.filter(pk__in=item_pks, erased_at=None).defer(*UNREAD))


def hold(item_pks: Collection[int]) -> set[int]:
    """Lock the items until the transaction ends, always in the same order.

    Return those that are still somebody's: others were erased or deleted meanwhile.
    """
    held = WorklistItem.objects.select_for_update(no_key=True).filter(pk__in=item_pks).order_by("pk")
    return {pk for pk, erased_at in held.values_list("pk", "erased_at") if erased_at is None}


def around(studies: Collection[FoundStudy], item_pks: Collection[int] = ()) -> dict[int, Reported]:
    """Return the items that these studies may belong to, and the items of these keys.

    What was cancelled and never begun is asked by its UID alone: a day's patient ID says nothing of it.
    """
    uids = {each.study_instance_uid for each in studies}
    numbers = {each.accession_number for each in studies if each.accession_number}
    people = {each.patient_id for each in studies if each.patient_id}
    days = {each.study_date for each in studies if each.study_date}
    steps = PerformedStep.objects.order_by()
    of_steps = steps.filter(study_instance_uid__in=uids).values_list("pk")
    of_days = steps.filter(start_date__in=days, patient_id__in=people).values_list("pk")
    performed = PerformedStepItem.objects.order_by().filter(
        step__in=[*(pk for (pk,) in of_steps), *(pk for (pk,) in of_days)]
    )
    pks = {*item_pks, *performed.values_list("item_id", flat=True)}
    items = WorklistItem.objects.order_by()
    is_cancelled = Q(performed_procedure_step_status=Status.CANCELLED)
    pks.update(items.filter(study_instance_uid__in=uids).values_list("pk", flat=True))
    pks.update(items.filter(~is_cancelled, accession_number__in=numbers).values_list("pk", flat=True))
    of_people = items.filter(~is_cancelled, patient_id__in=people, scheduled_start_date__in=days)
    pks.update(of_people.values_list("pk", flat=True))
    return by_keys(pks)
