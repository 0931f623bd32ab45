"""Orthanc asks through its REST API, with Latin-1 and with UTF-8 as its own encoding."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conftest import free_port
from tests.interoperability.interview import Keys, Told, interview
from tests.interoperability.server import STARTS_WITHIN, served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="Orthanc",
    origin=Origin.DEBIAN,
    packages=("orthanc==1.10.1",),
    part=Part.ASKS,
    works="C-ECHO; all 300 answers by `/modalities/{id}/find-worklist`; "
    'with `"DefaultEncoding": "Utf8"` every name, both ways',
    fails="with its default, Latin-1, names in other scripts come back empty (`^`), "
    "and a query for `*山田*` leaves as `**`: everybody",
    fault="Orthanc: it drops the letters that its own encoding lacks, without a word",
    remedy='set `"DefaultEncoding": "Utf8"` in Orthanc\'s configuration',
)


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        modality = {"AET": "MWL_SERVER", "Host": "127.0.0.1", "Port": product.port}
        for encoding in ("Latin1", "Utf8"):
            known = {"DicomModalities": {"pylantir": modality}, "DicomServerEnabled": False}
            with running(work, DefaultEncoding=encoding, **known) as url:
                yield f"DefaultEncoding {encoding}"
                yield f"C-ECHO: {post(f'{url}/modalities/pylantir/echo', {})}"
                yield from interview(lambda keys, url=url: ask(url, keys))  # type: ignore[misc]


def ask(url: str, keys: Keys) -> Told:
    step = {"ScheduledProcedureStepSequence": [{"Modality": "MR"}]}
    asked = {"PatientName": "", "PatientID": "", **keys, **step}
    answers = post(f"{url}/modalities/pylantir/find-worklist", asked)
    return Told([(each["PatientID"], each["PatientName"]) for each in answers])


def post(url: str, body: dict[str, Any]) -> Any:
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=60) as answer:
        return json.load(answer)


@contextmanager
def running(work: Workplace, **configuration: Any) -> Iterator[str]:
    """Give the address of an Orthanc with this configuration, beside what keeps it to itself."""
    http = free_port()
    folder = work.folder / f"orthanc-{http}"
    everything = {
        "HttpPort": http,
        "DicomPort": free_port(),
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder),
        **configuration,
    }
    folder.mkdir()
    file = folder / "orthanc.json"
    file.write_text(json.dumps(everything), encoding="utf-8")
    with file.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            [work.programs / "Orthanc", file], env=work.environment, stdout=log, stderr=log
        )
    try:
        _wait_for(f"http://127.0.0.1:{http}/system")
        yield f"http://127.0.0.1:{http}"
    finally:
        process.terminate()
        process.wait(STARTS_WITHIN)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise RuntimeError("Orthanc did not start.")
