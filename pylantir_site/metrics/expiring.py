"""Certificates that end within a month are told in sentences: on Today, and by the checks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from pylantir_site.counting import measures
from pylantir_site.counting.models import ProcessReading
from pylantir_site.metrics.kept import by_labels
from pylantir_site.metrics.machine import authority_ends

SOON = timedelta(days=30)
SAID_BY = timedelta(days=1)  # a server that is stopped for an evening is still told of


def sentences(*, now: datetime | None = None) -> list[str]:
    """Return a sentence for each certificate that has ended or ends soon. Raises django.db.Error."""
    return list(_told(now or timezone.now()))


def _told(now: datetime) -> Iterator[str]:
    said = ProcessReading.objects.filter(name=measures.CERTIFICATE_ENDS.name, at__gte=now - SAID_BY)
    for (use, file), ends in sorted(by_labels(said.values_list("labels", "value")).items()):
        whose = _("of the DICOM server") if use == "server" else _("of the scanners' authority")
        yield from _sentence(file, whose, min(ends), now)
    for (source, file), end in authority_ends():
        yield from _sentence(file, _("that the source %(source)s trusts") % {"source": source}, end, now)


def _sentence(file: str, whose: str, end: float, now: datetime) -> Iterator[str]:
    at = datetime.fromtimestamp(end, tz=timezone.get_current_timezone())
    if at > now + SOON:
        return
    values = {"file": file, "whose": whose, "day": date_format(at, "DATE_FORMAT")}
    if at <= now:
        yield _("The certificate %(file)s %(whose)s ended on %(day)s.") % values
    else:
        yield _("The certificate %(file)s %(whose)s ends on %(day)s.") % values
