"""The client asks an archive at the levels STUDY, SERIES and IMAGE, each question with its unique keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from pydicom import Dataset

from archives.asking import StudyAndSeriesAsking
from archives.cfind.access import CFindAccess
from archives.cfind.connection import Connection
from archives.cfind.statuses import NotUnderstood
from worklist.dicom.json_model import DataSet
from worklist.dicom.study_root import IMAGE_KEYS, PATIENT_KEYS, SERIES_KEYS, STUDY_KEYS

CHARACTER_SET = "ISO_IR 192"  # of the question: some archives answer in it
NO_STUDY = "2.25.0"  # it is of the nil UUID, which nobody generates


class CFindClient(StudyAndSeriesAsking):
    """It is an `archives.contract.ArchiveClient`."""

    def __init__(self, access: CFindAccess, *, wait: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self._connection = Connection(access, wait)
        self._patient_keys: tuple[str, ...] = PATIENT_KEYS

    @property
    def questions(self) -> int:
        return self._connection.questions

    def close(self) -> None:
        self._connection.close()

    def test(self) -> None:
        """Ask by C-ECHO, and by C-FIND for a study that no archive has."""
        self._connection.echo()
        self._connection.find(_query("STUDY", ("PatientID",), {"StudyInstanceUID": NO_STUDY}), enough=1)

    def _find_studies(self, keys: dict[str, str | list[str]]) -> list[DataSet]:
        return self._connection.find(_query("STUDY", STUDY_KEYS, keys))

    def _find_series(self, study_instance_uid: str) -> list[DataSet]:
        own = {"StudyInstanceUID": study_instance_uid}
        try:
            return self._connection.find(_query("SERIES", (*SERIES_KEYS, *self._patient_keys), own))
        except NotUnderstood:
            if not self._patient_keys:
                raise
            # Some archives refuse what they do not keep at a level, instead of leaving it empty.
            self._patient_keys = ()
            return self._connection.find(_query("SERIES", SERIES_KEYS, own))

    def _find_an_image(self, study_instance_uid: str, series_instance_uid: str) -> DataSet | None:
        own = {"StudyInstanceUID": study_instance_uid, "SeriesInstanceUID": series_instance_uid}
        found = self._connection.find(_query("IMAGE", IMAGE_KEYS, own), enough=1)
        return found[0] if found else None


def _query(level: str, wanted: Collection[str], keys: dict[str, str | list[str]] | dict[str, str]) -> Dataset:
    query = Dataset()
    query.SpecificCharacterSet = CHARACTER_SET
    query.QueryRetrieveLevel = level
    for keyword in wanted:
        setattr(query, keyword, None)
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query
