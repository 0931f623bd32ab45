"""What is due is read first, and only what differs is sent; then it is read again.

So a write whose answer was lost is found to be there, and a restart in between costs nothing. What is about
to be sent is noted before, by its digest: whether it arrived or not, it is known to be ours.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from sources.contract import HeldSession, SessionKey, Writer
from sources.errors import SourceError, TransientError, WriteRefused
from sources.kinds import can_write, with_details, writer_for
from sources.models import DataSource, Hindrance, OutcomeWrite, WriteIssue, WriteProgress
from sources.models.write_back import key_of, outgoing_rules
from sources.outgoing.deciding import FieldVerdict
from sources.outgoing.facts import ScanOutcome
from sources.write_back import outcomes, planning, state
from sources.write_back.digests import SentValues
from sources.write_back.planning import SessionPlan

log = logging.getLogger(__name__)

AT_ONCE = 50  # sessions that are read together
MOST = 1000  # in one go; the next look takes the rest
SECONDS = 20.0  # for one go: pulls wait behind it
READ_AGAIN_AFTER = 5.0  # seconds for which what was read is taken to be so still
FIRST_LOOK_AGAIN, LAST_LOOK_AGAIN = timedelta(minutes=15), timedelta(hours=6)
Read = Mapping[tuple[str, SessionKey], HeldSession]
Issues = dict[tuple[str, str], tuple[str, str]]  # (field, kind): theirs, ours


def write_due(source_pk: int, *, progress: Callable[[], None] | None = None) -> int:
    """Write what is due of a source, and return how many outcomes were looked at. No error leaves it."""
    claim = state.claim(source_pk)
    if not claim:
        return 0
    source = DataSource.objects.select_related(*with_details()).get(pk=source_pk)
    run = _Run(source, claim, progress or (lambda: None))
    try:
        if source.enabled and source.writes_back and can_write(source.kind):
            run.go()
            state.went_well(source_pk)
    except SourceError as error:
        state.failed(source_pk, error, something_was_done=run.done > 0)
        log.warning("Writing back to %s waits: %s", source.name, error)
    except state.WriteClaimLost:
        log.warning("Writing back to %s goes on in another worker.", source.name)
    finally:
        state.release(source_pk, claim)
    return run.done


class _Run:
    """It is one go at what is due of one source."""

    def __init__(self, source: DataSource, claim: str, progress: Callable[[], None]) -> None:
        self.source, self.claim, self.progress = source, claim, progress
        self.rules = outgoing_rules(source)
        self.done = 0
        self.ends_at = time.monotonic() + SECONDS

    def go(self) -> None:
        due = OutcomeWrite.objects.filter(state.due_writes(self.source.pk)).order_by("due_at", "pk")
        pks = list(due.values_list("pk", flat=True)[:MOST])
        if not pks:
            return
        with writer_for(self.source) as writer:
            writer.alive = self._alive
            writer.prepare()
            for start in range(0, len(pks), AT_ONCE):
                if self._is_over():
                    break
                self._batch(writer, pks[start : start + AT_ONCE])

    def _is_over(self) -> bool:
        return self.done > 0 and time.monotonic() >= self.ends_at

    def _alive(self) -> None:
        state.renew(self.source.pk, self.claim)
        self.progress()

    def _batch(self, writer: Writer, pks: Sequence[int]) -> None:
        left = pks
        while left and not self._is_over():
            left = self._by_one_reading(writer, left)

    def _by_one_reading(self, writer: Writer, pks: Sequence[int]) -> Sequence[int]:
        """Do as many as are judged by what was just read, and return those that must be read anew.

        Else whoever fills a field, or erases somebody, while others are sent would not be seen.
        """
        writes = self._wanted(pks)
        told = outcomes.of_items([_item(write) for write in writes])
        read_at = time.monotonic()
        plans = self._plans(writer, writes, told)
        refused: dict[int, WriteRefused] = {}
        sent: list[OutcomeWrite] = []
        left: list[int] = []
        for place, write in enumerate(writes):
            values = plans[write.pk].to_write()
            if values and sent and time.monotonic() - read_at > READ_AGAIN_AFTER:
                left = [each.pk for each in writes[place:]]
                break
            if values:
                sent.append(write)
                error = self._send(writer, write, values)
                if error is not None:
                    refused[write.pk] = error
            else:
                _settle(write, plans[write.pk], None)
                self.done += 1
        again = self._plans(writer, sent, told)
        for write in sent:
            _settle(write, again[write.pk], refused.get(write.pk))
            self.done += 1
        return left

    def _wanted(self, pks: Sequence[int]) -> list[OutcomeWrite]:
        """Return the outcomes as they are now; those of nobody are forgotten."""
        found = OutcomeWrite.objects.filter(pk__in=pks).select_related("step__item").order_by("due_at", "pk")
        writes = list(found)
        nobodys = [write.pk for write in writes if not planning.may_be_written(write.step)]
        OutcomeWrite.objects.filter(pk__in=nobodys).delete()
        return [write for write in writes if write.pk not in nobodys]

    def _plans(
        self, writer: Writer, writes: Sequence[OutcomeWrite], told: Mapping[int, ScanOutcome]
    ) -> dict[int, SessionPlan]:
        read = read_sessions(writer, writes)
        dictionary = writer.dictionary()
        return {
            write.pk: planning.plan(
                write,
                told[_item(write).pk],
                read.get((write.step.record, key_of(write))),
                self.rules,
                dictionary,
            )
            for write in writes
        }

    def _send(self, writer: Writer, write: OutcomeWrite, values: Mapping[str, str]) -> WriteRefused | None:
        """Send what differs, once it is noted; where the server fails, the others come first next time."""
        self._alive()
        _note(write, values)
        try:
            writer.write(write.step.record, key_of(write), values)
        except WriteRefused as error:
            return error
        except TransientError:
            attempts = write.attempts + 1
            later = timezone.now() + state.pause(attempts)
            unchanged = OutcomeWrite.objects.filter(pk=write.pk, change=write.change)
            unchanged.update(attempts=attempts, due_at=later)
            raise
        return None


def read_sessions(writer: Writer, writes: Sequence[OutcomeWrite]) -> Read:
    """Return what the sessions of these outcomes hold now."""
    records = list(dict.fromkeys(write.step.record for write in writes))
    return {
        (record, key): session
        for record, found in (writer.read(records) if records else ())
        for key, session in found.items()
    }


def _item(write: OutcomeWrite) -> Any:
    return write.step.item


def _note(write: OutcomeWrite, values: Mapping[str, str]) -> None:
    """Keep what is about to be sent, for it may arrive although its answer is lost."""
    sent = SentValues(write, write.sent)
    for field, value in values.items():
        sent.with_value(field, value)
    write.sent = sent.as_json()
    OutcomeWrite.objects.filter(pk=write.pk).update(sent=write.sent)


def _settle(write: OutcomeWrite, plan: SessionPlan, refused: WriteRefused | None) -> None:
    """Keep how a session came out; where its outcome changed meanwhile, it stays due."""
    issues = _issues(plan, refused)
    sent = SentValues(write, write.sent)
    agreed = [each for each in plan.fields if each.verdict is FieldVerdict.AGREES]
    for each in agreed:
        if sent.has(each.rule.field, each.due):
            sent.only(each.rule.field, each.due)
    replaceable = SentValues(write, write.replaceable).as_json(but=[each.rule.field for each in agreed])
    with transaction.atomic():
        OutcomeWrite.objects.filter(pk=write.pk).update(sent=sent.as_json())
        unchanged = OutcomeWrite.objects.filter(pk=write.pk, change=write.change)
        now = timezone.now()
        attempts = write.attempts + 1 if issues else 0
        if unchanged.update(
            state=WriteProgress.HELD if issues else WriteProgress.DONE,
            attempts=attempts,
            due_at=now + _look_again_after(attempts),
            replaceable=replaceable,
            agreed_at=write.agreed_at if issues else now,
        ):
            keep_issues(write, issues)


def _issues(plan: SessionPlan, refused: WriteRefused | None) -> Issues:
    if plan.hindrance is not None:
        return {("", plan.hindrance): ("", "")}
    of_field = {each.rule.field: each for each in plan.fields}
    issues: Issues = {}
    for each in plan.fields:
        if each.verdict is FieldVerdict.DIFFERS:
            issues[each.rule.field, Hindrance.DIFFERS] = (each.held, each.due)
        elif each.verdict is FieldVerdict.OUTDATED:
            issues[each.rule.field, Hindrance.OUTDATED] = (each.held, "")
        elif each.verdict is FieldVerdict.WRITE and refused is None:
            issues[each.rule.field, Hindrance.NOT_STORED] = (each.held, each.due)
    for field, why in refused.reasons if refused else ():
        there = of_field.get(field)
        issues[field if there else "", why] = (there.held, there.due) if there else ("", "")
    return issues


def keep_issues(write: OutcomeWrite, wanted: Issues) -> None:
    """Let the open issues of an outcome be these, and no others."""
    now = timezone.now()
    for issue in WriteIssue.objects.filter(write=write, closed_at=None):
        values = wanted.pop((issue.field, issue.kind), None)
        if values is None:
            WriteIssue.objects.filter(pk=issue.pk).update(closed_at=now, theirs="", ours="")
        elif values != (issue.theirs, issue.ours):
            WriteIssue.objects.filter(pk=issue.pk).update(theirs=values[0], ours=values[1])
    rows: Iterable[WriteIssue] = (
        WriteIssue(write=write, field=field, kind=kind, theirs=theirs, ours=ours)
        for (field, kind), (theirs, ours) in wanted.items()
    )
    WriteIssue.objects.bulk_create(rows, ignore_conflicts=True)


def _look_again_after(attempts: int) -> timedelta:
    wait: timedelta = FIRST_LOOK_AGAIN * 2 ** min(max(attempts - 1, 0), 8)
    return min(LAST_LOOK_AGAIN, wait)
