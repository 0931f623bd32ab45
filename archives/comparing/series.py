"""The series that a scanner reported are looked for among those that arrived."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

MOST_NAMED = 5


class ReportedSeries(NamedTuple):
    """It is a series of a report that has images or other instances; the label is for people."""

    series_instance_uid: str
    label: str


def missing(reported: Sequence[ReportedSeries], *, arrived: Collection[str], count: int | None) -> str:
    """Say how many series are there and which are not; "" where none is missing.

    `arrived` are the UIDs of the series that are there. Without any, such as where the archive has not been
    asked for them, `count` says how many there are; None says nothing.
    """
    distinct = list({each.series_instance_uid: each for each in reported}.values())
    if not arrived:
        there = count
        if there is None or there >= len(distinct):
            return ""
        return f"{there} of {_counted(distinct)}."
    absent = [each for each in distinct if each.series_instance_uid not in arrived]
    if not absent:
        return ""
    return f"{len(distinct) - len(absent)} of {_counted(distinct)}. Not there: {_named(absent)}."


def _counted(reported: Sequence[ReportedSeries]) -> str:
    return f"{len(reported)} series that the scanner reported"


def _named(absent: Sequence[ReportedSeries]) -> str:
    names = [each.label or each.series_instance_uid for each in absent[:MOST_NAMED]]
    more = len(absent) - len(names)
    return ", ".join([*names, f"and {more} more"] if more else names)
