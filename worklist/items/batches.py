"""Many items come in by a few statements; one of which something is doubtful comes in by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from worklist.items import intake, plain
from worklist.items.plain import Unsaved
from worklist.items.whose import NOTHING_SAID, Answer
from worklist.models import WorklistItem


class NewItem(NamedTuple):
    """These are the values of an item to be made, whose its patient ID is, and why it is made."""

    values: Mapping[str, Any]
    answer: Answer = NOTHING_SAID
    reason: str = ""


def create_all(
    wanted: Sequence[NewItem], *, actor: str, reason: str = ""
) -> list[WorklistItem | ValidationError]:
    """Make items as `intake.create` would one after another; return each, or what it would have raised.

    Of some that name different people under one ID the first comes in. `reason` is that of the items which
    have none of their own.
    """
    wanted = [new if new.reason else new._replace(reason=reason) for new in wanted]
    drafts = [_unsaved(new) for new in wanted]
    with transaction.atomic():
        made = create_plain([[draft] if draft else [] for draft in drafts], actor=actor)
        return [
            draft.item if draft and is_made else _create(new, actor=actor)
            for new, draft, is_made in zip(wanted, drafts, made, strict=True)
        ]


def create_plain(groups: Sequence[Sequence[Unsaved]], *, actor: str) -> list[bool]:
    """Save the groups of which no item is doubtful, each as a whole; tell of each whether it was saved.

    A group without items is not. Needs a transaction.
    """
    told = iter(plain.among([each for group in groups for each in group]))
    is_plain = [all(list(islice(told, len(group)))) and bool(group) for group in groups]
    chosen = [each for group, saved in zip(groups, is_plain, strict=True) if saved for each in group]
    try:
        with transaction.atomic():
            plain.save(chosen, actor=actor)
    except IntegrityError:  # another writer was first: each is told about by itself
        return [False] * len(groups)
    return is_plain


def _unsaved(new: NewItem) -> Unsaved | None:
    """Return the item where it is right in itself."""
    try:
        return intake.unsaved(new.values)._replace(reason=new.reason)
    except ValidationError:
        return None


def _create(new: NewItem, *, actor: str) -> WorklistItem | ValidationError:
    try:
        return intake.create(new.values, actor=actor, reason=new.reason, answer=new.answer)
    except ValidationError as error:
        return error
