"""What a person changed on a synced item stays until they follow the source again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from sources.models import PendingRecord, SyncedStep, Withdrawal
from sources.sync import clashes, values
from sources.sync.applying import make_item
from worklist.attention import identity
from worklist.items import intake
from worklist.models import Status, WorklistItem


def edited_fields(synced: SyncedStep) -> dict[str, tuple[Any, Any]]:
    """Return for each edited field or keyword what the item has, and what the source says."""
    item = synced.item
    if item is None:
        return {}
    return {
        name: (values.item_value(item, name), synced.says.get(name, ""))
        for name in values.differing(item, synced.written)
    }


def unwritten_changes(synced: SyncedStep) -> dict[str, tuple[Any, Any]]:
    """Return what the source says otherwise and is not written, because of an examination."""
    item = synced.item
    if item is None:
        return {}
    return {
        name: (values.item_value(item, name), said)
        for name, said in synced.says.items()
        if synced.written.get(name, "") == values.item_value(item, name) != said
    }


def follow_again(synced: SyncedStep, fields: Iterable[str], *, actor: str) -> None:
    """Take these fields from the source, now and in future. Raises what `intake.change` raises."""
    with transaction.atomic():
        synced = SyncedStep.objects.select_for_update(of=("self",)).select_related("item").get(pk=synced.pk)
        edited = edited_fields(synced)
        said = {name: synced.says.get(name, "") for name in fields if name in edited}
        if synced.item is None or not said:
            return
        reason = "It follows the source again."
        # The record's items follow one by one.
        answer = clashes.of_the_record(synced.source, synced.record, synced.says)
        wanted = values.to_write(synced.item, said)
        intake.change(synced.item, wanted, actor=actor, reason=reason, answer=answer)
        synced.written |= said
        synced.save(update_fields=["written"])


def remake(synced: SyncedStep, *, actor: str) -> None:
    """Make the item that a person deleted again, from what the source said last."""
    with transaction.atomic():
        synced = SyncedStep.objects.select_for_update(of=("self",)).select_related("source").get(pk=synced.pk)
        if synced.item_id:
            raise ValidationError("It is there already.")
        if _has_later_use(synced):
            raise ValidationError("Its row stands for another appointment by now.")
        if not synced.says:
            raise ValidationError("The source has no such appointment now.")
        answer = clashes.of_the_record(synced.source, synced.record, synced.says)
        synced.item = make_item(synced, actor=actor, answer=answer)
        synced.written = synced.says
        synced.withdrawal, synced.reason = Withdrawal.NONE, ""
        synced.save(update_fields=["item", "written", "withdrawal", "reason"])
        # It was what the source said when its record was read last, and is cancelled if that is so no more.
        PendingRecord.objects.get_or_create(source=synced.source, record=synced.record)


def make_another(synced: SyncedStep, *, actor: str) -> WorklistItem:
    """Make the item of another appointment that the row of an examined one stands for now.

    Raises ValidationError where the row says nothing else than what was examined, and what `intake.create`
    raises.
    """
    with transaction.atomic():
        rows = SyncedStep.objects.select_for_update(of=("self",)).select_related("item", "source")
        synced = rows.get(pk=synced.pk)
        if not can_make_another(synced):
            raise ValidationError("Its row stands for no other appointment.")
        again = SyncedStep(
            source=synced.source,
            record=synced.record,
            **synced.key._asdict(),
            occurrence=synced.occurrence + 1,
            says=synced.says,
            written=synced.says,
        )
        answer = clashes.of_the_record(synced.source, synced.record, synced.says)
        again.item = make_item(again, actor=actor, answer=answer)
        again.save()
        # What was examined keeps to what it was: its row speaks of another appointment now.
        synced.says = synced.written
        synced.save(update_fields=["says"])
    return again.item


def can_make_another(synced: SyncedStep) -> bool:
    """Tell whether the row says something else than what was examined, and has no later use."""
    item = synced.item
    if item is None or item.performed_procedure_step_status == Status.IN_PROGRESS:
        return False
    return bool(identity.is_frozen(item) and unwritten_changes(synced)) and not _has_later_use(synced)


def _has_later_use(synced: SyncedStep) -> bool:
    same = SyncedStep.objects.filter(source=synced.source, record=synced.record, **synced.key._asdict())
    return same.filter(occurrence__gt=synced.occurrence).exists()
