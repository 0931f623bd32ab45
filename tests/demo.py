"""`make demo` runs the product on its own database, beside a stand-in REDCap, on an eventful day.

Two scanners ask for their worklist (`tests.demo_scanner`), and one of them reports what it did. Of two more
studies (`tests.demo_other_studies`) one is held, and of the other nothing is mapped yet.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import date
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.redcap.project import Project

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 60.0  # seconds
BETWEEN_QUERIES = 60.0  # seconds, as consoles ask by themselves
SCANNERS = (("MR1", "3T, ground floor"), ("MR2", "1.5T, first floor"))
SCANNER_OF = {"growing_brains": "MR1", "sleep_and_memory": "MR2"}


def main() -> int:
    """Run until Ctrl-C; return the exit code of `start`, which takes the other options."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--folder", type=Path, default=ROOT / "data" / "demo")
    options, others = parser.parse_known_args()
    folder = options.folder.resolve()
    prepare_environment(folder)
    from tests.demo_other_studies import ageing_study, sleep_configuration, sleep_study
    from tests.demo_study import configuration, demo_study
    from tests.redcap.server import RedcapServer

    today = date.today()
    sleepers = sleep_study(today)
    with RedcapServer(demo_study(today), sleepers, ageing_study(today)) as redcap:
        file = folder / "pylantir.json"
        imported = configuration(redcap.url)
        imported["data_sources"].append(sleep_configuration(redcap.url))
        file.write_text(json.dumps(imported, indent=2), encoding="utf-8")
        file.chmod(0o600)
        print("Making a study of eight children in a stand-in REDCap, and pulling from it.", flush=True)
        fill(file)
        show_other_studies(sleepers, redcap.url)
        return run(others, redcap.url)


def prepare_environment(folder: Path) -> None:
    """Name a new database each time, for the day is today's; the password stays."""
    password = emptied(folder)
    for name in ("DATABASE_URL", "USERS_DB_PATH", "PYLANTIR_CONFIG"):
        os.environ.pop(name, None)
    os.environ["DB_PATH"] = str(folder / "worklist.db")
    os.environ["DJANGO_SETTINGS_MODULE"] = "pylantir_site.settings"
    os.environ.setdefault("PYLANTIR_ADMIN_PASSWORD", password)


def emptied(folder: Path) -> str:
    """Empty the folder, and return the admin's password, which is made at the first start and kept."""
    kept = folder / "admin_password"
    password = kept.read_text(encoding="ascii") if kept.exists() else secrets.token_urlsafe(12)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    kept.touch(mode=0o600)
    kept.write_text(password, encoding="ascii")
    return password


def fill(configuration: Path) -> None:
    """Import the studies, say which scanner each uses, and pull. What commands say is for who asked."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    call_command("import_config", str(configuration), stdout=StringIO())
    set_up_scanners()
    for source in SCANNER_OF:
        call_command("sync_source", source, stdout=StringIO())
    connections.close_all()


def set_up_scanners() -> None:
    from sources.models import DataSource
    from worklist.models import Device

    for ae_title, name in SCANNERS:
        device = Device.objects.filter(ae_title=ae_title).first() or Device(ae_title=ae_title)
        device.name, device.modality = name, "MR"
        device.save_as("demo")
    for name, ae_title in SCANNER_OF.items():
        source = DataSource.objects.get(name=name)
        source.scheduled_station_aetitle = ae_title
        source.save_as("demo")


def show_other_studies(sleepers: Project, redcap_url: str) -> None:
    """Let the second pull of one study be held, and leave another's mapping to be suggested."""
    from django.core.management import CommandError, call_command
    from django.db import connections

    from tests import demo_other_studies

    demo_other_studies.lose_sight_of_records(sleepers)
    with suppress(CommandError):  # it says that the pull is held
        call_command("sync_source", demo_other_studies.SLEEP, full=True, stdout=StringIO())
    demo_other_studies.add_ageing_source(redcap_url)
    connections.close_all()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def run(arguments: list[str], redcap_url: str) -> int:
    # It stops by the same Ctrl-C: this process waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    port = int(arguments[arguments.index("--port") + 1]) if "--port" in arguments else 4242
    server = subprocess.Popen(manage("start", *arguments), preexec_fn=heed_interrupts)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    ended = threading.Event()
    threading.Thread(target=play, args=(ended, port, redcap_url), daemon=True).start()
    try:
        return server.wait()
    finally:
        ended.set()


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def play(ended: threading.Event, port: int, redcap_url: str) -> None:
    from tests import demo_scanner

    deadline = time.monotonic() + STARTS_WITHIN
    while not listens(port):
        if ended.wait(0.1) or time.monotonic() > deadline:
            return
    ask(ended, port)
    demo_scanner.play_the_day(port)
    print(
        "The scanners' day has been played, and they go on asking.\n"
        "Under Data sources, sleep_and_memory waits for a person: five of its six records vanished at once;\n"
        "and healthy_ageing has no mapping yet: press Suggest a mapping.\n"
        f"Sign in as admin with {os.environ['PYLANTIR_ADMIN_PASSWORD']} (the same at each start).\n"
        f"The stand-in REDCap is at {redcap_url}",
        flush=True,
    )
    while not ended.wait(BETWEEN_QUERIES):
        ask(ended, port)


def ask(ended: threading.Event, port: int) -> None:
    """Let each scanner ask for its list; where the server is ending, nobody answers."""
    from tests import demo_scanner

    for ae_title, _ in SCANNERS:
        try:
            demo_scanner.ask_for_today(port, ae_title)
        except (ConnectionError, RuntimeError):
            if not ended.wait(5):
                print(f"{ae_title} got no answer.", flush=True)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
