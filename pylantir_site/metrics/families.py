"""Numbers are put into the forms of prometheus_client here, each name with its prefix."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from pylantir_site.counting.measures import CounterMeasure, GaugeMeasure, HistogramMeasure

PREFIX = "pylantir_"
Labels = tuple[str, ...]
Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


def gauge(
    name: str, help: str, values: Iterable[tuple[Labels, float]], labels: Labels = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}{name}", help, labels=labels)
    for given, value in values:
        family.add_metric(given, value)
    return family


def one(name: str, help: str, value: float) -> GaugeMetricFamily:
    return gauge(name, help, [((), value)])


def counter(measure: CounterMeasure, values: dict[Labels, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"{PREFIX}{measure.name}", measure.help, labels=measure.labels)
    if not measure.labels:  # there is but one, and it is known to be nothing yet
        values = {(): 0.0, **values}
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def of_gauge(measure: GaugeMeasure, values: dict[Labels, float]) -> GaugeMetricFamily:
    if not measure.labels:
        values = {(): 0.0, **values}
    return gauge(measure.name, measure.help, sorted(values.items()), measure.labels)


def histogram(
    measure: HistogramMeasure, buckets: dict[Labels, float], sums: dict[Labels, float]
) -> HistogramMetricFamily:
    """Return the histogram; `buckets` are not cumulated, and their last label is the upper end."""
    family = HistogramMetricFamily(f"{PREFIX}{measure.name}", measure.help, labels=measure.labels)
    for labels in sorted({labels[:-1] for labels in buckets}):
        total, cumulated = 0.0, []
        for end in measure.ends:
            total += buckets.get((*labels, repr(end)), 0.0)
            cumulated.append(("+Inf" if end == measure.ends[-1] else repr(end), total))
        family.add_metric(labels, cumulated, sums.get(labels, 0.0))
    return family
