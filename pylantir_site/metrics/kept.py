"""What all processes have counted, and what those that live say of themselves, is read from the database."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.utils import timezone

from pylantir_site.counting import measures
from pylantir_site.counting.keeping import RECENT
from pylantir_site.counting.measures import Over
from pylantir_site.counting.models import ProcessReading, Tally
from pylantir_site.metrics.families import Family, Labels, counter, histogram, of_gauge

Values = dict[Labels, list[float]]


def families() -> Iterator[Family]:
    counts = _by_name(Tally.objects.values_list("name", "labels", "value"))
    for measure in measures.COUNTERS:
        yield counter(measure, _added(counts[measure.name], len(measure.labels)))
    for each in measures.HISTOGRAMS:
        width = len(each.labels)
        yield histogram(each, _added(counts[each.bucket], width + 1), _added(counts[each.sum], width))
    recent = ProcessReading.objects.filter(at__gte=timezone.now() - RECENT)
    readings = _by_name(recent.values_list("name", "labels", "value"))
    for said in measures.GAUGES:
        over = min if said.over is Over.LEAST else sum
        found = {labels: float(over(values)) for labels, values in readings[said.name].items()}
        yield of_gauge(said, found)


def by_labels(rows: Iterable[tuple[str, float]]) -> Values:
    """Return values by labels from rows of both."""
    found: Values = {}
    for labels, value in rows:
        found.setdefault(tuple(json.loads(labels)), []).append(value)
    return found


def _by_name(rows: Iterable[tuple[str, str, float]]) -> defaultdict[str, Values]:
    found: defaultdict[str, Values] = defaultdict(dict)
    for name, labels, value in rows:
        found[name].setdefault(tuple(json.loads(labels)), []).append(value)
    return found


def _added(values: Values, width: int) -> dict[Labels, float]:
    """Return the sums; rows of an earlier version, which had other labels, are left out."""
    return {labels: sum(found) for labels, found in values.items() if len(labels) == width}
