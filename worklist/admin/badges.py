"""Badges say statuses and kinds in words, with a class for their colour."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import mark_safe

from worklist.models import AttentionKind, Status

LINE_BREAK = mark_safe("<br>")


def status_badge(status: str) -> str:
    """Return the badge of an item's status or a performed step's: terms that both have say the same."""
    label = Status(status).label if status in Status.values else status
    return format_html('<span class="status status-{}">{}</span>', status.lower(), label)


def kind_badge(kind: str) -> str:
    label = AttentionKind(kind).label if kind in AttentionKind.values else kind
    return format_html('<span class="status kind-{}">{}</span>', kind.lower(), label)
