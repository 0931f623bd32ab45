"""These sections tell how archives are asked, by C-FIND in the study root model."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.datadict import dictionary_description, tag_for_keyword

from worklist.conformance.markdown import bullets, table
from worklist.conformance.overview import HEAD
from worklist.dicom import study_root

ASKED = {
    "STUDY": study_root.STUDY_KEYS,
    "SERIES": (*study_root.SERIES_KEYS, *study_root.PATIENT_KEYS),
    "IMAGE": study_root.IMAGE_KEYS,
}


def query_retrieve() -> Iterator[str]:
    yield from table(HEAD, [(study_root.FIND.name, study_root.FIND, "Yes", "No")])


def service() -> Iterator[str]:
    yield "Archives are asked which studies they hold; nothing is retrieved from them or stored there."
    yield ""
    yield from bullets(
        f"At the level STUDY by a list of at most {study_root.UIDS_AT_ONCE} Study Instance UIDs, by Patient "
        "ID, or by Study Date, each without wild cards; at SERIES and IMAGE by the unique keys above.",
        "An archive that finds nothing by a list is asked for each of its UIDs alone.",
        "At IMAGE it is asked only where no series tells a weight, and cancelled after one answer.",
        f"More than {study_root.MOST_ANSWERS} answers to one question end the association: none is used.",
        "A question declares ISO_IR 192, and an answer is read in the character set that it declares.",
        "Relational queries are not negotiated. Pending with FF01 is taken as FF00.",
    )
    yield ""
    asked = (
        (level, dictionary_description(keyword), f"{tag_for_keyword(keyword):08X}")
        for level, keywords in ASKED.items()
        for keyword in keywords
    )
    yield from table(("Level", "Return key", "Tag"), ((level, name, _tag(tag)) for level, name, tag in asked))


def initiation() -> Iterator[str]:
    yield from bullets(
        "With an archive, to the host and port of its row, where a person tests it, and while items are to "
        "be asked for. One association serves many questions, and a new one where the archive has ended it.",
        "Verification and the study root FIND are proposed; TLS 1.2 or later where the row says so.",
    )


def _tag(tag: str) -> str:
    return f"({tag[:4]},{tag[4:].lower()})"
