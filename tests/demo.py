"""`make demo` runs the product on its own database, beside a stand-in REDCap, on an eventful day.

Two scanners ask for their worklist (`tests.demo_scanner`), and one of them reports what it did.
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
from datetime import date
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 60.0  # seconds
BETWEEN_QUERIES = 60.0  # seconds, as consoles ask by themselves
SOURCE = "growing_brains"
SCANNERS = (("MR1", "3T, ground floor"), ("MR2", "1.5T, first floor"))


def main() -> int:
    """Run until Ctrl-C; return the exit code of `start`, which takes the other options."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--folder", type=Path, default=ROOT / "data" / "demo")
    options, others = parser.parse_known_args()
    folder = options.folder.resolve()
    prepare_environment(folder)
    from tests.demo_study import configuration, demo_study
    from tests.redcap.server import RedcapServer

    with RedcapServer(demo_study(date.today())) as redcap:
        file = folder / "pylantir.json"
        file.write_text(json.dumps(configuration(redcap.url), indent=2), encoding="utf-8")
        file.chmod(0o600)
        print("Making a study of eight children in a stand-in REDCap, and pulling from it.", flush=True)
        fill(file)
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
    """Import the study, say which scanner it uses, and pull. What commands say is for who asked for them."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    call_command("import_config", str(configuration), stdout=StringIO())
    set_up_scanners()
    call_command("sync_source", SOURCE, stdout=StringIO())
    connections.close_all()


def set_up_scanners() -> None:
    from sources.models import DataSource
    from worklist.models import Device

    for ae_title, name in SCANNERS:
        device = Device.objects.filter(ae_title=ae_title).first() or Device(ae_title=ae_title)
        device.name, device.modality = name, "MR"
        device.save_as("demo")
    source = DataSource.objects.get(name=SOURCE)
    source.scheduled_station_aetitle = SCANNERS[0][0]
    source.save_as("demo")


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
