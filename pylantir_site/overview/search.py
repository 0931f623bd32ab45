"""One search finds what a text may mean, by kind: items, examinations, points, records, sources, devices.

Each kind has the permission of its list. All of them together ask the database a constant number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from pylantir_site import elapsed
from sources.models import DataSource, SyncedStep, SyncIssue
from worklist.dicom import folding
from worklist.models import (
    Attention,
    Device,
    ItemSearchWord,
    PerformedStep,
    PerformedStepItem,
    StepSearchWord,
    WorklistItem,
)
from worklist.models.attention import NAMES_A_STUDY
from worklist.models.search_words import SearchWords, first_owners, has_all_itself

MOST = 8  # hits of a kind
MOST_COUNTED = 200
MOST_ACCOUNTS = 1000  # that are looked at: their names are folded here, not in the database

Text = str | Promise


class Pill(NamedTuple):
    """This is a status in words, with the class that colours it."""

    css_class: str
    words: Text


class Hit(NamedTuple):
    """This is one thing that was found, with what distinguishes it from others of its name."""

    url: str
    title: str
    facts: Sequence[str] = ()
    pill: Pill | None = None


class Hits(NamedTuple):
    found: Sequence[Hit]
    total: int


class KindOfHit(NamedTuple):
    """`searched_list` names the model of a list that can be searched for the same; `all_of` leads there."""

    label: Text
    permission: str
    find: Callable[[str], Hits]
    searched_list: str = ""
    all_of: Text = ""


class FoundKind(NamedTuple):
    label: Text
    hits: Sequence[Hit]
    searched_list: str
    all_of: str  # "" where all are shown


class SearchResult(NamedTuple):
    text: str
    kinds: Sequence[FoundKind]
    looked_through: Sequence[Text]

    @property
    def total(self) -> int:
        return sum(len(kind.hits) for kind in self.kinds)

    @property
    def item_keys(self) -> list[int]:
        """Return the keys of the items that hits lead to, whatever kind they are of."""
        page = re.compile(re.escape(reverse("admin:worklist_worklistitem_changelist")) + r"(\d+)/")
        found = (page.match(hit.url) for kind in self.kinds for hit in kind.hits)
        return sorted({int(each[1]) for each in found if each})


def search(text: str, user: User | AnonymousUser) -> SearchResult:
    """Return what the user may see of what the text finds."""
    allowed = [kind for kind in KINDS if user.has_perm(kind.permission)]
    found = [_shown(kind, kind.find(text)) for kind in allowed] if folding.sought(text) else []
    return SearchResult(text, [each for each in found if each.hits], [kind.label for kind in allowed])


def _shown(kind: KindOfHit, hits: Hits) -> FoundKind:
    more = hits.total > len(hits.found) and kind.searched_list
    count = f"{MOST_COUNTED}+" if hits.total > MOST_COUNTED else str(hits.total)
    return FoundKind(
        kind.label, hits.found, kind.searched_list, str(kind.all_of) % {"count": count} if more else ""
    )


def _items(text: str) -> Hits:
    """Find items: those of today and to come in their order, then what has passed, the newest first."""
    same_study = WorklistItem.objects.filter(study_instance_uid=text).values_list("pk", flat=True)
    found, total = _found(WorklistItem.objects.all(), ItemSearchWord, text, same_study)
    today = timezone.localdate()
    coming = found.filter(scheduled_start_date__gte=today)
    past = found.filter(scheduled_start_date__lt=today)
    first = coming.order_by("scheduled_start_date", "scheduled_start_time", "pk")[:MOST]
    then = past.order_by("-scheduled_start_date", "-scheduled_start_time", "-pk")[:MOST]
    return Hits([_item(each) for each in [*first, *then][:MOST]], total)


def _item(item: WorklistItem) -> Hit:
    station = ", ".join(item.stations) or _("no scanner")
    facts = (item.patient_id, _moment(item.scheduled_start_date, item.scheduled_start_time), station)
    status = item.performed_procedure_step_status
    pill = Pill(f"status-{status.lower()}", item.get_performed_procedure_step_status_display())
    return Hit(_page(item), item.readable_patient_name, facts, pill)


def _moment(day: Any, time: Any) -> str:
    """Return day and time in words; midnight stands for a time that is not known."""
    written = [date_format(day, _("D j M Y"))] if day else []
    return ", ".join([*written, time_format(time, "H:i")] if time else written)


def _examinations(text: str) -> Hits:
    steps = PerformedStep.objects.order_by()
    by_number = steps.filter(study_instance_uid=text).values_list("pk", flat=True)
    by_accession = PerformedStepItem.objects.filter(item__accession_number=text)
    by_number = by_number.union(
        steps.filter(sop_instance_uid=text).values_list("pk", flat=True),
        by_accession.order_by().values_list("step_id", flat=True),
    )
    found, total = _found(PerformedStep.objects.defer("dataset"), StepSearchWord, text, by_number)
    return Hits([_examination(each) for each in found.order_by("-pk")[:MOST]], total)


def _examination(step: PerformedStep) -> Hit:
    moment = _moment(step.start_date, step.start_time)
    facts = tuple(filter(None, (step.patient_id, moment, step.performed_station_ae_title)))
    pill = Pill(f"status-{step.status.lower()}", step.get_status_display())
    return Hit(_page(step), step.readable_patient_name or _("Nobody named"), facts, pill)


def _points(text: str) -> Hits:
    of_items = has_all_itself(ItemSearchWord, text, "item_id") | Q(item__study_instance_uid=text)
    of_steps = has_all_itself(StepSearchWord, text, "step_id") | Q(step__study_instance_uid=text)
    of_studies = NAMES_A_STUDY & Q(study_instance_uid=text)
    found = Attention.objects.open().filter(of_items | of_steps | of_studies)
    worst = found.select_related("item", "step").defer("step__dataset").worst_first()[:MOST]
    return _hits(found, [_point(each) for each in worst])


def _point(point: Attention) -> Hit:
    about = point.item or point.step
    since = _("for %(time)s") % {"time": elapsed.lasting(point.opened_at)}
    title = (about.readable_patient_name if about else "") or _("Nobody named")
    pill = Pill(f"kind-{point.kind.lower()}", point.get_kind_display())
    return Hit(_page(point), title, (about.patient_id if about else "", since), pill)


def _records(text: str) -> Hits:
    steps = SyncedStep.objects.filter(source__in=_every_source(), record__in=_record_ids(text))
    found = steps.select_related("item", "source").defer("says", "written")
    newest = found.order_by("-item__scheduled_start_date", "-pk")[:MOST]
    return _hits(steps, [_record(each) for each in newest])


def _record(synced: SyncedStep) -> Hit:
    title = _("Record %(record)s at %(source)s") % {"record": synced.record, "source": synced.source.name}
    if synced.item is None:
        page = reverse("admin:sources_datasource_change", args=[synced.source_id])
        return Hit(page, title, (_("without an item in the worklist"),))
    item = _item(synced.item)
    return Hit(item.url, title, (item.title, *item.facts), item.pill)


def _issues(text: str) -> Hits:
    found = SyncIssue.objects.open().filter(source__in=_every_source(), record__in=_record_ids(text))
    newest = found.select_related("source").order_by("-blocks", "-opened_at", "-pk")[:MOST]
    return _hits(found, [_issue(each) for each in newest])


def _issue(issue: SyncIssue) -> Hit:
    title = _("Record %(record)s at %(source)s") % {"record": issue.record, "source": issue.source.name}
    return Hit(_page(issue), title, tuple(filter(None, (issue.field or issue.target, issue.text))))


def _record_ids(text: str) -> set[str]:
    """Return the record IDs that may be meant: REDCap's have no other spellings than of case."""
    return {text, text.upper(), text.lower()}


