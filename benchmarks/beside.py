"""A process beside the benchmark makes itself ready and waits, so that several can begin at one moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.client import WrongAnswerError
from benchmarks.peers import ROOT

READY = "ready"
WAITED = 60  # seconds beyond those for which a process works


def await_begin() -> None:
    """Say in the process itself that it is ready, and wait until it may begin."""
    print(READY, flush=True)
    sys.stdin.readline()


@contextmanager
def prepared(
    module: str, arguments: Sequence[str], environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a module that calls `await_begin`, and end it. Raises WrongAnswerError if it does not."""
    command, pipe = [sys.executable, "-m", module, *arguments], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline().strip() != READY:
                raise WrongAnswerError(f"{module} did not start")
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.write("\n")
        process.stdin.flush()


def printed(process: subprocess.Popen[str], seconds: float) -> str:
    """Return what the process printed after it had worked for so long. Raises WrongAnswerError."""
    try:
        text, _ = process.communicate(timeout=seconds + WAITED)
    except subprocess.TimeoutExpired:
        raise WrongAnswerError(f"{process.args!r} did not end") from None
    if process.returncode:
        raise WrongAnswerError(f"{process.args!r} failed")
    return text
