"""What matters of an item stands on top of its page, and its timeline beside the form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from worklist.attention import awaiting
from worklist.day import ages
from worklist.items.lifecycle import PERFORMABLE
from worklist.models import WorklistItem
from worklist.timeline import readable
from worklist.timeline.asked import AskedBy
from worklist.timeline.entries import TimelineEntry
from worklist.timeline.whole import newest_first, timeline_of


class HeadFact(NamedTuple):
    """`lacks` says that nobody has said it, and a scanner may want it."""

    label: str
    value: str
    lacks: bool = False


class ShownEntry(NamedTuple):
    entry: TimelineEntry
    url: str


def context_of(request: HttpRequest, item: WorklistItem, parts: Sequence[Any]) -> dict[str, Any]:
    """Return what the page shows of the item beside its form; `parts` are what other apps add."""
    timeline = timeline_of(item)
    entries: Sequence[TimelineEntry] = timeline.entries
    for part in parts:
        entries = part(request, item, entries)
    return {
        "facts": list(_facts(item)),
        "asked": [_asked_in_words(each) for each in timeline.asked],
        "awaited": _awaited(item),
        "timeline": [ShownEntry(entry, _page_of(request, entry.about)) for entry in newest_first(entries)],
        "timeline_is_cut": timeline.is_cut,
    }


def _facts(item: WorklistItem) -> Iterator[HeadFact]:
    nobody = _("not known")
    yield HeadFact(_("Patient ID"), item.patient_id)
    born, kilograms = item.patient_birth_date, item.patient_weight_kg
    yield HeadFact(_("Born"), _born(item) if born else nobody, lacks=born is None)
    sex = item.get_patient_sex_display() if item.patient_sex else nobody
    yield HeadFact(_("Sex"), str(sex), lacks=not item.patient_sex)
    weight = readable.value("patient_weight_kg", kilograms) if kilograms is not None else nobody
    yield HeadFact(_("Weight"), weight, lacks=kilograms is None)
    yield HeadFact(_("When"), readable.moment(item.scheduled_start_date, item.scheduled_start_time))
    yield HeadFact(_("Scanner"), ", ".join(item.stations) or _("any"), lacks=not item.stations)
    yield HeadFact(_("Protocol"), item.protocol_name or item.procedure_description or item.modality)


def _awaited(item: WorklistItem) -> str:
    """Return what is known of an item that no scanner reports."""
    is_open = item.performed_procedure_step_status in PERFORMABLE
    return awaiting.sentences([item.pk]).get(item.pk, "") if is_open else ""


def _born(item: WorklistItem) -> str:
    born, day = item.patient_birth_date, item.scheduled_start_date
    if born is None or born > day:
        return date_format(born) if born else ""
    return _("%(date)s (%(age)s)") % {"date": date_format(born), "age": ages.in_words(born, day)}


def _asked_in_words(asked: AskedBy) -> str:
    at = timezone.localtime(asked.last)
    moment = time_format(at) if at.date() == timezone.localdate() else f"{date_format(at)}, {time_format(at)}"
    return _("Asked for by %(scanner)s at %(moment)s") % {"scanner": asked.ae_title, "moment": moment}


def _page_of(request: HttpRequest, about: Any) -> str:
    """Return the page of the row, or "" where there is none, or the person may not see it."""
    if not isinstance(about, Model):
        return ""
    meta = about._meta
    if not request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
        return ""
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[about.pk])
