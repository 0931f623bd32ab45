"""What must have held is judged from the notes of a whole soak; each complaint is a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks.soak.actors import QUERY, REPORT
from benchmarks.soak.faults import WEB_KILLED
from benchmarks.soak.samples import Failed, Log

WEB_BACK_WITHIN = 15.0  # seconds
LONG = 600.0  # seconds, after which every process has done everything once
WAITS_MORE = 2.0  # times
MILLISECONDS_MORE = 100.0  # what another program on the machine may cost


class Bounds(NamedTuple):
    """The last quarter may hold so much more than the second one."""

    times: float
    kib: int
    descriptors: int


SHORT_BOUNDS, LONG_BOUNDS = Bounds(1.25, 64 * 1024, 40), Bounds(1.10, 12 * 1024, 10)


def complaints(log: Log, seconds: float) -> list[str]:
    """Return what was not as it must be; an empty list is a good end."""
    return [*_failures(log), *_holding(log, seconds), *_waiting(log, seconds)]


def _failures(log: Log) -> Iterator[str]:
    """Scanners are never failed; the web may be, for as long as a killed process takes to come back."""
    killed = [at for at, what in log.faults if what == WEB_KILLED]
    counted = Counter(f"{each.kind}: {each.text}" for each in log.failed if not _is_excused(each, killed))
    for text, times in counted.items():
        yield f"{times} × {text}"


def _is_excused(failed: Failed, killed: Iterable[float]) -> bool:
    is_web = failed.kind not in {QUERY, REPORT}
    return is_web and any(0 <= failed.at - at <= WEB_BACK_WITHIN for at in killed)


def _holding(log: Log, seconds: float) -> Iterator[str]:
    bounds = LONG_BOUNDS if seconds >= LONG else SHORT_BOUNDS
    early = [each for each in log.held if seconds / 4 <= each.at < seconds / 2]
    late = [each for each in log.held if each.at >= seconds * 3 / 4]
    if not early or not late:
        yield "The processes were not looked at often enough."
        return
    before, after = (median(each.kib for each in part) for part in (early, late))
    if after > before * bounds.times + bounds.kib:
        yield f"Memory grew from {before / 1024:.0f} to {after / 1024:.0f} MiB."
    before, after = (median(each.descriptors for each in part) for part in (early, late))
    if after > before + bounds.descriptors:
        yield f"Descriptors grew from {before:.0f} to {after:.0f}."


def _waiting(log: Log, seconds: float) -> Iterator[str]:
    for kind in sorted({each.kind for each in log.waits}):
        of_kind = [each for each in log.waits if each.kind == kind]
        early = [each.milliseconds for each in of_kind if seconds / 4 <= each.at < seconds / 2]
        late = [each.milliseconds for each in of_kind if each.at >= seconds * 3 / 4]
        if len(early) < 2 or len(late) < 2:
            yield f"{kind}: too few were answered to judge."
            continue
        before, after = percentile(early), percentile(late)
        if after > before * WAITS_MORE + MILLISECONDS_MORE:
            yield f"{kind}: 95 % waited {before:.0f} ms at first and {after:.0f} ms at the end."


def percentile(milliseconds: list[float]) -> float:
    """Return within what 95 % were answered."""
    return quantiles(milliseconds, n=20)[-1]
