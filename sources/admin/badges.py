"""The state of a source and the outcome of a pull are drawn as badges."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.translation import gettext as _

from sources.models import DataSource, RunOutcome, SourceState
from sources.sync import health


def state_badge(source: DataSource) -> str:
    if health.is_not_yet_enabled(source):
        return _badge("disabled", _("Not enabled yet"))
    if not source.enabled:
        return _badge("disabled", _("Disabled"))
    state: SourceState = source.state
    return _badge(state.state, state.get_state_display())


def outcome_badge(outcome: str) -> str:
    return _badge(outcome, str(RunOutcome(outcome).label) if outcome in RunOutcome.values else outcome)


def _badge(name: str, label: str) -> str:
    return format_html('<span class="status status-{}">{}</span>', name.lower(), label)
