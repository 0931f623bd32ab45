"""Debian's Orthanc runs on free ports of this computer, with a folder of its own and DICOMweb."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.archives.images import MadeStudy, as_bytes, images
from tests.conftest import free_port, not_installed, sbin_tool, wait_until

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "tester", "a-test-only"
AE_TITLE = "ORTHANC"


@dataclass(frozen=True)
class Orthanc:
    dicom_port: int
    http_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def dicomweb_url(self) -> str:
        return f"{self.url}/dicom-web"

    def store(self, studies: Iterable[MadeStudy]) -> None:
        """Store the studies' images by Orthanc's own REST, four at a time."""
        with requests.Session() as session, ThreadPoolExecutor(4) as pool:
            session.auth = (USER, PASSWORD)

            def put(data: bytes) -> None:
                session.post(f"{self.url}/instances", data=data, timeout=60).raise_for_status()

            list(pool.map(put, (as_bytes(image) for study in studies for image in images(study))))


@contextmanager
def running_orthanc(folder: Path, **settings: object) -> Iterator[Orthanc]:
    """Run Orthanc in the folder; `settings` go over its own. Skips where it is not installed."""
    program = sbin_tool("Orthanc")
    if not PLUGIN.is_file():
        not_installed("orthanc-dicomweb")
    orthanc = Orthanc(free_port(), free_port())
    configuration = {
        "Name": "for tests",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(PLUGIN)],
        "DicomAet": AE_TITLE,
        "DicomPort": orthanc.dicom_port,
        "DicomCheckModalityHost": False,
        "DicomAlwaysAllowFind": True,
        "HttpPort": orthanc.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "StoreMD5ForAttachments": False,
        "SaveJobs": False,
        **settings,
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(file)], stdout=log, stderr=log, cwd=folder)
        try:
            wait_until(lambda: process.poll() is not None or _answers(orthanc), 30)
            assert process.poll() is None, (folder / "orthanc.log").read_text(errors="replace")[-2000:]
            yield orthanc
        finally:
            process.terminate()
            process.wait(20)


def _answers(orthanc: Orthanc) -> bool:
    try:
        return requests.get(f"{orthanc.url}/system", auth=(USER, PASSWORD), timeout=2).ok
    except requests.RequestException:
        return False
