"""The client asks an archive for studies, a study's series and an instance by GET, and by nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from archives.asking import StudyAndSeriesAsking, refuse_too_many
from archives.dicomweb.access import DicomwebAccess
from archives.dicomweb.answering import QuestionRefused, data_sets
from archives.words import ARCHIVE
from sources.http.transport import HttpRequest, HttpTransport
from worklist.dicom import json_model
from worklist.dicom.json_model import DataSet
from worklist.dicom.study_root import MOST_ANSWERS, PATIENT_KEYS, SERIES_KEYS, STUDY_KEYS

JSON = "application/dicom+json"
SMALLEST_PAGE = 100  # no archive is known that answers fewer studies at once, where it has more
# Matching keys that every archive returns without being asked (PS3.18 Tables 10.6.3-3 and -4).
OF_EVERY_STUDY = frozenset(STUDY_KEYS) - {"StudyDescription"}
OF_EVERY_SERIES = frozenset(SERIES_KEYS) - {"StationName"}


class DicomwebClient(StudyAndSeriesAsking):
    """It is an `archives.contract.ArchiveClient`."""

    def __init__(self, access: DicomwebAccess, *, wait: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self._access = access
        self._transport = HttpTransport(access, ARCHIVE, wait)
        self._further: tuple[str, ...] = PATIENT_KEYS

    @property
    def questions(self) -> int:
        return self._transport.requests

    def close(self) -> None:
        self._transport.close()

    def test(self) -> None:
        """Ask for one study, whichever it is."""
        self._ask("studies", {}, (), limit=1)

    def _find_studies(self, keys: dict[str, str | list[str]]) -> list[DataSet]:
        # Commas separate the UIDs of a list (PS3.18 8.3.4.1); of a patient ID they are part.
        asked = {
            key: quote(value, safe="") if isinstance(value, str) else ",".join(value)
            for key, value in keys.items()
        }
        return self._ask_for_all("studies", asked, [key for key in STUDY_KEYS if key not in OF_EVERY_STUDY])

    def _find_series(self, study_instance_uid: str) -> list[DataSet]:
        path = f"studies/{quote(study_instance_uid, safe='')}/series"
        own = [key for key in SERIES_KEYS if key not in OF_EVERY_SERIES]
        try:
            return self._ask(path, {}, [*own, *self._further])
        except QuestionRefused:
            if not self._further:
                raise
            # Some archives refuse what they do not keep at a level, instead of leaving it out.
            self._further = ()
            return self._ask(path, {}, own)

    def _find_an_image(self, study_instance_uid: str, series_instance_uid: str) -> DataSet | None:
        study, series = (quote(uid, safe="") for uid in (study_instance_uid, series_instance_uid))
        found = self._ask(f"studies/{study}/series/{series}/instances", {}, PATIENT_KEYS, limit=1)
        return found[0] if found else None

    def _ask_for_all(self, path: str, keys: dict[str, str], wanted: Sequence[str]) -> list[DataSet]:
        """Return the answers of all pages: an archive may answer fewer than it has, and as many as it likes.

        What is left out would be taken for missing.
        """
        found = page = self._ask(path, keys, wanted)
        known = {_uid_of(each) for each in found}
        while len(page) >= SMALLEST_PAGE:
            try:
                page = self._ask(path, {**keys, "offset": str(len(found))}, wanted)
            except QuestionRefused:  # it knows no pages
                break
            page = [each for each in page if _uid_of(each) not in known]
            known.update(map(_uid_of, page))
            found = [*found, *page]
            refuse_too_many(len(found))
        return found

    def _ask(
        self, path: str, keys: dict[str, str], wanted: Sequence[str], *, limit: int = MOST_ANSWERS + 1
    ) -> list[DataSet]:
        """Return the answers; `keys` are a URL's, encoded already."""
        asked = [*keys.items(), *(("includefield", keyword) for keyword in wanted), ("limit", str(limit))]
        query = "&".join(f"{name}={value}" for name, value in asked)
        access = self._access
        request = HttpRequest(
            "GET",
            f"{access.url.rstrip('/')}/{path}?{query}",
            credentials=(access.user.encode(), access.password.encode()) if access.user else None,
            bearer=access.token,
            accept=JSON,
        )
        found = self._transport.ask_for(
            request, lambda status, body: data_sets(status, body, most=access.most)
        )
        refuse_too_many(len(found))
        return found


def _uid_of(found: DataSet) -> str:
    return "\\".join(json_model.texts(found.get("0020000D")))
