"""The supervisor runs Pylantir's processes side by side and stops them together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_EVERY = 0.1
PR_SET_PDEATHSIG = 1


@dataclass
class Supervisor:
    """Children live in sessions of their own, so that a Ctrl-C reaches this process alone.

    A stop goes to the parent of each child only: what it runs, it finishes itself.
    """

    commands: Mapping[str, list[str]]
    say: Callable[[str], object]
    grace: float = 30.0
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopping: bool = False
    impatient: bool = False

    def run(self) -> int:
        """Return 0 after a stop that was asked for and that every child followed, else 1."""
        with self.heeding_signals():
            try:
                self.start_children()
                self.wait()
                failed = self.ended_by_themselves()
                late = self.stop_children()
            finally:
                self.kill(list(self.children))  # what a child that died has left behind, too
        return 1 if failed or late or self.stopped_badly() else 0

    @contextlib.contextmanager
    def heeding_signals(self) -> Iterator[None]:
        # nohup lets a SIGHUP be ignored: that stays so.
        heeded = [number for number in STOP_SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self.asked_to_stop) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.impatient = self.stopping and number == signal.SIGINT
        self.stopping = True

    def start_children(self) -> None:
        for name, command in self.commands.items():
            self.children[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=stop_when_parent_dies(os.getpid()),
            )

    def running(self) -> list[str]:
        return [name for name, child in self.children.items() if child.poll() is None]

    def wait(self) -> None:
        while not self.stopping and len(self.running()) == len(self.children):
            time.sleep(LOOK_EVERY)

    def ended_by_themselves(self) -> bool:
        if self.stopping:
            return False
        for name, child in self.children.items():
            if child.poll() is not None:
                self.tell(f"{name} {how_it_ended(child.returncode)}: stopping all.")
        self.stopping = True
        return True

    def stop_children(self) -> list[str]:
        """Ask each to stop, wait in one shared time and kill the rest; return the names of those killed."""
        for name in self.running():
            self.children[name].terminate()
        deadline = time.monotonic() + self.grace
        while self.running() and not self.impatient and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
        late = self.running()
        for name in late:
            self.tell(f"{name} did not stop in time and is killed.")
        self.kill(late)
        return late

    def kill(self, names: list[str]) -> None:
        for name in names:
            # Its process group, and so whatever it runs or ran.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.children[name].pid, signal.SIGKILL)
            self.children[name].wait()

    def stopped_badly(self) -> bool:
        # -SIGTERM: it was asked to stop before it could listen.
        return any(child.returncode not in (0, -signal.SIGTERM) for child in self.children.values())

    def tell(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone; the stop goes on
            self.say(sentence)


def how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended by itself with exit code {code}"


def stop_when_parent_dies(parent: int) -> Callable[[], None] | None:
    """Return what a new child must run to get SIGTERM when its parent dies, even by SIGKILL (Linux only)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return prepare
