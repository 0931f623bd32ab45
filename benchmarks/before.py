"""An earlier build is measured from a git worktree of its commit, which is removed afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import ROOT, NotStartedError


@contextmanager
def build(commit: str, folder: Path) -> Iterator[Path]:
    """Check the commit out into the folder, which must not exist. Raises NotStartedError."""
    _git("worktree", "add", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> None:
    try:
        subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise NotStartedError("git is not installed.") from None
    except subprocess.CalledProcessError as error:
        raise NotStartedError(f"git {arguments[0]} {arguments[1]}: {error.stderr.strip()}") from error
