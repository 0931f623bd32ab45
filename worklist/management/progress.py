"""How far a command is stands on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

LINE_EVERY = 5.0  # seconds, where there is no terminal


class ProgressDisplay:
    """`things` are what is counted, as people read it: records, rows."""

    def __init__(self, things: str) -> None:
        self.things = things
        self.bar: tqdm | None = None
        self.at = time.monotonic()

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, done: int, total: int | None) -> None:
        if sys.stderr.isatty():
            self._draw(done, total)
        elif time.monotonic() - self.at >= LINE_EVERY:
            self.at = time.monotonic()
            sys.stderr.write(f"{done} of {total or '?'} {self.things}\n")

    def _draw(self, done: int, total: int | None) -> None:
        if self.bar is None:
            self.bar = tqdm(total=total, unit=f" {self.things}", file=sys.stderr)
        self.bar.total = total
        self.bar.update(done - self.bar.n)
