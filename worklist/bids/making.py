"""A data set is made of the items that are asked for, whole or pseudonymous."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from pylantir_site import __version__
from worklist.bids import dataset, gathering, visits
from worklist.bids.dataset import About, BidsSession, Subject
from worklist.bids.visits import SHIFTED_BACK, BidsRefused, HowTold, ReadAppointment
from worklist.exporting.telling import Telling


@dataclass(frozen=True)
class DataSet:
    participants: list[Subject]
    about: About

    @property
    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the text of each file."""
        return dataset.files(self.participants, self.about)

    @property
    def sessions(self) -> list[BidsSession]:
        return [session for participant in self.participants for session in participant.sessions]

    @property
    def keys(self) -> list[int]:
        """Return the keys of the items that it was made of."""
        return [key for session in self.sessions for key in session.keys]


def data_set(asked: QuerySet[Any], telling: Telling, *, performed_only: bool = True) -> DataSet:
    """Return the data set of the items that are asked for, and were performed or at least not cancelled.

    Raises BidsRefused with all that keeps it from being made, and where there is nobody in it.
    """
    pseudonyms = telling.pseudonyms
    are_shifted = pseudonyms is not None and telling.shifts_dates
    appointments = gathering.appointments(
        asked, performed_only=performed_only, are_pseudonyms=pseudonyms is not None
    )
    participants = visits.participants(appointments, _how(telling))
    if not participants:
        how_far = "performed" if performed_only else "scheduled or performed"
        raise BidsRefused([f"Nothing that was asked for is {how_far}."])
    about = About(
        __version__,
        are_pseudonyms=pseudonyms is not None,
        are_shifted=are_shifted,
        performed_only=performed_only,
    )
    return DataSet(participants, about)


def _how(telling: Telling) -> HowTold:
    pseudonyms = telling.pseudonyms
    if pseudonyms is None:
        return HowTold(
            subject=lambda appointment: appointment.subject,
            study_uid=lambda uid: uid,
            shift=lambda appointment: timedelta(),
        )

    def shift(appointment: ReadAppointment) -> timedelta:
        if not telling.shifts_dates:
            return timedelta()
        return timedelta(days=pseudonyms.days(appointment.participant)) - SHIFTED_BACK

    return HowTold(
        subject=lambda appointment: pseudonyms.participant(appointment.participant) or "",
        study_uid=lambda uid: pseudonyms.uid(uid) or "",
        shift=shift,
    )
