"""A synced step is marked as edited whenever its item, or what was last written to it, changes.

So a list finds by an index what was edited here; what was edited is told by comparing, in `edits`.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from sources.models import SyncedStep
from sources.sync import outbox, values
from worklist.models import WorklistItem


def connect() -> None:
    post_save.connect(_item_saved, sender=WorklistItem, dispatch_uid="sources.edited_marks.item")
    post_save.connect(_step_saved, sender=SyncedStep, dispatch_uid="sources.edited_marks.step")


def _item_saved(sender: Any, instance: WorklistItem, created: bool, **options: Any) -> None:  # noqa: FBT001
    """Mark the item's step, and have its outcome written back: one statement tells what both need."""
    if created or not instance.data_source:  # its step is yet to be made, or it has none
        return
    steps = SyncedStep.objects.filter(item=instance.pk).only("written", "is_edited")
    synced = outbox.with_writing(steps).first()
    if synced is not None:
        synced.item = instance
        _mark(synced)
        outbox.follow(synced, instance, options.get("update_fields"))


def _step_saved(sender: Any, instance: SyncedStep, **options: Any) -> None:
    _mark(instance)


def _mark(synced: SyncedStep) -> None:
    is_edited = synced.item is not None and bool(values.differing(synced.item, synced.written))
    if synced.is_edited != is_edited:
        synced.is_edited = is_edited
        SyncedStep.objects.filter(pk=synced.pk).update(is_edited=is_edited)
