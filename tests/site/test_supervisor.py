"""The supervisor runs stand-in children, and is the process that people stop. `start` is in test_start.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pylantir_site.processes.supervisor import Supervisor
from tests.conftest import wait_until
from tests.processes import is_running

pytestmark = pytest.mark.slow

# Each child says in a file that it is ready, and what became of it.
OBEDIENT = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path(sys.argv[1]).write_text("stopped"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, lambda *_: pathlib.Path(sys.argv[1]).write_text("interrupted"))
pathlib.Path(sys.argv[1]).write_text("ready")
while True: time.sleep(0.05)
"""
DEAF = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1] + ".pid").write_text(str(grandchild.pid))
pathlib.Path(sys.argv[1]).write_text("ready")
while True: time.sleep(0.05)
"""
SUPERVISE = """
import json, sys
from pylantir_site.processes.supervisor import Supervisor
commands = json.loads(sys.argv[1])
sys.exit(Supervisor(commands, lambda line: print(line, flush=True), grace=float(sys.argv[2])).run())
"""


def child(script: str, state: Path) -> list[str]:
    return [sys.executable, "-c", script, str(state)]


def supervise(commands: dict[str, list[str]], grace: float = 30) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, json.dumps(commands), str(grace)],
        stdout=subprocess.PIPE,
        text=True,
    )


def says(path: Path, word: str) -> bool:
    return path.exists() and path.read_text() == word


def ended(process: subprocess.Popen[str], seconds: float = 10) -> tuple[int, str]:
    out, _ = process.communicate(timeout=seconds)
    return process.returncode, out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_reaches_every_child_as_sigterm_and_the_exit_code_is_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    process = supervise({"web": child(OBEDIENT, first), "dicom": child(OBEDIENT, second)})
    wait_until(lambda: says(first, "ready") and says(second, "ready"))

    process.send_signal(number)

    assert ended(process) == (0, "")
    assert says(first, "stopped")
    assert says(second, "stopped")


def test_when_a_child_ends_by_itself_the_others_are_stopped_and_the_exit_code_is_1(tmp_path: Path) -> None:
    other = tmp_path / "other"
    fails = f"import os, sys, time\nwhile not os.path.exists({str(other)!r}): time.sleep(0.02)\nsys.exit(7)"
    process = supervise({"web": child(OBEDIENT, other), "dicom": [sys.executable, "-c", fails]})

    code, out = ended(process)

    assert code == 1
    assert out == "dicom ended by itself with exit code 7: stopping all.\n"
    assert says(other, "stopped")


def test_what_does_not_stop_in_the_shared_time_is_killed_with_all_it_runs(tmp_path: Path) -> None:
    deaf, obedient = tmp_path / "deaf", tmp_path / "obedient"
    process = supervise({"web": child(OBEDIENT, obedient), "dicom": child(DEAF, deaf)}, grace=0.5)
    wait_until(lambda: says(deaf, "ready") and says(obedient, "ready"))
    grandchild = int((tmp_path / "deaf.pid").read_text())
    assert is_running(grandchild)

    process.terminate()

    assert ended(process) == (1, "dicom did not stop in time and is killed.\n")
    assert says(obedient, "stopped")
    wait_until(lambda: not is_running(grandchild))


def test_what_a_child_leaves_behind_when_it_is_killed_does_not_live_on(tmp_path: Path) -> None:
    state = tmp_path / "state"
    tells_its_pid = (
        f"import os, pathlib; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
    )
    process = supervise({"worker": child(tells_its_pid + DEAF, state)})
    wait_until(lambda: says(state, "ready"))
    grandchild = int((tmp_path / "state.pid").read_text())

    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    assert ended(process) == (1, "worker was killed by SIGKILL: stopping all.\n")
    wait_until(lambda: not is_running(grandchild))


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    deaf, obedient = tmp_path / "deaf", tmp_path / "obedient"
    process = supervise({"web": child(OBEDIENT, obedient), "dicom": child(DEAF, deaf)}, grace=60)
    wait_until(lambda: says(deaf, "ready") and says(obedient, "ready"))

    process.send_signal(signal.SIGINT)
    wait_until(lambda: says(obedient, "stopped"))
    process.send_signal(signal.SIGINT)

    assert ended(process)[0] == 1


def test_a_hangup_beside_the_stop_does_not_cut_the_waiting_short() -> None:
    supervisor = Supervisor({}, print)

    supervisor.asked_to_stop(signal.SIGTERM, None)
    supervisor.asked_to_stop(signal.SIGHUP, None)

    assert supervisor.stopping
    assert not supervisor.impatient


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_children_stop_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = supervise({"web": child(OBEDIENT, state)})
    wait_until(lambda: says(state, "ready"))

    process.kill()
    ended(process)

    wait_until(lambda: says(state, "stopped"))


def test_a_child_that_fails_while_stopping_shows_in_the_exit_code(tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = supervise({"web": child(OBEDIENT.replace("sys.exit(0)", "sys.exit(5)"), state)})
    wait_until(lambda: says(state, "ready"))

    process.terminate()

    assert ended(process)[0] == 1


def test_a_command_that_cannot_be_run_leaves_no_child_behind(tmp_path: Path) -> None:
    state = tmp_path / "state"
    supervisor = Supervisor(
        {"web": child(OBEDIENT, state), "dicom": [os.fspath(tmp_path / "missing")]}, lambda line: None
    )

    with pytest.raises(FileNotFoundError):
        supervisor.run()

    assert not supervisor.running()
