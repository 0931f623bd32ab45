"""A source is set up in six steps, and its page says which are done, which is next, and why others wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sources.admin import looked
from sources.admin.kinds.page import page_of
from sources.models import DataSource, SourceState, State
from sources.sync import health


class StepProgress(StrEnum):
    DONE = "done"
    NEXT = "next"
    OPEN = "open"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class SetupStep:
    """`button` names the button of the source's page that takes the step, `label` what stands on it."""

    title: str
    progress: StepProgress
    words: str
    button: str = ""
    label: str = ""


def steps_of(source: DataSource, may: Callable[[str], bool]) -> list[SetupStep]:
    """Return the steps in their order; a button is there for who may press it, where it can do something."""
    steps = [
        replace(step, button=step.button if _is_pressed(source, step) and may(step.button) else "")
        for step in _steps(source)
    ]
    return steps if source.enabled else _with_the_next(steps)


def _is_pressed(source: DataSource, step: SetupStep) -> bool:
    """Tell whether the step has a button; preview and compare of a running source stand beside its state."""
    is_elsewhere = source.enabled and step.button not in ("check", "suggest")
    return step.progress is not StepProgress.BLOCKED and bool(step.button) and not is_elsewhere


def _with_the_next(steps: list[SetupStep]) -> list[SetupStep]:
    """Mark the first step that can be taken."""
    open_ones = [step for step in steps if step.progress is StepProgress.OPEN]
    first = open_ones[0] if open_ones else None
    return [_as_next(step) if step is first else step for step in steps]


def _as_next(step: SetupStep) -> SetupStep:
    return replace(step, progress=StepProgress.NEXT, words=_("next"))


def _steps(source: DataSource) -> Iterator[SetupStep]:
    state: SourceState = source.state
    is_pulled = source.enabled and state.state in (State.OK, State.HELD)
    rows = source.rules.count()
    page = page_of(source.kind)
    connected = page.connected(source)
    not_yet = connected.why_not
    no_mapping = "" if rows else _("cannot yet: it has no mapping")
    previewed = looked.when(source, looked.PREVIEW)
    no_preview = "" if previewed else _("cannot yet: first a good preview of the source as it is now")

    progress = StepProgress.DONE if connected.is_connected else StepProgress.OPEN
    yield SetupStep(_("Connect"), progress, connected.words, connected.button, connected.label)
    tested = looked.when(source, looked.CHECK) or (state.last_success_at if is_pulled else None)
    yield _step(_("Test"), tested, not_yet, "check", _("Test connection"))
    mapped = ngettext("done: %(count)s row", "done: %(count)s rows", rows) % {"count": rows} if rows else ""
    yield _step(_("Map"), mapped, not_yet, *page.mapping_button(source))
    yield _step(_("Preview"), previewed, no_mapping, "preview", _("Preview"))
    yield _step(_("Compare"), looked.when(source, looked.COMPARE), no_mapping, "compare", _("Compare"))
    enabled = _("done") if source.enabled else ""
    yield _step(_("Enable"), enabled, no_preview, "enable", _("Enable and pull"))


def _step(title: str, done: str | datetime | None, blocked: str, button: str, label: str) -> SetupStep:
    if isinstance(done, datetime):
        done = _("done %(ago)s") % {"ago": health.ago(done)}
    progress = StepProgress.DONE if done else StepProgress.BLOCKED if blocked else StepProgress.OPEN
    return SetupStep(title, progress, done or blocked or _("not yet"), button, label)
