"""What is written back is looked at on a page, and asked for anew by a button."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit.pages import show
from sources import tasks
from sources.admin.buttons import page, refused, to_page
from sources.admin.links import Links, session_in_words
from sources.errors import SourceError
from sources.models import DataSource, OutcomeWrite, WriteProgress, WriteState
from sources.models.write_back import FACTS
from sources.outgoing.deciding import FieldVerdict
from sources.sync import outbox
from sources.write_back import preview, state

OFF = gettext_lazy("The source does not write outcomes back: tick that first, and save it.")
WORDS = {
    FieldVerdict.WRITE: gettext_lazy("to write"),
    FieldVerdict.AGREES: gettext_lazy("already there"),
    FieldVerdict.DIFFERS: gettext_lazy("differs, and stays"),
    FieldVerdict.OUTDATED: gettext_lazy("true no longer"),
}


class ShownField(NamedTuple):
    name: str
    fact: Any
    held: str
    due: str
    word: Any
    kind: str


class ShownWrite(NamedTuple):
    step: Any
    where: str
    link: str
    hindrance: Any
    fields: list[ShownField]


def written(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show what would be written of each session, beside what its fields hold now."""
    if not source.write_rules.exists():
        return refused(request, source, _("No row says what is written back."))
    try:
        found = preview.preview(source)
    except SourceError as error:
        return refused(request, source, error)
    links = Links()
    sessions = [_shown(source, links, each) for each in found.sessions]
    show(request, [each.step.item_id for each in sessions])
    title = _("What would be written to %(source)s") % {"source": source}
    return page(model_admin, request, source, "written", title, sessions=sessions, more=found.more)


def _shown(source: DataSource, links: Links, each: preview.PlannedWrite) -> ShownWrite:
    step, plan = each.step, each.plan
    fields = [
        ShownField(
            field.rule.field,
            FACTS[field.rule.fact],
            field.held,
            field.due,
            WORDS[field.verdict],
            field.verdict.value,
        )
        for field in plan.fields
        if field.verdict in WORDS
    ]
    hindrance = plan.hindrance.label if plan.hindrance else ""
    link = links.url(source, step.record, step.key)
    return ShownWrite(step, session_in_words(step.key), link, hindrance, fields)


def write_again(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Have everything compared and written again, such as after the rows have changed."""
    if not (source.enabled and source.writes_back):
        return refused(request, source, OFF)
    count = outbox.ask_for_all(source.pk)
    state.try_now(source.pk)
    model_admin.log_change(request, source, "Asked for all outcomes to be written again.")
    tasks.look_now()
    done = ngettext(
        "%(count)s outcome is compared and written in a moment.",
        "%(count)s outcomes are compared and written in a moment.",
        count,
    )
    messages.success(request, done % {"count": count})
    return to_page(source)


def writing_of(source: DataSource) -> dict[str, Any]:
    """Return what the source's page tells of writing back."""
    if not source.writes_back and not source.write_rules.exists():
        return {"writing": None}
    counts = dict(
        OutcomeWrite.objects.filter(step__source=source)
        .order_by()
        .values_list("state")
        .annotate(number=Count("pk"))
    )
    own = WriteState.objects.filter(source=source).first()
    numbers = [(each, each.label, counts[each]) for each in WriteProgress if counts.get(each)]
    return {"writing": {"numbers": numbers, "state": own}}
