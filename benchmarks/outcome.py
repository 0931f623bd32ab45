"""A benchmark ends in a table, in what was wanted of it, and in a file of figures where one was named."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence

from benchmarks import results, wanted
from benchmarks.client import WrongAnswerError
from benchmarks.peers import NotStartedError
from benchmarks.results import Results
from benchmarks.wanted import Bound


def of(
    options: argparse.Namespace,
    run: Callable[[argparse.Namespace], Results],
    table: Callable[[Results], Iterable[str]],
    bounds: Sequence[Bound],
    *,
    is_told: bool = True,
) -> int:
    """Run it, print the table and the bounds, and return the exit code: 1 where it did not end well.

    Bounds that compare with an earlier build are not told without one: `is_told` says so.
    """
    try:
        found = run(options)
    except (WrongAnswerError, NotStartedError, OSError) as error:
        print(f"FAILED: {error}")
        return 1
    rows = wanted.rows(found, bounds)
    print(*table(found), *(["", *wanted.lines(rows)] if is_told else []), sep="\n")
    if options.json:
        results.write_json(found, options.json, before=options.before, wanted=wanted.as_json(rows))
    return 0
