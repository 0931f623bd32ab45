"""A fast test cannot start a process."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Process

import pytest

from tests.choosing import refuse_processes


def test_a_process_is_refused_however_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_processes(monkeypatch)

    with pytest.raises(pytest.fail.Exception, match="A fast test starts no process"):
        subprocess.run([sys.executable, "-c", ""], check=True)
    with pytest.raises(pytest.fail.Exception, match="A fast test starts no process"):
        Process(target=print).start()
    with ProcessPoolExecutor(1) as pool, pytest.raises(pytest.fail.Exception, match="A fast test"):
        pool.submit(print)
