"""Whatever changes the outcome of an appointment has it written back, in the transaction of the change.

An item is saved whenever its status changes: by a report, a person, a source or another server. A link that a
person makes or takes away may leave the status as it is, and so is heard by itself. Whether the item's source
writes is read by the statement that `edited_marks` needs anyway.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from sources.models import OutcomeWrite, SyncedStep, WriteProgress
from worklist.models import Evidence, PerformedStepItem, Status, WorklistItem

STATUS = "performed_procedure_step_status"
UNTOUCHED = (Status.SCHEDULED, Status.CANCELLED)  # nothing is to be told of such an item, unless it was


def connect() -> None:
    post_save.connect(_linked, sender=PerformedStepItem, dispatch_uid="sources.outbox.linked")
    post_delete.connect(_unlinked, sender=PerformedStepItem, dispatch_uid="sources.outbox.unlinked")


def with_writing(steps: QuerySet[SyncedStep]) -> QuerySet[Any]:
    """Read along whether the step's source writes, and what it has written of it, for `follow`."""
    return steps.annotate(writes=F("source__writes_back"), write_pk=F("outcome_write__pk"))


def follow(step: Any, item: WorklistItem, names: frozenset[str] | None) -> None:
    """Have the outcome of a saved item written; `names` are the fields that were saved, None for all."""
    if not step.writes or (names is not None and STATUS not in names):
        return
    if step.write_pk is not None or item.performed_procedure_step_status not in UNTOUCHED:
        OutcomeWrite.ask(step.pk)


def ask_for_all(source_pk: int) -> int:
    """Have everything of a source compared and written again, and return how many outcomes that is."""
    asked = steps_with_outcome(source_pk).values_list("pk", flat=True)
    for step_pk in (pks := list(asked)):
        OutcomeWrite.ask(step_pk)
    return len(pks)


def look_again(source_pk: int, records: Collection[str]) -> None:
    """Have outcomes that need a person looked at again, for somebody may have mended their record."""
    held = OutcomeWrite.objects.filter(step__source=source_pk, step__record__in=records)
    held.filter(state=WriteProgress.HELD).update(due_at=timezone.now())


def steps_with_outcome(source_pk: int) -> QuerySet[SyncedStep]:
    """Return the sessions of which something is to be told, or was."""
    touched = Q(item__performed_procedure_step_status__in=[each for each in Status if each not in UNTOUCHED])
    told = Q(outcome_write__isnull=False)
    linked = Q(item__in=PerformedStepItem.objects.values("item"))
    return SyncedStep.objects.filter(touched | told | linked, source=source_pk).exclude(item=None)


def _linked(sender: Any, instance: PerformedStepItem, created: bool, **options: Any) -> None:  # noqa: FBT001
    """Hear of a person's link alone: a scanner's moves its item, or a later message does."""
    if created and instance.evidence == Evidence.PERSON:
        _ask(instance.item_id)


def _unlinked(sender: Any, instance: PerformedStepItem, **options: Any) -> None:
    _ask(instance.item_id)


def _ask(item_pk: int) -> None:
    for step_pk in SyncedStep.objects.filter(item=item_pk, source__writes_back=True).values_list(
        "pk", flat=True
    ):
        OutcomeWrite.ask(step_pk)
