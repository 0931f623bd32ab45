"""Whoever changes an item that a source made is told what the source goes on saying: an edit here wins."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pylantir_site.overview.admin_site import PylantirAdminSite
from sources.admin.links import Links
from sources.models import SyncedStep
from sources.sync import edits, values
from worklist.models import WorklistItem
from worklist.timeline import readable


def still_says(item: WorklistItem, fields: Collection[str]) -> Iterator[str]:
    """Yield a sentence about those of the fields that its source says otherwise, with the way to them."""
    synced = (
        SyncedStep.objects.select_related("source").filter(item=item).first() if item.data_source else None
    )
    if synced is None:
        return
    synced.item = item  # as it was just written
    edited = edits.edited_fields(synced)
    fresh = [name for name in edited if _column(name) in fields and edited[name][1] != ""]
    if not fresh:
        return
    still = ", ".join(
        _("%(field)s %(value)s")
        % {"field": readable.label(name), "value": readable.value(name, edited[name][1])}
        for name in fresh
    )
    sentence = ngettext(
        "{source} still has {still}: correct it there, too.",
        "{source} still has {still}: correct them there, too.",
        len(fresh),
    )
    told = format_html(sentence, source=synced.source, still=still)
    link = Links().anchor(synced.source, synced.record, synced.key)
    yield format_html("{} {}", told, link) if link else told


def _column(name: str) -> str:
    return readable.EXTRA if values.is_keyword(name) else name


PylantirAdminSite.source_sayings.append(still_says)
