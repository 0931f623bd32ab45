"""What looks odd in an item and may be meant is pointed out to whom has written it, and not refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.admin import choices
from worklist.items import typed_dates

NO_DEVICE = gettext_lazy("No scanner has this AE title: check its spelling, or add the scanner.")


def of(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each oddity of the fields given."""
    day = values.get("scheduled_start_date")
    if day is not None and day < timezone.localdate():
        yield _("%(day)s has passed.") % {"day": typed_dates.in_words(day)}
    titles = filter(None, map(str.strip, str(values.get("scheduled_station_aetitle") or "").split("\\")))
    for title in sorted(set(titles) - choices.devices()):
        yield _("%(station)s: %(sentence)s") % {"station": title, "sentence": NO_DEVICE}
