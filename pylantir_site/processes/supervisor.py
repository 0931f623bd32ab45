"""The supervisor runs Pylantir's processes side by side, restarts what dies, and stops them together."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType

from pylantir_site.processes import child
from pylantir_site.processes.child import AGAIN, SET_UP_WRONGLY
from pylantir_site.processes.pulse import Pulse
from pylantir_site.processes.restarts import Restarts

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_EVERY = 0.1
WAKES_WITHIN = 3.0  # seconds


@dataclass
class Service:
    """A process that is to run `work`.

    Where an `essential` one cannot be restarted, all end. One with a `pulse` is killed, and started again,
    when that is silent for so many seconds.
    """

    name: str
    work: Callable[[], int]
    essential: bool = False
    pulse: Pulse | None = None
    longest_silence: float = 60.0
    restarts: Restarts = field(default_factory=Restarts)
    pid: int = 0  # 0: it does not run
    group: int = 0  # its process group, until that was killed: the id may be another's then
    started_at: float = 0.0
    due_at: float = 0.0  # when it is to be started again
    stuck_since: float | None = None  # when it was first seen to be silent for too long
    code: int = 0  # how the last process ended, as os.waitstatus_to_exitcode tells it

    def start(self) -> None:
        if self.pulse:
            self.pulse.beat()
        self.started_at = time.monotonic()
        self.code = 0
        self.pid = self.group = child.fork(self.work, name=self.name)

    def has_ended(self) -> bool:
        """Tell whether it ran until now and has ended; its exit code is then kept."""
        if not self.pid:
            return False
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        if ended:
            self.code, self.pid = os.waitstatus_to_exitcode(status), 0
        return bool(ended)

    def is_stuck(self) -> bool:
        """Tell whether it is silent for too long, and was so at a look some seconds ago.

        A machine that slept wakes this process and its children: those then have a moment to beat.
        """
        if not self.pid or not self.pulse or self.pulse.silent_for() <= self.longest_silence:
            self.stuck_since = None
            return False
        if self.stuck_since is None:
            self.stuck_since = time.monotonic()
        return time.monotonic() - self.stuck_since > WAKES_WITHIN

    def kill(self) -> None:
        """Kill its process group, and so whatever it runs or ran."""
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, signal.SIGKILL)
            self.group = 0
        if self.pid:
            self.code, self.pid = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), 0


@dataclass
class Supervisor:
    """A stop goes to each child's own process only: what that runs, it finishes itself.

    `closing` is called when the stop begins.
    """

    services: Sequence[Service]
    say: Callable[[str], object]
    grace: float = 30.0
    closing: Callable[[], object] = lambda: None
    stopping: bool = False
    impatient: bool = False

    def run(self, meanwhile: Callable[[], Sequence[Service]] = tuple) -> int:
        """Return 0 after a stop that was asked for and that every child followed, else 1.

        Once the services run, `meanwhile` prepares others, which run from then on.
        """
        with self.heeding_signals():
            try:
                self.start(self.services)
                more = meanwhile()
                self.services = [*self.services, *more]
                self.start(more)
                failed = not self.watch()
                self.stopping = True
                self.closing()
                late = self.stop_children()
            finally:
                for service in self.services:
                    service.kill()  # what a child that died has left behind, too
        return 1 if failed or late or self.stopped_badly() else 0

    def start(self, services: Sequence[Service]) -> None:
        for service in services:
            if not self.stopping:
                service.start()

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

    def watch(self) -> bool:
        """Keep all running until a stop is asked for; return False where an essential one cannot be."""
        while not self.stopping:
            for service in self.services:
                if not self.look_after(service):
                    return False
            time.sleep(LOOK_EVERY)
        return True

    def look_after(self, service: Service) -> bool:
        if service.is_stuck():
            seconds = round(service.longest_silence)
            self.tell(f"{service.name} gave no sign of life for {seconds} s and is killed.")
            service.kill()
            return self.after_death(service)
        if service.has_ended():
            return self.after_death(service)
        if not service.pid and time.monotonic() >= service.due_at:
            service.start()
        return True

    def after_death(self, service: Service) -> bool:
        """Say that it died, and when it is started again; return False where that is in vain."""
        service.kill()  # what it has left behind
        if self.stopping:
            return True
        if service.code == AGAIN:
            service.start()
            return True
        service.restarts.count(time.monotonic() - service.started_at)
        how = f"{service.name} {how_it_ended(service.code)}"
        in_vain = service.code == SET_UP_WRONGLY or service.restarts.are_in_vain()
        if service.essential and in_vain:
            self.tell(f"{how} and cannot be restarted: stopping all.")
            return False
        wait = service.restarts.wait()
        self.tell(f"{how}: it is restarted{f' in {wait:g} s' if wait else ''}.")
        service.due_at = time.monotonic() + wait
        if not wait:
            service.start()
        return True

    def running(self) -> list[Service]:
        for service in self.services:
            service.has_ended()
        return [service for service in self.services if service.pid]

    def stop_children(self) -> list[Service]:
        """Ask each to stop, wait in one shared time and kill the rest; return those killed."""
        for service in self.running():
            os.kill(service.pid, signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        while self.running() and not self.impatient and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
        late = self.running()
        for service in late:
            self.tell(f"{service.name} did not stop in time and is killed.")
            service.kill()
        return late

    def stopped_badly(self) -> bool:
        # -SIGTERM: it was asked to stop before it could listen. AGAIN: it was about to be started anew.
        return any(service.code not in (0, AGAIN, -signal.SIGTERM) for service in self.services)

    def tell(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone; what is to be done goes on
            self.say(sentence)


def how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended by itself with exit code {code}"
