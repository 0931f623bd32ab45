"""DCMTK's dcmqrscp runs on a free port of this computer, with a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.archives.images import MadeStudy, as_bytes, images
from tests.conftest import dcmtk, free_port, wait_until

AE_TITLE = "DCMQRSCP"


@dataclass(frozen=True)
class Dcmqrscp:
    port: int
    folder: Path

    def store(self, studies: Iterable[MadeStudy]) -> None:
        """Store the studies' images by storescu."""
        made = self.folder / "made"
        made.mkdir(exist_ok=True)
        for study in studies:
            for image in images(study):
                (made / image.SOPInstanceUID).write_bytes(as_bytes(image))
        command = [dcmtk("storescu"), "-aec", AE_TITLE, "127.0.0.1", str(self.port), "+sd", str(made)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


@contextmanager
def running_dcmqrscp(folder: Path) -> Iterator[Dcmqrscp]:
    """Run it in the folder. Skips where it is not installed."""
    program = dcmtk("dcmqrscp")
    archive = Dcmqrscp(free_port(), folder)
    (folder / "storage").mkdir()
    file = folder / "dcmqrscp.cfg"
    file.write_text(
        f"NetworkTCPPort = {archive.port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        "HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{AE_TITLE} {folder / 'storage'} RW (500, 1024mb) ANY\nAETable END\n",
        encoding="ascii",
    )
    with (folder / "dcmqrscp.log").open("wb") as log:
        # It has a child for each association, and ends after the first without.
        process = subprocess.Popen(
            [program, "-c", str(file)], stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
        try:
            wait_until(lambda: process.poll() is not None or _listens(archive.port), 20)
            assert process.poll() is None, (folder / "dcmqrscp.log").read_text(errors="replace")[-2000:]
            yield archive
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
