"""What a person decides of an outcome that needs one."""

from __future__ import annotations

from sources.models import Hindrance, OutcomeWrite, WriteIssue, WriteProgress
from sources.write_back import sending
from sources.write_back.digests import SentValues


def write_ours(issue: WriteIssue) -> bool:
    """Let the value that the person has seen be overwritten, and no other; tell whether it was still so."""
    if issue.closed_at is not None or issue.kind != Hindrance.DIFFERS:
        return False
    write = issue.write
    replaceable = SentValues(write, write.replaceable)
    replaceable.only(issue.field, issue.theirs)
    OutcomeWrite.objects.filter(pk=write.pk).update(replaceable=replaceable.as_json())
    OutcomeWrite.ask(write.step_id)
    return True


def leave(write: OutcomeWrite) -> None:
    """Leave the session as it is at the source, until another outcome comes."""
    held = OutcomeWrite.objects.filter(pk=write.pk, state=WriteProgress.HELD, change=write.change)
    if held.update(state=WriteProgress.LEFT):
        sending.keep_issues(write, {})
