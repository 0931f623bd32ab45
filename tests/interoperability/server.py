"""The product itself runs here for a script: its own database, its own port on the loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 30.0  # seconds


@dataclass(frozen=True)
class Product:
    """A server that listens, and its commands on the same database."""

    port: int
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Return what the command printed, errors too, whatever its exit status."""
        return self._done("manage.py", *arguments).stdout

    def run(self, *arguments: str) -> None:
        """Run Python in this environment. Raises RuntimeError with what it printed where it fails."""
        done = self._done(*arguments)
        if done.returncode:
            raise RuntimeError(done.stdout)

    def _done(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@contextmanager
def served(folder: Path, *, people: bool = True) -> Iterator[Product]:
    """Give a server that offers the made-up people, or nobody, until the block ends."""
    product = Product(free_port(), _environment(folder))
    product.run("manage.py", "migrate")
    if people:
        product.run("-m", "tests.interoperability.people")
    command = [sys.executable, "manage.py", "run_mwl", "--port", str(product.port), "--processes", "1"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=product.environment, stdout=log, stderr=log)
    try:
        wait_for(product.port, process)
        yield product
    finally:
        process.terminate()
        process.wait(STARTS_WITHIN)


def _environment(folder: Path) -> dict[str, str]:
    others = ("DATABASE_URL", "USERS_DB_PATH", "PYLANTIR_CONFIG")
    kept = {name: value for name, value in os.environ.items() if name not in others}
    return {
        **kept,
        "DB_PATH": str(folder / "worklist.db"),
        "DJANGO_SETTINGS_MODULE": "pylantir_site.settings",
        "TIME_ZONE": "Europe/Berlin",
    }


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens at the port. Raises RuntimeError where the process ends before."""
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server did not start.")
