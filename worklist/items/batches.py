"""Many items come in by a few statements; one of which something is doubtful comes in by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q

from worklist.attention import points, whose_id
from worklist.items import identifiers, intake, whose
from worklist.items.whose import NOTHING_SAID, Answer
from worklist.models import Attention, WorklistItem


class NewItem(NamedTuple):
    """These are the values of an item to be made, and the answer to whose its patient ID is."""

    values: Mapping[str, Any]
    answer: Answer = NOTHING_SAID


class _Draft(NamedTuple):
    place: int  # among the items wanted
    item: WorklistItem
    stem: str  # of the identifiers that it was given


def create_all(
    wanted: Sequence[NewItem], *, actor: str, reason: str = ""
) -> list[WorklistItem | ValidationError]:
    """Make items as `intake.create` would one after another; return each, or what it would have raised.

    Of some that name different people under one ID the first comes in.
    """
    with transaction.atomic():
        plain = {draft.place: draft.item for draft in _plain(list(_drafts(wanted)))}
        _save(list(plain.values()), actor=actor, reason=reason)
        return [
            plain.get(place) or _create(new, actor=actor, reason=reason) for place, new in enumerate(wanted)
        ]


def _create(new: NewItem, *, actor: str, reason: str) -> WorklistItem | ValidationError:
    try:
        return intake.create(new.values, actor=actor, reason=reason, answer=new.answer)
    except ValidationError as error:
        return error


def _drafts(wanted: Iterable[NewItem]) -> Iterator[_Draft]:
    """Yield the items that are right in themselves, with identifiers that may be taken."""
    for place, new in enumerate(wanted):
        item, errors = intake.drafted(new.values)
        stem = identifiers.new_stem()
        identifiers.give_all(item, stem)
        if not intake.wrong_in_itself(item, errors):
            item.derive()
            yield _Draft(place, item, stem)


def _plain(drafts: list[_Draft]) -> list[_Draft]:
    """Return the drafts of which no item and no other draft makes anything doubtful.

    That is what `intake.create` would ask of each: is its step another's, its patient ID another person's,
    written in another way, or pointed out already?
    """
    if not drafts or not connection.features.can_return_rows_from_bulk_insert:
        return []
    whose.hold(draft.item.patient_id for draft in drafts)
    if intake.is_taken([draft.stem for draft in drafts]):
        return []
    taken = _taken_steps([draft.item for draft in drafts])
    doubtful = _doubtful_ids([draft.item for draft in drafts])
    return [
        draft
        for draft in drafts
        if _step_of(draft.item) not in taken and _letters_of(draft.item) not in doubtful
    ]


def _taken_steps(items: list[WorklistItem]) -> set[tuple[str, str]]:
    """Return the identifiers of steps that there are already, or that several of the items have."""
    uids = {item.study_instance_uid for item in items}
    stored = WorklistItem.objects.filter(study_instance_uid__in=uids).order_by()
    several = (step for step, count in Counter(map(_step_of, items)).items() if count > 1)
    return {*stored.values_list(*intake.MADE_ONCE), *several}


def _doubtful_ids(items: list[WorklistItem]) -> set[str]:
    """Return the letters of IDs that name several people, or that are written in several ways."""
    named: dict[str, dict[tuple[Any, ...], WorklistItem]] = {}
    for item in [*items, *whose_id.of_like_ids(items)]:
        written = (item.patient_id, *(getattr(item, field) for field in whose_id.PERSON_FIELDS))
        named.setdefault(_letters_of(item), {}).setdefault(written, item)
    doubtful = {letters for letters, people in named.items() if _are_several(list(people.values()))}
    pointed_out = Attention.objects.open().filter(kind__in=points.OF_ID)
    alike = Q(item__patient_id_alphanumeric__in={item.patient_id_alphanumeric for item in items} - {""})
    return doubtful | set(pointed_out.filter(alike).values_list("item__patient_id_alphanumeric", flat=True))


def _are_several(people: list[WorklistItem]) -> bool:
    first, *others = people
    if any(other.patient_id != first.patient_id for other in others):
        return True
    return any(
        whose_id.differing(one, other) for place, one in enumerate(people) for other in people[place + 1 :]
    )


def _step_of(item: WorklistItem) -> tuple[str, str]:
    return item.study_instance_uid, item.scheduled_procedure_step_id


def _letters_of(item: WorklistItem) -> str:
    """Return what of the ID tools compare; an ID without a letter or digit is like itself alone."""
    return item.patient_id_alphanumeric or item.patient_id


def _save(items: list[WorklistItem], *, actor: str, reason: str) -> None:
    """Save the items with their history and search words, as `WorklistItem.save_as` saves one."""
    WorklistItem.objects.bulk_create(items)
    WorklistItem.history.bulk_history_create(items, default_user=actor, default_change_reason=reason)
    WorklistItem.keep_search_words_of_new(items)
