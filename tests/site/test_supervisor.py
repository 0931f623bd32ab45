"""The supervisor runs stand-in children, and is the process that people stop. `start` is in test_start.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pylantir_site.processes.restarts import Restarts
from pylantir_site.processes.supervisor import Service, Supervisor
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
import json, os, sys
from django.conf import settings
from pylantir_site.processes.pulse import Pulse
from pylantir_site.processes.supervisor import Service, Supervisor
settings.configure()
commands = json.loads(sys.argv[1])
def service(name, command):
    own = Pulse() if name == "worker" and "--watched" in sys.argv else None
    def work():
        os.execv(command[0], command)
    return Service(name, work, essential=name == "dicom", pulse=own, longest_silence=0.5)
services = [service(name, command) for name, command in commands.items()]
sys.exit(Supervisor(services, lambda line: print(line, flush=True), grace=float(sys.argv[2])).run())
"""


def child(script: str, state: Path) -> list[str]:
    return [sys.executable, "-c", script, str(state)]


def supervise(commands: dict[str, list[str]], grace: float = 30, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, json.dumps(commands), str(grace), *options],
        stdout=subprocess.PIPE,
        text=True,
    )


def told(state: Path) -> list[str]:
    """Return an obedient child that says which process it is."""
    says = f"import os, pathlib; pathlib.Path({str(state) + '.pid'!r}).write_text(str(os.getpid()))\n"
    return child(says + OBEDIENT, state)


def pid_of(state: Path) -> int:
    return int(state.with_name(f"{state.name}.pid").read_text() or 0)


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


@pytest.mark.acceptance("H30", "H32")
def test_what_dies_is_restarted_and_said_while_the_others_run_on(tmp_path: Path) -> None:
    other, state = tmp_path / "other", tmp_path / "state"
    process = supervise({"web": told(state), "dicom": child(OBEDIENT, other)})
    wait_until(lambda: says(state, "ready") and says(other, "ready"))
    first, dicom = pid_of(state), other.stat().st_ino

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: pid_of(state) != first and says(state, "ready"))

    assert says(other, "ready")
    assert other.stat().st_ino == dicom
    process.terminate()
    assert ended(process) == (0, "web was killed by SIGKILL: it is restarted.\n")
    assert says(state, "stopped")
    assert says(other, "stopped")


@pytest.mark.acceptance("H31")
def test_when_the_essential_one_is_set_up_wrongly_the_others_are_stopped_and_the_exit_code_is_1(
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    fails = f"import os, sys, time\nwhile not os.path.exists({str(other)!r}): time.sleep(0.02)\nsys.exit(78)"
    process = supervise({"web": child(OBEDIENT, other), "dicom": [sys.executable, "-c", fails]})

    code, out = ended(process)

    assert code == 1
    assert out == "dicom ended by itself with exit code 78 and cannot be restarted: stopping all.\n"
    assert says(other, "stopped")


def test_what_ends_in_order_to_begin_anew_is_started_without_a_word(tmp_path: Path) -> None:
    state, tried = tmp_path / "state", tmp_path / "tried"
    once = f"import os, pathlib, sys\nif not os.path.exists({str(tried)!r}):\n"
    once += f"    pathlib.Path({str(tried)!r}).touch(); sys.exit(75)\n"
    process = supervise({"worker": child(once + OBEDIENT, state)})
    wait_until(lambda: says(state, "ready"))

    process.terminate()

    assert ended(process) == (0, "")
    assert tried.exists()


@pytest.mark.acceptance("H34")
def test_what_gives_no_sign_of_life_is_killed_and_replaced(tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = supervise({"worker": told(state)}, 30, "--watched")
    wait_until(lambda: says(state, "ready"))
    first = pid_of(state)

    wait_until(lambda: pid_of(state) != first and says(state, "ready"), 20)

    assert not is_running(first)
    process.terminate()
    code, out = ended(process)
    assert code == 0
    assert out.startswith(
        "worker gave no sign of life for 0 s and is killed.\nworker was killed by SIGKILL: it is restarted.\n"
    )


@pytest.mark.parametrize(
    ("lives", "waits"),
    [
        ([600.0], [0]),
        ([1.0, 1.0, 1.0, 1.0], [0, 1, 2, 4]),
        ([1.0, 1.0, 61.0, 1.0], [0, 1, 0, 1]),
        ([1.0] * 12, [0, 1, 2, 4, 8, 16, 32, *[60] * 5]),
    ],
)
@pytest.mark.acceptance("H30")
def test_each_death_in_a_row_is_followed_by_a_longer_wait(lives: list[float], waits: list[int]) -> None:
    restarts, found = Restarts(), []
    for lived in lives:
        restarts.count(lived)
        found.append(restarts.wait())

    assert found == waits
    assert restarts.are_in_vain() == (restarts.deaths >= 6)


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
    process = supervise({"worker": child(tells_its_pid + DEAF, state)}, 0.5)
    wait_until(lambda: says(state, "ready"))
    grandchild = int((tmp_path / "state.pid").read_text())

    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    wait_until(lambda: not is_running(grandchild))
    wait_until(lambda: says(state, "ready") and int((tmp_path / "state.pid").read_text()) != grandchild)
    second = int((tmp_path / "state.pid").read_text())
    process.terminate()
    assert ended(process)[1].startswith("worker was killed by SIGKILL: it is restarted.\n")
    wait_until(lambda: not is_running(second))


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    deaf, obedient = tmp_path / "deaf", tmp_path / "obedient"
    process = supervise({"web": child(OBEDIENT, obedient), "dicom": child(DEAF, deaf)}, grace=60)
    wait_until(lambda: says(deaf, "ready") and says(obedient, "ready"))

    process.send_signal(signal.SIGINT)
    wait_until(lambda: says(obedient, "stopped"))
    process.send_signal(signal.SIGINT)

    assert ended(process)[0] == 1


def test_a_hangup_beside_the_stop_does_not_cut_the_waiting_short() -> None:
    supervisor = Supervisor([], print)

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


def test_what_cannot_be_prepared_leaves_no_child_behind(tmp_path: Path) -> None:
    state = tmp_path / "state"
    command = told(state)

    def work() -> int:
        os.execv(command[0], command)

    supervisor = Supervisor([Service("web", work)], lambda line: None)

    def fails() -> list[Service]:
        wait_until(lambda: says(state, "ready"))
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        supervisor.run(fails)

    assert not is_running(pid_of(state))
