"""dicom-echo asks whether the server is there, called by names that it knows and that it does not."""

from __future__ import annotations

from collections.abc import Iterator

from tests.interoperability.server import served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="dicom-echo",
    origin=Origin.PYPI,
    packages=("dicom-echo==0.3.0",),
    part=Part.ASKS,
    works="C-ECHO, by the server's AE title and by its own default `ANY-SCP`",
    fails="nothing that was tried",
    fault="–",
    remedy="–",
)
PROGRAM = """
import sys
import dicom_echo

print(dicom_echo.send(sys.argv[1], called_ae_title=sys.argv[2]))
"""


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder, people=False) as product:
        for title in ("MWL_SERVER", "ANY-SCP"):
            printed = work.lines("python", "-c", PROGRAM, f"127.0.0.1:{product.port}", title)
            yield f"{title}: status {printed[-1]}"