def _every_source() -> QuerySet[DataSource, int]:
    """Return the keys of all sources, with which the index of records begins."""
    return DataSource.objects.order_by().values_list("pk", flat=True)


def _sources(text: str) -> Hits:
    hits = (
        Hit(_page(each), each.name, (_("enabled") if each.enabled else _("not enabled"),))
        for each in DataSource.objects.order_by("name").only("name", "enabled")
        if folding.is_found(text, names=[], ids=[each.name])
    )
    return _first(hits)


def _devices(text: str) -> Hits:
    hits = (
        Hit(_page(each), each.ae_title, tuple(filter(None, (each.name, each.vendor, each.model))))
        for each in Device.objects.order_by("ae_title")
        if folding.is_found(text, names=[each.name, each.vendor, each.model], ids=[each.ae_title])
    )
    return _first(hits)


def _accounts(text: str) -> Hits:
    hits = (
        Hit(_page(each), each.username, tuple(filter(None, (each.full_name, each.get_role_display()))))
        for each in User.objects.order_by("username")[:MOST_ACCOUNTS]
        if folding.is_found(text, names=[each.full_name], ids=[each.username, each.email])
    )
    return _first(hits)


def _first(hits: Iterable[Hit]) -> Hits:
    found = list(islice(hits, MOST))
    return Hits(found, len(found))


def _found(rows: QuerySet[Any], words: SearchWords, text: str, others: QuerySet[Any, int]) -> tuple[Any, int]:
    """Return the rows that a text finds, and how many, or that they are more than anybody looks through.

    Few are found by their keys, many in the order in which they are shown, until enough are found.
    `others` are keys of what the text finds besides.
    """
    keys = {*first_owners(words, text, MOST_COUNTED + 1), *others.order_by()[:MOST_COUNTED]}
    is_common = len(keys) > MOST_COUNTED
    return rows.filter(has_all_itself(words, text) if is_common else Q(pk__in=keys)), len(keys)


def _hits(rows: QuerySet[Any], shown: Sequence[Hit]) -> Hits:
    is_all = len(shown) < MOST
    return Hits(shown, len(shown) if is_all else rows.order_by()[: MOST_COUNTED + 1].count())


def _page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


KINDS = (
    KindOfHit(
        gettext_lazy("Worklist"),
        "worklist.view_worklistitem",
        _items,
        "worklist.worklistitem",
        gettext_lazy("All %(count)s in the worklist"),
    ),
    KindOfHit(
        gettext_lazy("Needs attention"),
        "worklist.view_attention",
        _points,
        "worklist.attention",
        gettext_lazy("All %(count)s that need attention"),
    ),
    KindOfHit(
        gettext_lazy("Performed examinations"),
        "worklist.view_performedstep",
        _examinations,
        "worklist.performedstep",
        gettext_lazy("All %(count)s performed examinations"),
    ),
    KindOfHit(gettext_lazy("Records at a source"), "sources.view_syncedstep", _records),
    KindOfHit(
        gettext_lazy("To be mended at a source"),
        "sources.view_syncissue",
        _issues,
        "sources.syncissue",
        gettext_lazy("All %(count)s to be mended"),
    ),
    KindOfHit(gettext_lazy("Sources"), "sources.view_datasource", _sources),
    KindOfHit(gettext_lazy("Scanners"), "worklist.view_device", _devices),
    KindOfHit(gettext_lazy("Accounts"), "accounts.view_user", _accounts),
)
