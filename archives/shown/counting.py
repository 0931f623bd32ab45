"""How much of what was performed has arrived is counted by study and month; nothing names a participant."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from django.db import models
from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _

from archives.models import ArchiveCheck, Finding


class ArchiveArrival(models.TextChoices):
    ARRIVED = "arrived", _("Arrived")
    DIFFERING = "differing", _("Arrived, and differs")
    MISSING = "missing", _("Not arrived")
    UNKNOWN = "unknown", _("Not known yet")


OF_FINDING = {
    Finding.FOUND: ArchiveArrival.ARRIVED,
    Finding.DIFFERS: ArchiveArrival.DIFFERING,
    Finding.NOT_FOUND: ArchiveArrival.MISSING,
    Finding.FAILED: ArchiveArrival.UNKNOWN,
    Finding.NOT_ASKED: ArchiveArrival.UNKNOWN,
}
ArrivalCounts = dict[
    tuple[date, str], Counter[ArchiveArrival]
]  # by the month's first day and the source's name


def arrivals(archive_pk: int, *, first: date) -> ArrivalCounts:
    """Count the participants' items that an archive is asked for, by one query; "" stands for no source."""
    checks = ArchiveCheck.objects.filter(
        archive=archive_pk, item__scheduled_start_date__gte=first, item__is_qa=False
    )
    grouped = checks.order_by().values_list(
        TruncMonth("item__scheduled_start_date"), "item__data_source", "finding"
    )
    found: ArrivalCounts = defaultdict(Counter)
    for month, study, finding, count in grouped.annotate(count=Count("*")):
        found[month, study][OF_FINDING[Finding(finding)]] += count
    return dict(sorted(found.items()))
