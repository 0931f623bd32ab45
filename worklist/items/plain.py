"""New items of which nothing stored makes anything doubtful are saved as they are.

That is what `worklist.items.intake` would ask of each: is its step another's, its patient ID another
person's, written in another way, or pointed out already? Where anything of that might be so, it asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from worklist.attention import points, whose_id
from worklist.items import identifiers, whose
from worklist.items.identifiers import MADE_ONCE
from worklist.models import Attention, WorklistItem
from worklist.models.statements import Statement, StatementCache, write

_statements = StatementCache(most=100_000)
Letters = str  # of a patient ID, as tools compare it


class Unsaved(NamedTuple):
    """This is an item that is right in itself, with all its identifiers and what is derived.

    `made` names the identifiers that were made for it of random letters: another item may have one.
    """

    item: WorklistItem
    made: frozenset[str] = frozenset()
    reason: str = ""


def letters(item: WorklistItem) -> Letters:
    """Return what of the ID tools compare; an ID without a letter or digit is like itself alone."""
    return item.patient_id_alphanumeric or item.patient_id


def is_plain(unsaved: Unsaved) -> bool:
    """Tell whether nothing stored makes anything of the item doubtful. Needs a transaction.

    It is told at once and by three statements, each written once; `among` says more of many.
    """
    if not connection.features.can_return_rows_from_bulk_insert:
        return False
    whose.hold([unsaved.item.patient_id])
    return not (_has_what_is_taken(unsaved) or _is_of_several(unsaved.item) or _is_pointed_out(unsaved.item))


def among(unsaved: Sequence[Unsaved]) -> list[bool]:
    """Tell of each item whether neither what is stored nor another of them makes anything of it doubtful.

    Needs a transaction.
    """
    if not unsaved or not connection.features.can_return_rows_from_bulk_insert:
        return [False] * len(unsaved)
    items = [each.item for each in unsaved]
    whose.hold(item.patient_id for item in items)
    if _is_any_taken(unsaved):
        return [False] * len(unsaved)
    taken, doubtful = _taken_steps(items), _doubtful_ids(items)
    return [_step_of(item) not in taken and letters(item) not in doubtful for item in items]


def save(unsaved: Sequence[Unsaved], *, actor: str) -> None:
    """Save the items with their history and search words, as `WorklistItem.save_as` saves one.

    Needs a transaction. Raises IntegrityError where another writer has made the same step meanwhile.
    """
    items = [each.item for each in unsaved]
    WorklistItem.insert_all_as(items, actor, reasons=[each.reason for each in unsaved])
    WorklistItem.keep_search_words_of_new(items)


def _has_what_is_taken(unsaved: Unsaved) -> bool:
    wanted = Q(*((name, getattr(unsaved.item, name)) for name in MADE_ONCE))
    made = [name for name in identifiers.PREFIXES if name in unsaved.made]
    for name in made:
        wanted |= Q((name, getattr(unsaved.item, name)))
    return _is_there(wanted, [getattr(unsaved.item, name) for name in (*MADE_ONCE, *made)], tuple(made))


def _is_of_several(item: WorklistItem) -> bool:
    """Tell whether an item has the same letters in its ID and is not of this very person."""
    like = "patient_id_alphanumeric" if item.patient_id_alphanumeric else "patient_id"
    person = ("patient_id", *whose_id.PERSON_FIELDS)
    written = Q(*((name, getattr(item, name)) for name in person), is_qa=item.is_qa)
    known = [name for name in (like, *person) if getattr(item, name) is not None]
    wanted = Q((like, getattr(item, like))) & ~written
    kind = "phantom" if item.is_qa else "participant"  # Django writes a boolean into the statement
    return _is_there(wanted, [getattr(item, name) for name in known], (kind, *known))


def _is_there(wanted: Q, values: Sequence[Any], shape: tuple[str, ...]) -> bool:
    """Tell whether an item is as wanted: `values` stand in it in this order, and `shape` is its form."""
    given = list(map(_as_parameter, values))
    statement = _statements.get(("item", shape), lambda: _items_as(wanted, given))
    return bool(statement.rows(*given))


def _items_as(wanted: Q, given: Sequence[Any]) -> Statement:
    return write(WorklistItem.objects.filter(wanted).order_by().values_list("pk")[:1], given=given)


def _as_parameter(value: Any) -> Any:
    return value if isinstance(value, str) else connection.ops.adapt_datefield_value(value)


def _is_pointed_out(item: WorklistItem) -> bool:
    found = item.patient_id_alphanumeric
    statement = _statements.get("point", lambda: _points_of(found))
    return bool(found) and bool(statement.rows(found))


def _points_of(found: Letters) -> Statement:
    open_points = Attention.objects.open().filter(kind__in=points.OF_ID).order_by().values_list("pk")
    return write(open_points.filter(item__patient_id_alphanumeric=found)[:1], given=[found])


def _is_any_taken(unsaved: Sequence[Unsaved]) -> bool:
    """Tell whether an item has one of the identifiers that were made."""
    for name in identifiers.PREFIXES:
        made = [getattr(each.item, name) for each in unsaved if name in each.made]
        if made and WorklistItem.objects.filter(**{f"{name}__in": made}).order_by().exists():
            return True
    return False


def _taken_steps(items: Collection[WorklistItem]) -> set[tuple[str, str]]:
    """Return the identifiers of steps that there are already, or that several of the items have."""
    uids = {item.study_instance_uid for item in items}
    stored = WorklistItem.objects.filter(study_instance_uid__in=uids).order_by()
    several = (step for step, count in Counter(map(_step_of, items)).items() if count > 1)
    return {*stored.values_list(*MADE_ONCE), *several}


def _doubtful_ids(items: list[WorklistItem]) -> set[Letters]:
    """Return the letters of IDs that name several people, or that are written in several ways."""
    named: dict[Letters, dict[tuple[Any, ...], WorklistItem]] = {}
    for item in [*items, *whose_id.of_like_ids(items)]:
        written = (item.patient_id, item.is_qa, *(getattr(item, each) for each in whose_id.PERSON_FIELDS))
        named.setdefault(letters(item), {}).setdefault(written, item)
    doubtful = {found for found, people in named.items() if _are_several(people.values())}
    pointed_out = Attention.objects.open().filter(kind__in=points.OF_ID)
    alike = Q(item__patient_id_alphanumeric__in={item.patient_id_alphanumeric for item in items} - {""})
    return doubtful | set(pointed_out.filter(alike).values_list("item__patient_id_alphanumeric", flat=True))


def _are_several(people: Iterable[WorklistItem]) -> bool:
    first, *others = people
    if any(other.patient_id != first.patient_id for other in others):
        return True
    known = [first, *others]
    return any(
        whose_id.differing(one, other) for place, one in enumerate(known) for other in known[place + 1 :]
    )


def _step_of(item: WorklistItem) -> tuple[str, str]:
    return item.study_instance_uid, item.scheduled_procedure_step_id
