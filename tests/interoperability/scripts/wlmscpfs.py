"""wlmscpfs serves the product's answers as files, and the product imports those files again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import free_port
from tests.interoperability.interview import interview
from tests.interoperability.scripts.findscu import ask
from tests.interoperability.server import STARTS_WITHIN, served, wait_for
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="wlmscpfs",
    origin=Origin.DEBIAN,
    packages=("dcmtk==3.6.7",),
    part=Part.FILES,
    works="it serves our answers, kept by `findscu -X`, as its files: all 300; "
    "`import_worklist` takes them back, and only fills in descriptions that an answer took from the protocol",
    fails="a name beyond ASCII is found only where query and file declare the same character set",
    fault="wlmscpfs: it converts no character set",
    remedy="import its files here: a name is found in whatever character set it is asked",
)
ROOT_KEYS = (
    *("AccessionNumber", "ReferringPhysicianName", "PatientName", "PatientID", "PatientBirthDate"),
    *(
        "PatientSex",
        "PatientWeight",
        "StudyInstanceUID",
        "RequestedProcedureID",
        "RequestedProcedureDescription",
    ),
)
STEP_KEYS = (
    *("Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate"),
    *("ScheduledProcedureStepStartTime", "ScheduledPerformingPhysicianName"),
    *("ScheduledProcedureStepDescription", "ScheduledProcedureStepID"),
)


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        files = extracted(work, product.port)
        for option in ("--return-no-char-set", "--keep-char-set"):
            with running(work, option) as port:
                yield option
                yield from interview(lambda keys, port=port: ask(work, port, keys))  # type: ignore[misc]
        for time in ("once", "twice"):
            imported = product.manage("import_worklist", str(files)).splitlines()
            yield f"imported {time}: {imported[-1]}"


def extracted(work: Workplace, port: int) -> Path:
    """Return the folder of wlmscpfs with an answer in each file, in every attribute that it needs."""
    files = work.folder / "worklists" / "MWL_SERVER"
    files.mkdir(parents=True)
    (files / "lockfile").touch()
    keys = [*ROOT_KEYS, *(f"(0040,0100)[0].{key}" for key in STEP_KEYS)]
    named = [part for key in keys for part in ("-k", key)]
    work.lines("findscu", "-W", "-X", "-od", files, *named, "127.0.0.1", str(port))
    for path in files.glob("*.dcm"):
        path.rename(path.with_suffix(".wl"))
    return files


@contextmanager
def running(work: Workplace, option: str) -> Iterator[int]:
    """Give the port of a wlmscpfs."""
    port = free_port()
    folder = str(work.folder / "worklists")
    command = ["wlmscpfs", "--single-process", option, "--data-files-path", folder, str(port)]
    process = subprocess.Popen(command, cwd=work.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(STARTS_WITHIN)
