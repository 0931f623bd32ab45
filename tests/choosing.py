"""A run leaves out what is slow by `--fast`, and what is the same on every database by `--database-only`."""

from __future__ import annotations

import multiprocessing.process
import subprocess
from typing import NoReturn

import pytest

# Each starts a process, a browser, or a server that is asked over HTTP.
STARTERS = frozenset(
    {
        *("browser", "command", "ended", "first_start", "held_server", "live_server", "migrated"),
        *("odd_process", "redcap", "run_proxy", "served", "start_server", "users", "users_apart"),
        *("validator", "web_server"),
    }
)
DATABASES = frozenset({"db", "django_db_setup", "transactional_db", "live_server"})


def is_slow(item: pytest.Item) -> bool:
    """Tell whether it is marked as slow, starts something, or tries many examples."""
    return (
        item.get_closest_marker("slow") is not None
        or bool(STARTERS & names_of_fixtures(item))
        or getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    )


def needs_database(item: pytest.Item) -> bool:
    return item.get_closest_marker("django_db") is not None or bool(DATABASES & names_of_fixtures(item))


def hangs_on_database(item: pytest.Item) -> bool:
    """Tell whether it may end otherwise on another database: what a browser makes of a page does not."""
    return needs_database(item) and "browser" not in names_of_fixtures(item)


def names_of_fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def refuse_processes(patch: pytest.MonkeyPatch) -> None:
    """Let whoever starts a process fail, and tell what to do."""

    def refuse(*arguments: object, **named: object) -> NoReturn:
        pytest.fail("A fast test starts no process: mark it with pytest.mark.slow.")

    patch.setattr(subprocess.Popen, "__init__", refuse)
    patch.setattr(multiprocessing.process.BaseProcess, "start", refuse)
