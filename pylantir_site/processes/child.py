"""A child is forked from a process that has loaded all it needs: it is ready at once, and shares memory."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import connections

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
# Exit codes beside 0 and 1, as sysexits.h has them.
AGAIN = 75  # EX_TEMPFAIL: it ended in order to be started anew
SET_UP_WRONGLY = 78  # EX_CONFIG: only a person can mend it

Work = Callable[[], int]


def share_memory() -> None:
    """Make what is loaded cheap to share: a collection in a child no longer writes into it."""
    gc.collect()
    gc.freeze()


def fork(work: Work, *, name: str) -> int:
    """Run the work in a new process, and return its id. The work's return value is the exit code.

    On Linux `ps -o comm` and `top` show it as "pylantir" and the name.

    The child has a session of its own, so that a Ctrl-C reaches its parent alone, and signals as they are
    by default. On Linux it gets SIGTERM when its parent dies, even by SIGKILL.
    """
    connections.close_all()  # a connection must not be shared over a fork
    flush()
    parent = os.getpid()
    # Until its own handlers are gone, no signal may reach the child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    code = 1
    try:
        begin(parent, name)
        code = outcome_of(work)
    finally:
        flush()
        logging.shutdown()
        os._exit(code)  # the parent's own clean-up is not for a child to do


def begin(parent: int, name: str) -> None:
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, f"pylantir {name}".encode())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, signal.SIG_DFL)
    stop_with_parent(parent)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def stop_with_parent(parent: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def outcome_of(work: Work) -> int:
    try:
        return work()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (CommandError, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return SET_UP_WRONGLY
    except BaseException:
        traceback.print_exc()
        return 1


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the terminal may be gone
            continue
