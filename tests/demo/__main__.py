"""From an empty folder to a server that runs, with two studies pulled and a scanner's morning behind it."""

from __future__ import annotations

import argparse
import json
import logging
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
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo.day import DemoDay

if TYPE_CHECKING:
    from tests.archives.stand_in import StandIn
    from tests.redcap.project import Project

ROOT = Path(__file__).resolve().parent.parent.parent
STARTS_WITHIN = 60.0  # seconds
BETWEEN_QUERIES = 60.0  # seconds, as consoles ask by themselves
ENDS_AFTER = 4  # queries, and the examination that is under way is completed
LINES_OF_A_FAILURE = 20
SCANNERS = (("MR1", "3T, ground floor"), ("MR2", "1.5T, first floor"))
SCANNER_OF = {"growing_brains": "MR1", "sleep_and_memory": "MR1"}
READY = """
The demonstration runs. Everybody in it is invented, and all of it is gone at the next start.

  Today            MR1 has reported two examinations and stopped a third; one is under way, and ends while you
                   look. Somebody was examined whom no item scheduled, and one weight was typed anew.
  Archive          The images of one show a weight that was typed anew and that no report told;
                   those of the stopped one have not arrived.
  QA scans         MR1 is offered a phantom, which is nobody's and stands apart on Today.
  REDCap knows     growing_brains' form says who was scanned, when, and in how many series (Written back).
  Sources          sports_medicine books MR2 from a spreadsheet, and growing_brains MR1 from REDCap.
                   sleep_and_memory waits for a person: five of its six records vanished at once.
                   healthy_ageing has no mapping yet: press Suggest a mapping.
  As a scanner     findscu and test_client find MR1's items at {dicom} (README, Start).
  Stand-in REDCap  {redcap}
  The server says  {log}

Sign in at {admin} as admin with {password} (the same at each start). Ctrl-C stops all."""


def main() -> int:
    """Run until Ctrl-C; return the exit code of `start`, which takes the other options."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--folder", type=Path, default=ROOT / "data" / "demo")
    options, others = parser.parse_known_args()
    folder = options.folder.resolve()
    prepare_environment(folder)
    logging.disable(logging.INFO)  # what pulls say is the server's to tell, later
    from tests.archives.stand_in import running_stand_in
    from tests.demo.growing_brains import configuration, demo_study
    from tests.demo.other_studies import ageing_study, sleep_configuration, sleep_study
    from tests.demo.sports_medicine import workbook
    from tests.redcap.server import RedcapServer

    day = DemoDay(datetime.now())
    sleepers = sleep_study(day)
    studies = (demo_study(day), sleepers, ageing_study(day.now.date()))
    with RedcapServer(*studies) as redcap, running_stand_in() as archive:
        file = folder / "pylantir.json"
        imported = configuration(redcap.url)
        imported["data_sources"].append(sleep_configuration(redcap.url))
        file.write_text(json.dumps(imported, indent=2), encoding="utf-8")
        file.chmod(0o600)
        print("Making three studies in a stand-in REDCap and a spreadsheet, and pulling …", flush=True)
        fill(file, workbook(day), archive)
        show_other_studies(sleepers, redcap.url)
        print("Starting the server, and playing the scanner's morning …", flush=True)
        return Demonstration(folder, others, redcap.url, day, archive).run()


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


def fill(configuration: Path, spreadsheet: bytes, archive: StandIn) -> None:
    """Import the studies, say which scanner each uses, and pull. What commands say is for who asked."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    call_command("import_config", str(configuration), stdout=StringIO())
    set_up_scanners()
    from tests.demo import archive as small_archive
    from tests.demo import growing_brains, sports_medicine

    growing_brains.write_back()
    ask_for_a_phantom()
    small_archive.add_archive(archive)
    sports_medicine.add_source(spreadsheet)
    for source in (*SCANNER_OF, sports_medicine.NAME):
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
        source.save_with_details("demo")


def ask_for_a_phantom() -> None:
    """Give MR1 a rule by which it is checked on demand, and ask for a scan as people do."""
    from worklist.models import Device, QaRule
    from worklist.quality import on_demand

    rule = QaRule(device=Device.objects.get(ae_title="MR1"), name="Daily QA")
    rule.name_pattern, rule.protocol_name, rule.patient_weight_kg = "Phantom^{scanner}", "QA_SPHERE", 12
    rule.save_as("demo")
    on_demand.scan_now(rule.pk, actor="demo")


def show_other_studies(sleepers: Project, redcap_url: str) -> None:
    """Let the second pull of one study be held, and leave another's mapping to be suggested."""
    from django.core.management import CommandError, call_command
    from django.db import connections

    from tests.demo import other_studies

    other_studies.lose_sight_of_records(sleepers)
    with suppress(CommandError):  # it says that the pull is held
        call_command("sync_source", other_studies.SLEEP, full=True, stdout=StringIO())
    other_studies.add_ageing_source(redcap_url)
    connections.close_all()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


class Demonstration:
    """It runs `manage.py start`, whose lines go into a file, and the scanners beside it."""

    def __init__(
        self, folder: Path, arguments: list[str], redcap_url: str, day: DemoDay, archive: StandIn
    ) -> None:
        self.arguments = arguments
        self.redcap_url = redcap_url
        self.day = day
        self.archive = archive
        self.log = folder / "server.log"
        self.port = int(self._option("--port", "4242"))
        self.ended = threading.Event()

    def run(self) -> int:
        # The server stops by the same Ctrl-C: this process waits for it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with self.log.open("wb") as log:
            server = subprocess.Popen(
                manage("start", *self.arguments), preexec_fn=heed_interrupts, stdout=log, stderr=log
            )
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        threading.Thread(target=self.play, daemon=True).start()
        try:
            code = server.wait()
        finally:
            self.ended.set()
        if code:
            self._tell_why()
        return code

    def play(self) -> None:
        from tests.demo import archive as small_archive
        from tests.demo import growing_brains, scanner

        deadline = time.monotonic() + STARTS_WITHIN
        while not (listens(self.port) and listens(int(self._option("--api-port", "8000")))):
            if self.ended.wait(0.1) or time.monotonic() > deadline:
                return
        self.ask()
        running = scanner.play_the_day(self.port, self.day, self.archive)
        self.ask()
        growing_brains.write_now()
        small_archive.ask_now()
        print(self.welcome(), flush=True)
        asked = 0
        while not self.ended.wait(BETWEEN_QUERIES):
            self.ask()
            asked += 1
            if asked == ENDS_AFTER:
                scanner.end_the_running_one(self.port, running, self.archive)

    def ask(self) -> None:
        """Let each scanner ask for its list; where the server is ending, nobody answers."""
        from tests.demo import scanner

        for ae_title, _ in SCANNERS:
            try:
                scanner.ask_for_today(self.port, ae_title)
            except (ConnectionError, RuntimeError):
                if not self.ended.wait(5):
                    print(f"{ae_title} got no answer.", flush=True)

    def welcome(self) -> str:
        host = self._option("--api-host", "127.0.0.1")
        return READY.format(
            admin=f"http://{host}:{self._option('--api-port', '8000')}/admin/",
            dicom=f"127.0.0.1:{self.port}",
            log=self.log,
            password=os.environ["PYLANTIR_ADMIN_PASSWORD"],
            redcap=self.redcap_url,
        )

    def _option(self, name: str, otherwise: str) -> str:
        given = self.arguments
        return given[given.index(name) + 1] if name in given else otherwise

    def _tell_why(self) -> None:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        print("The server has ended. It said last:", *lines[-LINES_OF_A_FAILURE:], sep="\n", flush=True)


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
