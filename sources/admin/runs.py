"""This page lists what each pull did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from sources.admin.badges import outcome_badge
from sources.admin.view_only import ViewOnlyAdmin
from sources.models import RunOutcome, SyncRun, Trigger


@admin.register(SyncRun)
class SyncRunAdmin(ViewOnlyAdmin):
    list_display = (
        "started",
        "source",
        "badge",
        "asked_by",
        "reads",
        "records",
        "created",
        "changed",
        "withdrawn",
        "kept",
        "issues",
        "requests",
        "took",
    )
    list_filter = (
        ("source", admin.RelatedOnlyFieldListFilter),
        ("outcome", admin.ChoicesFieldListFilter),
    )
    list_select_related = ("source",)
    date_hierarchy = "started_at"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("source", "badge"),
                    "message",
                    ("asked_by", "reads"),
                    ("started_at", "ended_at", "took"),
                )
            },
        ),
        ("Records", {"fields": ("records", "issues")}),
        (
            "Items",
            {"fields": (("created", "changed", "unchanged"), ("withdrawn", "restored", "kept"))},
        ),
        ("Cost", {"fields": ("requests", "memory")}),
    )

    @admin.display(description="started", ordering="started_at")
    def started(self, run: SyncRun) -> str:
        return f"{timezone.localtime(run.started_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="outcome", ordering="outcome")
    def badge(self, run: SyncRun) -> str:
        return outcome_badge(run.outcome)

    @admin.display(description="asked by", ordering="actor")
    def asked_by(self, run: SyncRun) -> str:
        """Name the person.

        A pull that nobody asked for has its source as actor, which another column names.
        """
        return run.actor if run.trigger == Trigger.PERSON else run.get_trigger_display()

    @admin.display(description="reads", ordering="is_full")
    def reads(self, run: SyncRun) -> str:
        return "all" if run.is_full else "changes"

    @admin.display(description="records")
    def records(self, run: SyncRun) -> str:
        return progress(run)

    @admin.display(description="took")
    def took(self, run: SyncRun) -> str:
        return in_words(run.duration) if run.duration is not None else f"{timesince(run.started_at)} so far"

    @admin.display(description="memory")
    def memory(self, run: SyncRun) -> str:
        return f"{_megabytes(run.memory_before_mb)} before, {_megabytes(run.memory_after_mb)} after"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Pulls", **(extra_context or {})})


def progress(run: SyncRun) -> str:
    """Say how many records are read, of how many; the page draws it while the pull runs."""
    if run.records_total is None:
        return str(run.records_done) if run.records_done else "-"
    text = f"{run.records_done} of {run.records_total}"
    if run.outcome != RunOutcome.RUNNING:
        return text
    bar = '<progress max="{}" value="{}" aria-label="records read"></progress> {}'
    return format_html(bar, run.records_total, run.records_done, text)


def in_words(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _megabytes(amount: float | None) -> str:
    return "not measured" if amount is None else f"{amount:.1f} MB"
