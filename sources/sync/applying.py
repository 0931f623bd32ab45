"""Records are brought in: what was decided is decided again under lock, and done.

What only makes items is done for many records in one transaction, by a few statements; anything else record
by record, so that a scanner's report waits for no other record.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import Error, IntegrityError, transaction

from sources.contract import Problem, ReadRecord, SessionKey
from sources.models import DataSource, SyncedStep, SyncRun, Withdrawal
from sources.sync import issues, values
from sources.sync.deciding import (
    NOTHING_WITHHELD,
    Decided,
    SessionDecision,
    SyncAction,
    Withheld,
    decide_each,
)
from sources.sync.originals import Originals
from worklist.items import batches, identifiers, intake, lifecycle
from worklist.items.whose import Answer
from worklist.models import Status, WorklistItem, writing


class Applied(NamedTuple):
    """This is what became of a record: what was done about each session, or what kept it from being done."""

    read: ReadRecord
    decisions: Sequence[SessionDecision] = ()
    error: Exception | None = None


def apply(
    source: DataSource, decided: Sequence[Decided], run: SyncRun, *, withheld: Withheld = NOTHING_WITHHELD
) -> Iterator[Applied]:
    """Bring the items and issues of records up to date, and yield each record as it is done.

    What is withheld waits. A record that fails does not stop the others. Raises django.db.Error
    where the database itself fails.
    """
    unchanged: list[Applied] = []
    changed, new = list[Decided](), list[Decided]()
    for each in decided:
        if all(decision.writes_nothing for decision in each.decisions):
            unchanged.append(Applied(each.read, each.decisions))
        else:
            (new if _only_makes(each.decisions) else changed).append(each)
    issues.keep_issues(source, _problems(unchanged))
    yield from unchanged
    for each in changed:
        yield from _tried(source, [each], run, withheld)
    if new:
        yield from _tried(source, new, run, withheld)


def _only_makes(decisions: Sequence[SessionDecision]) -> bool:
    return all(decision.writes_nothing or decision.action is SyncAction.CREATE for decision in decisions)


def _tried(source: DataSource, decided: Sequence[Decided], run: SyncRun, withheld: Withheld) -> list[Applied]:
    """Bring the records in by one transaction, or where that fails, each by its own."""
    try:
        with transaction.atomic():
            return _carried_out(source, decided, run, withheld)
    except Exception as error:
        if isinstance(error, Error) and not isinstance(error, IntegrityError):
            raise
        if len(decided) == 1:
            return [Applied(decided[0].read, error=error)]
    return [done for each in decided for done in _tried(source, [each], run, withheld)]


def _carried_out(
    source: DataSource, decided: Sequence[Decided], run: SyncRun, withheld: Withheld
) -> list[Applied]:
    """Decide again under lock, and do it. Needs a transaction."""
    reads, said = [each.read for each in decided], {each.read.record: each.said for each in decided}
    _lock(source, [read.record for read in reads])
    decided = decide_each(source, reads, withheld=withheld, holds_ids=True, said=said)
    made = iter(_make(source, list(_to_make(decided)), run))
    done = [
        Applied(
            read,
            [
                next(made) if decision.action is SyncAction.CREATE else _carry_out(source, decision, run)
                for decision in decisions
            ],
        )
        for read, decisions, _said in decided
    ]
    issues.keep_issues(source, _problems(done))
    return done


def _lock(source: DataSource, records: Collection[str]) -> None:
    """Lock the records' synced steps, then their items, each by key: an examination that begins is seen."""
    synced_steps = SyncedStep.objects.select_for_update().filter(source=source, record__in=records)
    items = [synced.item_id for synced in synced_steps.order_by("pk") if synced.item_id]
    list(WorklistItem.objects.select_for_update().filter(pk__in=items).order_by("pk").values_list("pk"))


def _carry_out(source: DataSource, decision: SessionDecision, run: SyncRun) -> SessionDecision:
    """Return the decision, or the one that the worklist's refusal leaves."""
    if decision.writes_nothing:
        return decision
    try:
        with transaction.atomic():
            _ACTIONS[decision.action](source, decision, run)
    except ValidationError as error:
        return _refused(decision, _refusals(decision.key, error))
    except lifecycle.StatusRefused as refused:
        return _refused(
            decision, [Problem("performed_procedure_step_status", "", str(refused), decision.key)]
        )
    return decision


class _ToMake(NamedTuple):
    record: str
    decision: SessionDecision


def _to_make(decided: Iterable[Decided]) -> Iterator[_ToMake]:
    for read, decisions, _said in decided:
        for decision in decisions:
            if decision.action is SyncAction.CREATE:
                yield _ToMake(read.record, decision)


