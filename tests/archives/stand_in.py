"""A stand-in archive answers C-FIND and QIDO-RS in this process, in the ways in which archives differ."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

from tests.archives.images import MadeStudy, images
from tests.free_ports import free_port

AE_TITLE = "STANDIN"
USER, PASSWORD, TOKEN = "tester", "a-test-only", "a-test-token"
LEVELS = ("STUDY", "SERIES", "IMAGE")
UNIQUE = dict(zip(LEVELS, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), strict=True))
PATIENT = ("PatientWeight", "PatientSize")
# At which levels it tells a weight, by its switch.
TELLS = {"": (), "SERIES": ("SERIES", "IMAGE"), "IMAGE": ("IMAGE",), "refused": ("IMAGE",)}
COUNTS = ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances")


@dataclass
class StandIn:
    """It holds studies, notes what it is asked, and answers as its switches say."""

    studies: list[MadeStudy] = field(default_factory=list)
    lists: str = "matched"  # or taken as one UID ("literal"), by their first UID ("first"), or "refused"
    weight: str = "SERIES"  # one of TELLS; "refused": a question for it at the level SERIES is
    counts: bool = True
    page: int = 10_000  # answers of HTTP at once, however many are asked for
    pages: bool = True  # or it takes no notice of an offset
    narrows: bool = True  # to the study and series that are asked for, below the level STUDY
    status: int = 0  # of DIMSE or HTTP, instead of an answer
    answer: bytes | None = None  # of HTTP, instead of its own
    location: str = ""
    address: str = "127.0.0.1"  # of its DICOM port
    knows: tuple[str, ...] = ()  # calling AE titles; none: any
    offers_find: bool = True
    aborts_after: int | None = None  # answers
    credentials: str = ""  # what an Authorization field must be
    asked: list[dict[str, Any]] = field(default_factory=list)
    cancelled: int = 0
    dicom_port: int = 0
    http_port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def find(self, level: str, keys: dict[str, str], wanted: Sequence[str]) -> list[Dataset]:
        """Return an answer for each entity of the level that the keys match."""
        self.asked.append({"level": level, **keys})
        found: dict[str, Dataset] = {}
        if level != "STUDY" and not self.narrows:
            keys = {}
        for study in self.studies:
            for image in images(study):
                if all(self._fits(image, keyword, value) for keyword, value in keys.items() if value):
                    uid = str(image[UNIQUE[level]].value)
                    found.setdefault(uid, self._answer(level, study, image, wanted))
        return list(found.values())

    def _fits(self, image: Dataset, keyword: str, value: str) -> bool:
        held = str(image.get(keyword, ""))
        if keyword != "StudyInstanceUID":
            return held.lower() == value.lower() or value == "*"  # archives fold
        uids = value.split("\\")
        return {"matched": held in uids, "first": held == uids[0]}.get(self.lists, held == value)

    def _answer(self, level: str, study: MadeStudy, image: Dataset, wanted: Sequence[str]) -> Dataset:
        answer = Dataset()
        answer.SpecificCharacterSet = study.character_set
        for keyword in {*wanted, *(UNIQUE[each] for each in LEVELS[: LEVELS.index(level) + 1])}:
            value = image.get(keyword, None)
            if keyword in PATIENT and level not in TELLS[self.weight]:
                value = None
            setattr(answer, keyword, value)
        if "ModalitiesInStudy" in wanted:
            answer.ModalitiesInStudy = sorted({series.modality for series in study.series})
        if self.counts:
            own = [each.images for each in study.series if image.SeriesInstanceUID.endswith(f".{each.uid}")]
            sums = (len(study.series), sum(each.images for each in study.series), own[0])
            for keyword, count in zip(COUNTS, sums, strict=True):
                if keyword in wanted:
                    setattr(answer, keyword, count)
        return answer

    def refuses(self, level: str, keys: dict[str, str], wanted: Sequence[str]) -> bool:
        """Tell whether it refuses the question for its keys."""
        has_list = "\\" in keys.get("StudyInstanceUID", "")
        asks_weight = level == "SERIES" and any(keyword in PATIENT for keyword in wanted)
        return (self.lists == "refused" and has_list) or (self.weight == "refused" and asks_weight)


@contextmanager
def running_stand_in(*studies: MadeStudy, tls: Any = None, **switches: Any) -> Iterator[StandIn]:
    """Run it on two free ports of this computer; `tls` is the context of its DICOM port."""
    archive = StandIn(list(studies), **switches)
    archive.dicom_port, archive.http_port = free_port(), free_port()
    entity = AE(AE_TITLE)
    entity.require_called_aet = True
    entity.require_calling_aet = list(archive.knows)
    if archive.offers_find:
        entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    entity.add_supported_context(Verification)
    server = entity.start_server(
        (archive.address, archive.dicom_port),
        block=False,
        ssl_context=tls,
        evt_handlers=[(evt.EVT_C_FIND, _find, [archive])],
    )
    web = ThreadingHTTPServer(("127.0.0.1", archive.http_port), _handler(archive))
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    assert server is not None
    try:
        yield archive
    finally:
        # It looks every half second whether it is to end: nobody waits for that.
        threading.Thread(target=server.shutdown, daemon=True).start()
        web.shutdown()
        web.server_close()
        thread.join()


def _find(event: Any, archive: StandIn) -> Iterator[tuple[int, Dataset | None]]:
    query = event.identifier
    if archive.status:
        yield archive.status, None
        return
    level = str(query.QueryRetrieveLevel)
    del query.QueryRetrieveLevel, query.SpecificCharacterSet
    keys = {
        element.keyword: "\\".join(element.value) if element.VM > 1 else str(element.value)
        for element in query
        if element.value
    }
    wanted = [element.keyword for element in query]
    if archive.refuses(level, keys, wanted):
        archive.asked.append({"level": level, **keys})
        yield 0xA900, None
        return
    for place, answer in enumerate(archive.find(level, keys, wanted)):
        if place == archive.aborts_after:
            event.assoc.abort()
            return
        if event.is_cancelled:
            archive.cancelled += 1
            yield 0xFE00, None
            return
        answer.QueryRetrieveLevel = level
        yield 0xFF00, answer


def _handler(archive: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, body = self._answer()
            self.send_response(status)
            if archive.location:
                self.send_header("Location", archive.location)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _answer(self) -> tuple[int, bytes]:
            if self.headers.get("Authorization", "") != archive.credentials:
                return 401, b""
            if archive.status or archive.answer is not None:
                return archive.status or 200, archive.answer or b""
            level, keys, wanted, limit = _read(self.path)
            if archive.refuses(level, keys, wanted):
                archive.asked.append({"level": level, **keys})
                return 400, b""
            first = int(keys.pop("offset", "0")) if archive.pages else 0 * len(keys.pop("offset", ""))
            found = archive.find(level, keys, wanted)[first : first + min(limit, archive.page)]
            return 200, json.dumps([each.to_json_dict() for each in found]).encode()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def _read(address: str) -> tuple[str, dict[str, str], list[str], int]:
    """Return level, keys, what else is wanted, and how many answers."""
    parts = urlsplit(address)
    path = parts.path.removeprefix("/dicom-web/").split("/")
    level = LEVELS[len(path) // 2]
    # A comma as it is separates; one that is encoded is part of a value.
    given = [(name, unquote(raw.replace(",", "\\"))) for name, raw in map(_pair, parts.query.split("&"))]
    keys = dict(zip((UNIQUE["STUDY"], UNIQUE["SERIES"]), path[1::2], strict=False))
    keys.update({name: value for name, value in given if name not in ("limit", "includefield")})
    wanted = [*_BY_ITSELF[level], *(value for name, value in given if name == "includefield")]
    return level, keys, wanted, int(dict(given)["limit"])


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


_BY_ITSELF = {
    "STUDY": (
        *("StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "PatientName", "PatientID"),
        *("PatientBirthDate", "PatientSex", *COUNTS[:2]),
    ),
    "SERIES": ("Modality", "SeriesNumber", "SeriesDescription", COUNTS[2]),
    "IMAGE": ("InstanceNumber",),
}
