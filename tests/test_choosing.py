"""A fast test cannot start a process, and what is tried on each database hangs on it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Process

import pytest

from tests.choosing import hangs_on_database, refuse_processes


def test_a_process_is_refused_however_it_is_started() -> None:
    # A patch that outlived the test's call would bring back the one that the call itself is under.
    with pytest.MonkeyPatch.context() as patch:
        refuse_processes(patch)

        with pytest.raises(pytest.fail.Exception, match="A fast test starts no process"):
            subprocess.run([sys.executable, "-c", ""], check=True)
        with pytest.raises(pytest.fail.Exception, match="A fast test starts no process"):
            Process(target=print).start()
        with ProcessPoolExecutor(1) as pool, pytest.raises(pytest.fail.Exception, match="A fast test"):
            pool.submit(print)


def test_no_fast_test_starts_a_process() -> None:
    with pytest.raises(pytest.fail.Exception, match="A fast test starts no process"):
        subprocess.run([sys.executable, "-c", ""], check=True)


@pytest.mark.parametrize(
    ("fixtures", "hangs"),
    [(["db"], True), (["live_server"], True), (["tmp_path"], False), (["live_server", "browser"], False)],
)
def test_what_a_browser_looks_at_hangs_on_no_database(
    request: pytest.FixtureRequest, fixtures: list[str], *, hangs: bool
) -> None:
    item = pytest.Function.from_parent(request.node.parent, name="test_choosing", callobj=lambda: None)
    item.fixturenames[:] = fixtures

    assert hangs_on_database(item) is hangs
