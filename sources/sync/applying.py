"""One record is brought in by one transaction: what was decided is decided again under lock, and done."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from sources.contract import Problem, ReadRecord, SessionKey
from sources.models import DataSource, SyncedStep, SyncRun, Withdrawal
from sources.sync import clashes, issues, values
from sources.sync.deciding import SessionDecision, SyncAction, decide
from sources.sync.originals import Originals
from worklist.items import identifiers, intake, lifecycle
from worklist.models import Status, WorklistItem


def apply(source: DataSource, read: ReadRecord, run: SyncRun) -> Counter[SyncAction]:
    """Bring the record's items and issues up to date; return how many sessions had each action."""
    decisions = decide(source, read)
    if all(decision.writes_nothing for decision in decisions):
        issues.keep_issues(source, read.record, _problems(decisions))
        return Counter(decision.action for decision in decisions)
    with transaction.atomic():
        _lock(source, read.record)
        decisions = [_carry_out(source, read.record, each, run) for each in decide(source, read)]
        issues.keep_issues(source, read.record, _problems(decisions))
    return Counter(decision.action for decision in decisions)


def _lock(source: DataSource, record: str) -> None:
    """Lock the record's synced steps, then its items, each by key: an examination that begins now is seen."""
    synced_steps = SyncedStep.objects.select_for_update().filter(source=source, record=record).order_by("pk")
    items = [synced.item_id for synced in synced_steps if synced.item_id]
    list(WorklistItem.objects.select_for_update().filter(pk__in=items).order_by("pk").values_list("pk"))


def _carry_out(source: DataSource, record: str, decision: SessionDecision, run: SyncRun) -> SessionDecision:
    """Return the decision, or the one that the worklist's refusal leaves."""
    if decision.writes_nothing:
        return decision
    try:
        with transaction.atomic():
            _ACTIONS[decision.action](source, record, decision, run)
    except ValidationError as error:
        return _refused(decision, _refusals(decision.key, error))
    except lifecycle.StatusRefused as refused:
        return _refused(
            decision, [Problem("performed_procedure_step_status", "", str(refused), decision.key)]
        )
    return decision


def _create(source: DataSource, record: str, decision: SessionDecision, run: SyncRun) -> None:
    item = make_item(source, record, decision.key, decision.writes, actor=source.actor)
    SyncedStep.objects.create(
        source=source,
        record=record,
        **decision.key._asdict(),
        item=item,
        says=decision.says,
        written=decision.says,
        run=run,
    )


def make_item(
    source: DataSource, record: str, key: SessionKey, says: Mapping[str, Any], *, actor: str
) -> WorklistItem:
    """Make the item, unless it came from the original and was examined.

    Its Study Instance UID follows from the session, or is the one that the original gave the appointment.
    """
    session = uuid.uuid5(source.uid, "\x1f".join((record, key.event, key.instrument, str(key.instance))))
    left = Originals([says["patient_id"]], [session])
    if examined := left.item_of(says, data_source=source.name, actor=actor):
        return examined
    made = {
        "data_source": source.name,
        "study_instance_uid": left.uid_of(session, says) or identifiers.uid_from(session),
    }
    answer = clashes.of_the_record(source, record)
    return intake.create({**values.to_write(None, says), **made}, actor=actor, answer=answer)


def _change(source: DataSource, record: str, decision: SessionDecision, run: SyncRun) -> None:
    synced, item = decision.synced, decision.item
    assert synced is not None and item is not None
    answer = clashes.of_the_record(source, record)
    if decision.writes:
        intake.change(item, values.to_write(item, decision.writes), actor=source.actor, answer=answer)
    if decision.action is SyncAction.RESTORE and _is_cancelled_by(item, source.actor):
        reason = "It is at the source again."
        lifecycle.move(item, to=Status.SCHEDULED, actor=source.actor, reason=reason, answer=answer)
    _remember(synced, decision, run, withdrawal=Withdrawal.NONE, reason="")


def _keep(source: DataSource, record: str, decision: SessionDecision, run: SyncRun) -> None:
    synced = decision.synced
    assert synced is not None
    withdrawal = Withdrawal.NONE if decision.action is SyncAction.KEPT else synced.withdrawal
    _remember(synced, decision, run, withdrawal=withdrawal, reason=synced.reason)


def _withdraw(source: DataSource, record: str, decision: SessionDecision, run: SyncRun) -> None:
    """Note it only: `withdrawing` cancels when all that is gone is known."""
    assert decision.synced is not None
    _remember(decision.synced, decision, run, withdrawal=Withdrawal.PENDING, reason=decision.reason)


def _keep_unclear(source: DataSource, record: str, decision: SessionDecision, run: SyncRun) -> None:
    """Keep what was to be cancelled: it is there after all, though it cannot be read."""
    assert decision.synced is not None
    SyncedStep.objects.filter(pk=decision.synced.pk).update(withdrawal=Withdrawal.NONE, reason="", run=run)


_ACTIONS = {
    SyncAction.CREATE: _create,
    SyncAction.CHANGE: _change,
    SyncAction.RESTORE: _change,
    SyncAction.KEPT: _keep,
    SyncAction.UNCHANGED: _keep,
    SyncAction.WITHDRAW: _withdraw,
    SyncAction.UNCLEAR: _keep_unclear,
}


def _remember(
    synced: SyncedStep, decision: SessionDecision, run: SyncRun, *, withdrawal: Withdrawal | str, reason: str
) -> None:
    synced.written = decision.written
    synced.says = dict(decision.says)
    synced.withdrawal, synced.reason, synced.run = withdrawal, reason, run
    synced.save()


def _is_cancelled_by(item: WorklistItem, actor: str) -> bool:
    """Tell whether that actor cancelled it; what a person cancelled stays so."""
    canceller = ""
    for record in item.history.all():  # the newest first
        if record.performed_procedure_step_status != Status.CANCELLED:
            break
        canceller = record.history_user_id or ""
    return canceller == actor


def _refused(decision: SessionDecision, problems: Iterable[Problem]) -> SessionDecision:
    return SessionDecision(
        decision.key, SyncAction.UNCLEAR, decision.synced, problems=(*decision.problems, *problems)
    )


def _refusals(key: SessionKey, error: ValidationError) -> Iterator[Problem]:
    """Yield the worklist's refusals, by field where it named one."""
    if not hasattr(error, "error_dict"):
        yield Problem("", "", values.text_of(error), key, blocks=True)
        return
    for name, errors in error.error_dict.items():
        target = "" if name == NON_FIELD_ERRORS else name
        text = " ".join(dict.fromkeys(values.text_of(each) for each in errors))
        yield Problem(target, "", text, key, blocks=True)


def _problems(decisions: Iterable[SessionDecision]) -> list[Problem]:
    return [problem for decision in decisions for problem in decision.problems]
