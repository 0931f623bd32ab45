"""How sources fare, as badges."""

from __future__ import annotations

from django.utils.html import format_html

from sources.models import DataSource, Outcome, SourceState


def state_badge(source: DataSource) -> str:
    if not source.enabled:
        return _badge("disabled", "Disabled")
    state: SourceState = source.state
    return _badge(state.state, state.get_state_display())


def outcome_badge(outcome: str) -> str:
    return _badge(outcome, Outcome(outcome).label if outcome in Outcome.values else outcome)


def _badge(name: str, label: str) -> str:
    return format_html('<span class="status status-{}">{}</span>', name.lower(), label)
