"""A participant is made nobody: what was done stays, and who it was goes from every row of the worklist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from worklist.items import whose
from worklist.items.identifiers import PREFIXES
from worklist.models import Attention, ConfirmedPerson, PerformedStatus, PerformedStep, Status, WorklistItem
from worklist.privacy import asked, items, mentions, steps
from worklist.privacy.people import ParticipantRows
from worklist.privacy.pseudonyms import NAME, Pseudonyms
from worklist.privacy.traces import Traces

IS_RUNNING = _("An examination of this participant runs: wait for its end, or close its performed step.")
POINT_TAKEN = "The participant was erased."


class EraseRefused(Exception):
    """Nothing was erased; the text says why, for people, and names nobody."""


@dataclass(frozen=True)
class Hold:
    """These rows are locked until the transaction ends."""

    items: Collection[WorklistItem]
    steps: Collection[PerformedStep]


def traces_of(participant: ParticipantRows) -> Traces:
    """Return all that says who the participant is, as far as the worklist knows."""
    traces = Traces()
    traces.note(ids=participant.patient_ids, names=participant.names, birth_dates=participant.birth_dates)
    items.note_traces(traces, participant.items, participant.item_history)
    steps.note_traces(traces, participant.steps, participant.step_history)
    traces.names.discard(NAME)
    traces.forget(_ids_of_others(participant, traces.ids - participant.patient_ids))
    return traces


def _ids_of_others(participant: ParticipantRows, ids: Collection[str]) -> set[str]:
    """Return those of the IDs that find others, too: a site may name a procedure by its protocol."""
    others = WorklistItem.objects.exclude(pk__in=participant.items).order_by()
    steps_of_others = PerformedStep.objects.exclude(pk__in=participant.steps).order_by()
    places = [*((others, field) for field in PREFIXES), (steps_of_others, "performed_procedure_step_id")]
    return {
        value
        for rows, field in places
        for value in rows.filter(**{f"{field}__in": ids}).values_list(field, flat=True).distinct()
    }


def hold(participant: ParticipantRows) -> Hold:
    """Lock the participant's rows: steps before items, as whoever reports does. Needs a transaction.

    Raises EraseRefused while an examination of theirs runs.
    """
    whose.hold(participant.patient_ids)
    locked_steps = PerformedStep.objects.select_for_update(no_key=True).filter(pk__in=participant.steps)
    found_steps = list(locked_steps.order_by("pk"))
    locked_items = WorklistItem.objects.select_for_update(no_key=True).filter(pk__in=participant.items)
    found_items = list(locked_items.order_by("pk"))
    is_running = any(step.status == PerformedStatus.IN_PROGRESS for step in found_steps)
    if is_running or any(item.performed_procedure_step_status == Status.IN_PROGRESS for item in found_items):
        raise EraseRefused(str(IS_RUNNING))
    return Hold(found_items, found_steps)


def erase(
    participant: ParticipantRows, held: Hold, traces: Traces, pseudonyms: Pseudonyms, *, actor: str
) -> Counter[str]:
    """Erase the participant from the worklist, and return how many rows of each table were changed.

    Needs a transaction that holds the rows. What other rooms keep is theirs to erase.
    """
    now = timezone.now()
    points = _erase_points(participant, actor=actor, now=now)
    step_history = steps.erase_steps(held.steps, pseudonyms, traces, actor=actor, now=now)
    item_history = items.erase_items(held.items, pseudonyms, traces, actor=actor, now=now)
    item_history += items.erase_former(participant.item_history, pseudonyms, traces)
    step_history += steps.erase_former(participant.step_history, pseudonyms, traces)
    confirmed, _models = ConfirmedPerson.objects.filter(pk__in=participant.confirmed).delete()
    queries = asked.erase_asked(traces, pseudonyms.uids)
    return Counter(
        {
            "worklist items": len(held.items),
            "history of worklist items": item_history,
            "performed steps": len(held.steps),
            "history of performed steps": step_history,
            "points of attention": points,
            "confirmed people": confirmed,
            "contacts with scanners": queries,
            mentions.MENTIONS: mentions.erase_mentions(traces),
        }
    )


def _erase_points(participant: ParticipantRows, *, actor: str, now: datetime) -> int:
    """Take what the participant's points say, and resolve what is open: nobody can look into it any more."""
    own = Attention.objects.filter(Q(item__in=participant.items) | Q(step__in=participant.steps))
    own.open().update(resolved_at=now, resolved_by=actor)
    return own.update(text=POINT_TAKEN, note="", weight_kg=None, study_instance_uid="")
