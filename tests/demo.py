"""`make demo` runs the product on its own database, beside a stand-in REDCap, on an eventful day.

A scanner asks for its worklist and reports: one examination completed, one under way, one of somebody whom no
item scheduled, one with another weight typed at the console.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 60.0  # seconds


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
        fill(file)
        return run(others, redcap.url)


def prepare_environment(folder: Path) -> None:
    """Name a new database each time, for the day is today's."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    for name in ("DATABASE_URL", "USERS_DB_PATH", "PYLANTIR_CONFIG"):
        os.environ.pop(name, None)
    os.environ["DB_PATH"] = str(folder / "worklist.db")
    os.environ["DJANGO_SETTINGS_MODULE"] = "pylantir_site.settings"


def fill(configuration: Path) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    call_command("import_config", str(configuration))
    call_command("sync_source", "growing_brains")
    connections.close_all()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def run(arguments: list[str], redcap_url: str) -> int:
    # It stops by the same Ctrl-C: this process waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    port = int(arguments[arguments.index("--port") + 1]) if "--port" in arguments else 4242
    server = subprocess.Popen(manage("start", *arguments), preexec_fn=heed_interrupts)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    threading.Thread(target=play, args=(server, port, redcap_url), daemon=True).start()
    return server.wait()


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def play(server: subprocess.Popen[bytes], port: int, redcap_url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while server.poll() is None and time.monotonic() < deadline:
        if listens(port):
            play_the_day(port)
            print(f"The scanner's day has been played. The stand-in REDCap is at {redcap_url}", flush=True)
            return
        time.sleep(0.1)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def play_the_day(port: int) -> None:
    from tests.scu import perform
    from tests.worklist import performed_steps as steps
    from worklist.models import WorklistItem

    first, second, third = WorklistItem.objects.filter(scheduled_start_date=date.today())[:3]
    done = steps.new_uid()
    perform(port, [begin(steps, done, first), steps.change(done, steps.completed())])
    heavier = steps.new_uid()
    wrong = begin(steps, heavier, second, PatientWeight="95")
    perform(port, [wrong, steps.change(heavier, steps.completed(steps.series(2)))])
    perform(port, [begin(steps, steps.new_uid(), third)])
    unknown, stranger = steps.new_uid(), unscheduled()
    perform(port, [begin(steps, unknown, stranger), steps.change(unknown, steps.completed(steps.series(3)))])


def begin(steps: Any, uid: str, item: Any, **changes: Any) -> Any:
    now = time.strftime("%H%M%S")
    today = {
        "PerformedProcedureStepStartDate": f"{date.today():%Y%m%d}",
        "PerformedProcedureStepStartTime": now,
    }
    return steps.create(uid, steps.begun(item, **today, **changes))


def unscheduled() -> Any:
    """Return a report of somebody typed in by hand at the console."""
    return SimpleNamespace(
        **{"patient_name": "Tremblay^Zoe", "patient_id": "GB101", "patient_birth_date": date(2015, 4, 2)},
        **{"patient_sex": "F", "modality": "MR", "study_instance_uid": "1.3.12.2.1107.5.2.43.77"},
        **{"accession_number": "", "requested_procedure_id": "", "scheduled_procedure_step_id": ""},
        **{"study_description": "", "procedure_description": ""},
    )


if __name__ == "__main__":
    sys.exit(main())
