"""Orthanc's plugin serves the product's answers as files, with Latin-1 and with UTF-8 as its own encoding."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conftest import free_port
from tests.interoperability.interview import interview
from tests.interoperability.scripts.findscu import ask
from tests.interoperability.scripts.orthanc import running
from tests.interoperability.scripts.wlmscpfs import extracted
from tests.interoperability.server import served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="Orthanc's worklist plugin",
    origin=Origin.DEBIAN,
    packages=("orthanc==1.10.1", "dcmtk==3.6.7"),
    part=Part.FILES,
    works="it serves our answers, kept by `findscu -X`, as its files: all 300; "
    'with `"DefaultEncoding": "Utf8"` every name',
    fails="with its default, Latin-1, names in other scripts are sent empty (`^`)",
    fault="Orthanc: it drops the letters that its own encoding lacks, without a word",
    remedy="import its files here, where an answer goes in a character set that holds the name",
)
PLUGIN = "/usr/share/orthanc/plugins/libModalityWorklists.so"


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        files = extracted(work, product.port)
    serving = {"Plugins": [PLUGIN], "Worklists": {"Enable": True, "Database": str(files)}}
    for encoding in ("Latin1", "Utf8"):
        port = free_port()
        allowed = {"DicomPort": port, "DicomAlwaysAllowFindWorklist": True}
        with running(work, DefaultEncoding=encoding, **serving, **allowed):
            yield f"DefaultEncoding {encoding}"
            yield from interview(lambda keys, port=port: ask(work, port, keys))  # type: ignore[misc]
