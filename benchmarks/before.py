"""An earlier build is measured from a git worktree of its commit, which is removed afterwards.

It runs on this build's packages; what it needs besides is installed into its worktree.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import results
from benchmarks.peers import BEFORE, OURS, ROOT, NotStartedError


class Comparison(NamedTuple):
    """Builds by name, and the databases to measure them on: "sqlite", and a URL of PostgreSQL where given."""

    folder: Path
    builds: dict[str, Path]
    databases: list[str]
    running: ExitStack


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what benchmarks ask for that measure this build beside an earlier one."""
    add_build(parser)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--database-url",
        default="",
        help="Measure on PostgreSQL, too, in databases that are made beside this one and dropped again.",
    )


def add_build(parser: argparse.ArgumentParser) -> None:
    """Add what names an earlier build."""
    parser.add_argument("--before", metavar="COMMIT", help="Measure this commit's build, too.")
    parser.add_argument(
        "--before-needs",
        nargs="+",
        default=[],
        metavar="PACKAGE",
        help="What only that build needs, as pip takes it: on PostgreSQL psycopg-pool, up to 9ea2a4f.",
    )


@contextmanager
def comparison(options: argparse.Namespace) -> Iterator[Comparison]:
    """Give what is to be compared, in a folder that goes at the end. Raises NotStartedError."""
    print(results.machine())
    if not options.before:
        print("Without --before no earlier build is measured.")
    if not options.database_url:
        print("Without --database-url PostgreSQL is not measured.")
    with tempfile.TemporaryDirectory(prefix="pylantir-bench-") as made, ExitStack() as running:
        folder, builds = Path(made), {OURS: ROOT}
        if options.before:
            builds[BEFORE] = running.enter_context(
                build(options.before, folder / "build of before", needs=options.before_needs)
            )
        databases = list(filter(None, ["sqlite", options.database_url]))
        yield Comparison(folder, builds, databases, running)


@contextmanager
def build(commit: str, folder: Path, *, needs: Sequence[str] = ()) -> Iterator[Path]:
    """Check the commit out into the folder, which must not exist. Raises NotStartedError."""
    _git("worktree", "add", "--detach", str(folder), commit)
    try:
        if needs:
            _install(needs, folder)
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


def _install(needs: Sequence[str], folder: Path) -> None:
    """Install packages beside the build's code, which finds them there and nobody else does."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(folder),
        *needs,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotStartedError(f"pip install {' '.join(needs)}: {done.stderr.strip()}")
