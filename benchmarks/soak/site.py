"""The server runs as `manage.py start` does, with all of its processes, on data of its own.

    python -m benchmarks.soak.site --n 2000 --redcap URL

fills the database, in a process of its own, for settings come from the environment.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from benchmarks import peers
from benchmarks.peers import ENDED_WITHIN, FILLED_WITHIN, ROOT, NotStartedError, Store
from tests.redcap.studies import TOKEN

EACH = 30  # seconds between two pulls, the least that a source may be set to


@dataclass(frozen=True)
class Site:
    """It is served at two ports of this machine."""

    pid: int
    dicom: int
    web: int
    password: str  # of admin
    n: int  # items at the beginning

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web}"


def environment(store: Store, password: str) -> dict[str, str]:
    from benchmarks.pulling import TOKEN_VARIABLE

    return {**store.environment, "PYLANTIR_ADMIN_PASSWORD": password, TOKEN_VARIABLE: TOKEN}


@contextmanager
def running(store: Store, redcap: str) -> Iterator[Site]:
    """Fill a database, and start all on it. Raises NotStartedError."""
    password = secrets.token_urlsafe(12)
    store.folder.mkdir(parents=True, exist_ok=True)
    surroundings = environment(store, password)
    fill = [sys.executable, "-m", "benchmarks.soak.site", "--n", str(store.n), "--redcap", redcap]
    filled = subprocess.run(
        fill,
        cwd=ROOT,
        env=surroundings,
        stderr=subprocess.PIPE,
        text=True,
        timeout=FILLED_WITHIN,
        check=False,
    )
    if filled.returncode:
        raise NotStartedError(f"The database could not be filled.\n{filled.stderr}")
    dicom, web = peers.free_port(), peers.free_port()
    log = store.folder / "start.log"
    command = [sys.executable, "manage.py", "start", "--port", str(dicom), "--api-port", str(web)]
    with log.open("wb") as told:
        process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=told, stderr=told)
    try:
        peers.wait(process, dicom, log)
        yield Site(process.pid, dicom, web, password, store.n)
    finally:
        process.terminate()
        try:
            process.wait(2 * ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--redcap", required=True)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks import database, items, pulling

    call_command("migrate", verbosity=0)
    database.fill(items.item(number, today=date.today()) for number in range(options.n))
    pulling.make_source(options.redcap, sync_interval=EACH)


if __name__ == "__main__":
    main()