def _make(source: DataSource, wanted: Sequence[_ToMake], run: SyncRun) -> list[SessionDecision]:
    """Make the items and their steps; return the decisions, or what the worklist's refusals leave of them."""
    steps, decisions = list[SyncedStep](), list[SessionDecision]()
    for (record, decision), item in zip(wanted, _items(source, wanted), strict=True):
        if isinstance(item, ValidationError):
            decisions.append(_refused(decision, _refusals(decision.key, item)))
            continue
        decisions.append(decision)
        steps.append(
            SyncedStep(
                source=source,
                record=record,
                **decision.key._asdict(),
                occurrence=decision.occurrence,
                item=item,
                says=decision.says,
                written=decision.says,
                is_edited=bool(values.differing(item, decision.says)),  # as one from the original may be
                run=run,
            )
        )
    writing.insert_all(steps)
    return decisions


def _items(source: DataSource, wanted: Sequence[_ToMake]) -> list[WorklistItem | ValidationError]:
    """Return the items: made, or what came from the original and was examined; or why there is none."""
    sessions = [session_uuid(source, record, each.key, each.occurrence) for record, each in wanted]
    left = Originals([each.says["patient_id"] for _, each in wanted], sessions)
    found: list[WorklistItem | ValidationError | None] = [
        left.item_of(each.says, data_source=source.name, actor=source.actor) for _, each in wanted
    ]
    new = [
        batches.NewItem(_values_of_new(source, each.says, session, left), Answer(beside=each.beside))
        for (_, each), session, item in zip(wanted, sessions, found, strict=True)
        if item is None
    ]
    made = iter(batches.create_all(new, actor=source.actor))
    return [item or next(made) for item in found]


def make_item(synced: SyncedStep, *, actor: str, answer: Answer) -> WorklistItem:
    """Make the item of a step from what the source said last, unless it came from the original, examined."""
    source = synced.source
    session = session_uuid(source, synced.record, synced.key, synced.occurrence)
    left = Originals([synced.says["patient_id"]], [session])
    if examined := left.item_of(synced.says, data_source=source.name, actor=actor):
        return examined
    return intake.create(_values_of_new(source, synced.says, session, left), actor=actor, answer=answer)


def session_uuid(source: DataSource, record: str, key: SessionKey, occurrence: int) -> uuid.UUID:
    """Return what identifies a session, the same whenever it is asked."""
    again = (str(occurrence),) if occurrence > 1 else ()
    parts = (record, key.event, key.instrument, str(key.instance), *again)
    return uuid.uuid5(source.uid, "\x1f".join(parts))


def _values_of_new(
    source: DataSource, says: Mapping[str, Any], session: uuid.UUID, left: Originals
) -> dict[str, Any]:
    """Return what intake takes.

    The Study Instance UID follows from the session, or is the one that the original gave the appointment.
    """
    uid = left.uid_of(session, says) or identifiers.uid_from(session)
    made = {"data_source": source.name, "study_instance_uid": uid}
    return {**values.to_write(None, says), **made}


def _change(source: DataSource, decision: SessionDecision, run: SyncRun) -> None:
    synced, item = decision.synced, decision.item
    assert synced is not None and item is not None
    answer = Answer(beside=decision.beside)
    if decision.writes:
        intake.change(item, values.to_write(item, decision.writes), actor=source.actor, answer=answer)
    if decision.action is SyncAction.RESTORE and _is_cancelled_by(item, source.actor):
        reason = "It is at the source again."
        lifecycle.move(item, to=Status.SCHEDULED, actor=source.actor, reason=reason, answer=answer)
    _remember(synced, decision, run, withdrawal=Withdrawal.NONE, reason="")


def _keep(source: DataSource, decision: SessionDecision, run: SyncRun) -> None:
    synced = decision.synced
    assert synced is not None
    withdrawal = Withdrawal.NONE if decision.action is SyncAction.KEPT else synced.withdrawal
    _remember(synced, decision, run, withdrawal=withdrawal, reason=synced.reason)


def _withdraw(source: DataSource, decision: SessionDecision, run: SyncRun) -> None:
    """Note it only: `withdrawing` cancels when all that is gone is known."""
    assert decision.synced is not None
    _remember(decision.synced, decision, run, withdrawal=Withdrawal.PENDING, reason=decision.reason)


def _keep_as_it_is(source: DataSource, decision: SessionDecision, run: SyncRun) -> None:
    """Keep what was to be cancelled: it is there after all, though unreadable or held."""
    assert decision.synced is not None
    SyncedStep.objects.filter(pk=decision.synced.pk).update(withdrawal=Withdrawal.NONE, reason="", run=run)


_ACTIONS = {
    SyncAction.CHANGE: _change,
    SyncAction.RESTORE: _change,
    SyncAction.KEPT: _keep,
    SyncAction.UNCHANGED: _keep,
    SyncAction.WITHDRAW: _withdraw,
    SyncAction.UNCLEAR: _keep_as_it_is,
    SyncAction.HELD: _keep_as_it_is,
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


def _problems(done: Iterable[Applied]) -> dict[str, list[Problem]]:
    return {
        applied.read.record: [problem for decision in applied.decisions for problem in decision.problems]
        for applied in done
    }
