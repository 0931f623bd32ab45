"""An archive's filing scheme says where it puts an image, and by what two sessions are one in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sources.filing import flywheel, loris, reproin, xnat
from sources.filing.filed import File, Filed

Place = tuple[str, ...]


class FilingScheme(NamedTuple):
    """`subject_place` and `session_place` are equal for what the archive takes for one; None is unknown."""

    key: str
    name: str
    file: File
    subject_place: Callable[[Filed], Place | None]
    session_place: Callable[[Filed], Place | None]


def _of_labels(*labels: str) -> Place | None:
    return labels if all(labels) else None


def _subject(filed: Filed) -> Place | None:
    return _of_labels(filed.project.label, filed.subject.label)


def _session(filed: Filed) -> Place | None:
    return _of_labels(filed.project.label, filed.subject.label, filed.session.label)


def _xnat_session(filed: Filed) -> Place | None:
    """Return the place; a session's label is its project's, whoever the subject is."""
    return _of_labels(filed.project.label, filed.session.label)


def _candidate(filed: Filed) -> Place | None:
    """Return the CandID, for a PSCID is its other name."""
    return _of_labels(filed.subject.label.rpartition("_")[2])


def _visit(filed: Filed) -> Place | None:
    return _of_labels(filed.subject.label.rpartition("_")[2], filed.session.label)


def _nowhere(filed: Filed) -> None:
    return None


SCHEMES = {
    scheme.key: scheme
    for scheme in (
        FilingScheme("xnat", "XNAT", xnat.file, _subject, _xnat_session),
        FilingScheme("xnat_custom", "XNAT", xnat.file_by_custom_rules, _subject, _xnat_session),
        FilingScheme("loris", "LORIS", loris.file, _candidate, _visit),
        FilingScheme("flywheel", "Flywheel", flywheel.file, _subject, _session),
        FilingScheme("reproin", "ReproIn", reproin.file, _subject, _nowhere),
    )
}
