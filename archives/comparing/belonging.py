"""A study in an archive belongs to a session by its Study Instance UID, else by what else both carry.

Consoles make study UIDs of their own, and two of one session. So a study that no session names by its UID is
looked for by accession number, then by patient ID and day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from archives.contract import FoundStudy

FAR = 24 * 60.0  # minutes: how far apart what names no time is


@dataclass(frozen=True)
class ScannedSession:
    """It is what an item and the reports of its performed steps say of one session.

    `study_instance_uids` are the scheduled one and those that were reported, `days` those on which it was
    scheduled or performed, `start` when it began or was to begin, None where no time is known.
    """

    item_pk: int
    study_instance_uids: frozenset[str]
    accession_number: str
    patient_id: str
    days: frozenset[date]
    modality: str
    start: time | None = None


@dataclass(frozen=True)
class Belonging:
    """`of_session` has each session's studies by the item's key, in the order of time, `nobodys` the rest."""

    of_session: dict[int, tuple[FoundStudy, ...]]
    nobodys: tuple[FoundStudy, ...]


def belonging(sessions: Iterable[ScannedSession], studies: Iterable[FoundStudy]) -> Belonging:
    """Say whose each study is. The order in which they are given makes no difference.

    A UID that several sessions carry is of all of them: they were scheduled as one study. Anything else makes
    a study of one session alone.
    """
    known = sorted(sessions, key=_key)
    own: dict[int, list[FoundStudy]] = {each.item_pk: [] for each in known}
    left = list(dict.fromkeys(sorted(studies, key=_in_time)))
    for rule in (_named_by_uid, _of_one_accession_number):
        left = _dealt(rule(known), left, own)
    nobodys = []
    for study in left:
        if (session := _likeliest(study, known, own)) is None:
            nobodys.append(study)
        else:
            own[session.item_pk].append(study)
    return Belonging({pk: tuple(sorted(found, key=_in_time)) for pk, found in own.items()}, tuple(nobodys))


Rule = Callable[[FoundStudy], Collection[ScannedSession]]


def _dealt(rule: Rule, studies: Iterable[FoundStudy], own: dict[int, list[FoundStudy]]) -> list[FoundStudy]:
    """Give the studies to whom the rule says, and return those of which it says nothing."""
    left = []
    for study in studies:
        found = rule(study)
        for session in found:
            own[session.item_pk].append(study)
        if not found:
            left.append(study)
    return left


def _named_by_uid(sessions: Sequence[ScannedSession]) -> Rule:
    by_uid: dict[str, list[ScannedSession]] = defaultdict(list)
    for session in sessions:
        for uid in session.study_instance_uids:
            by_uid[uid].append(session)
    return lambda study: by_uid.get(study.study_instance_uid, [])


def _of_one_accession_number(sessions: Sequence[ScannedSession]) -> Rule:
    by_number: dict[str, list[ScannedSession]] = defaultdict(list)
    for session in sessions:
        if session.accession_number:
            by_number[session.accession_number].append(session)

    def rule(study: FoundStudy) -> Collection[ScannedSession]:
        found = by_number.get(study.accession_number, [])
        return found if len(found) == 1 else []

    return rule


def _likeliest(
    study: FoundStudy, sessions: Sequence[ScannedSession], own: dict[int, list[FoundStudy]]
) -> ScannedSession | None:
    """Return the session of that patient ID and day; one without a study first, then the nearest in time."""
    candidates = [each for each in sessions if _may_be(study, each)]
    return min(
        candidates,
        key=lambda each: (bool(own[each.item_pk]), _apart(study, each), each.item_pk),
        default=None,
    )


def _may_be(study: FoundStudy, session: ScannedSession) -> bool:
    is_same_kind = not study.modalities or not session.modality or session.modality in study.modalities
    return (
        bool(study.patient_id)
        and study.patient_id == session.patient_id
        and study.study_date in session.days
        and is_same_kind
    )


def _apart(study: FoundStudy, session: ScannedSession) -> float:
    if study.study_time is None or session.start is None:
        return FAR
    apart = datetime.combine(date.min, study.study_time) - datetime.combine(date.min, session.start)
    return abs(apart.total_seconds()) / 60


def _key(session: ScannedSession) -> int:
    return session.item_pk


def _in_time(study: FoundStudy) -> tuple[date, time, str]:
    return (study.study_date or date.min, study.study_time or time.min, study.study_instance_uid)
