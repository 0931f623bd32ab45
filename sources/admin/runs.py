"""This page lists what each pull did."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.badges import outcome_badge
from sources.admin.view_only import ViewOnlyAdmin
from sources.models import RunOutcome, SyncRun, Trigger


@admin.register(SyncRun)
class SyncRunAdmin(ViewOnlyAdmin):
    list_title = gettext_lazy("Pulls")
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
        (gettext_lazy("Records"), {"fields": ("records", "issues")}),
        (
            gettext_lazy("Items"),
            {"fields": (("created", "changed", "unchanged"), ("withdrawn", "restored", "kept"))},
        ),
        (gettext_lazy("Cost"), {"fields": ("requests", "memory")}),
    )

    @admin.display(description=gettext_lazy("started"), ordering="started_at")
    def started(self, run: SyncRun) -> str:
        return f"{timezone.localtime(run.started_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("outcome"), ordering="outcome")
    def badge(self, run: SyncRun) -> str:
        return outcome_badge(run.outcome)

    @admin.display(description=gettext_lazy("asked by"), ordering="actor")
    def asked_by(self, run: SyncRun) -> str:
        """Name the person.

        A pull that nobody asked for has its source as actor, which another column names.
        """
        return run.actor if run.trigger == Trigger.PERSON else run.get_trigger_display()

    @admin.display(description=gettext_lazy("reads"), ordering="is_full")
    def reads(self, run: SyncRun) -> str:
        return _("all") if run.is_full else _("changes")

    @admin.display(description=gettext_lazy("records"))
    def records(self, run: SyncRun) -> str:
        return progress(run)

    @admin.display(description=gettext_lazy("took"))
    def took(self, run: SyncRun) -> str:
        if run.duration is not None:
            return in_words(run.duration)
        return _("%(time)s so far") % {"time": in_words(timezone.now() - run.started_at)}

    @admin.display(description=gettext_lazy("memory"))
    def memory(self, run: SyncRun) -> str:
        return _("%(before)s before, %(after)s after") % {
            "before": _megabytes(run.memory_before_mb),
            "after": _megabytes(run.memory_after_mb),
        }


def progress(run: SyncRun) -> str:
    """Say how many records are read, of how many; the page draws it while the pull runs."""
    if run.records_total is None:
        return str(run.records_done) if run.records_done else "-"
    text = _("%(done)s of %(total)s") % {"done": run.records_done, "total": run.records_total}
    if run.outcome != RunOutcome.RUNNING:
        return text
    bar = '<progress max="{}" value="{}" aria-label="{}"></progress> {}'
    return format_html(bar, run.records_total, run.records_done, _("records read"), text)


def in_words(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": number_format(seconds, 1)}
    minutes, rest = divmod(round(seconds), 60)
    return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


def _megabytes(amount: float | None) -> str:
    if amount is None:
        return _("not measured")
    return _("%(amount)s MB") % {"amount": number_format(amount, 1)}
