"""Beside each row of a mapping stands a value of the source's first records, for the screen alone.

The page fetches them once its rows come into view, so that it never waits for the source itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from sources.admin.buttons import patient
from sources.admin.kinds.page import page_of
from sources.admin.sampling import Sample, best_of
from sources.errors import SourceError
from sources.models import DataSource
from sources.sync import preview as previews

RECORDS = 100  # that are read for it: one batch, as a source has it by default


class RowSamples(NamedTuple):
    """It has what to show beside each row by its target, or says in a line why there is nothing."""

    by_target: dict[str, Sample]
    why_not: str = ""


def samples_of(source: DataSource) -> RowSamples:
    """Return a sample of each target that the mapping fills, as a preview would read it."""
    try:
        read = previews.preview(source, records=RECORDS)
    except SourceError as error:
        return RowSamples({}, str(error))
    by_record = [[trace for session in each.sessions for trace in session.trace] for each in read.records]
    targets = dict.fromkeys(trace.target for traces in by_record for trace in traces)
    if not targets:
        return RowSamples({}, _no_session(source, len(by_record)))
    return RowSamples(
        {
            target: best_of([[trace for trace in traces if trace.target == target] for traces in by_record])
            for target in targets
        }
    )


def _no_session(source: DataSource, records: int) -> str:
    if not records:
        return _("No sample values. %(why)s") % {"why": page_of(source.kind).no_records}
    return ngettext(
        "No sample values: the first record has no session.",
        "No sample values: the first %(count)s records have no session.",
        records,
    ) % {"count": records}


def _shown(sample: Sample | None) -> dict[str, str]:
    """Return what the page writes into the cell of a row."""
    if sample is None:
        return {"value": "", "note": _("not read: this row has to be mended")}
    if not sample.filled:
        none = ngettext(
            "no value in the first record", "no value in the first %(count)s records", sample.records
        )
        return {"value": "", "note": sample.problem or none % {"count": sample.records}}
    value = f"{sample.raw} → {sample.value or '-'}" if sample.is_changed else sample.value
    found = _("in %(filled)s of %(count)s records") % {"filled": sample.filled, "count": sample.records}
    return {"value": value, "note": sample.problem or found}


class RowSamplesAdmin(admin.ModelAdmin):
    def sample_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_GET(self.samples_view))
        return [path("<int:pk>/samples/", view, name="sources_datasource_samples")]

    def samples_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer with participants' data to whoever may see a preview; the admin keeps it out of caches."""
        if not request.user.has_perm("sources.pull_datasource"):
            raise PermissionDenied
        source = DataSource.objects.filter(pk=pk).first()
        if source is None:
            raise Http404
        return JsonResponse(_answer(source))


def _answer(source: DataSource) -> dict[str, Any]:
    samples = samples_of(patient(source))
    rows = source.rules.values_list("pk", "target") if not samples.why_not else ()
    return {
        "why_not": samples.why_not,
        "rows": {str(pk): _shown(samples.by_target.get(target)) for pk, target in rows},
    }
