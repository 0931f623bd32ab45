"""A participant is erased from all that any app keeps, or from nothing."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils.translation import gettext_lazy as _

from archives.privacy import erasing as of_archives
from pylantir_site.notices.models import Delivery
from pylantir_site.privacy import accounts, participants
from pylantir_site.privacy.models import Erasure, Why
from pylantir_site.privacy.purging import purge
from sources.privacy import erasing as of_sources
from worklist.privacy import erasing as of_worklist
from worklist.privacy.erasing import EraseRefused
from worklist.privacy.mentions import MENTIONS, erase_mentions
from worklist.privacy.people import is_only_person
from worklist.privacy.pseudonyms import Pseudonyms

# What is written freely above the apps.
FREE_TEXTS: Mapping[Any, tuple[str, ...]] = {Erasure: ("reason",), Delivery: ("error",)}

log = logging.getLogger(__name__)

CHANGED = _("What is known of the participant has changed meanwhile: look again. Nothing was erased.")
NAMES = _("The reason names the participant, and it is kept: say it without name, ID and birth date.")


@dataclass(frozen=True)
class Order:
    """This is who erases, and why; with `until`, appointments after that day come in again."""

    actor: str
    reason: str = ""
    why: Why = Why.REQUEST
    until: date | None = None


def erase(patient_id: str, shown: str, order: Order) -> Erasure:
    """Erase the participant with the patient ID who was shown, by `participants.digest`.

    Raises EraseRefused, and changes nothing then. The files are purged after it (`Erasure.is_purged`).
    """
    with _every_database():
        erasure = _erase(patient_id, shown, order)
    log.info("A participant was erased by %s: %s.", order.actor, erasure.pseudonym)
    return erasure


def erase_and_purge(patient_id: str, shown: str, order: Order) -> Erasure:
    """Erase as `erase` does, and write the files anew without what is gone."""
    erasure = erase(patient_id, shown, order)
    purge()
    erasure.refresh_from_db(fields=["is_purged"])
    return erasure


def rehearse(patient_id: str, shown: str) -> dict[str, int]:
    """Return how many rows of what `erase` would change: it is done, and rolled back. Raises EraseRefused."""
    with _every_database():
        erasure = _erase(patient_id, shown, Order("rehearsal"))
        for alias in connections:
            transaction.set_rollback(True, using=alias)
    counts: dict[str, int] = erasure.counts
    return counts


def _erase(patient_id: str, shown: str, order: Order) -> Erasure:
    participant = participants.chosen(participants.find(patient_id), shown)
    if participant is None:
        raise EraseRefused(str(CHANGED))
    of_sources.hold(participant)
    held = of_worklist.hold(participant)
    traces, is_only = participants.traces_of(participant), is_only_person(participant)
    if traces.may_be_in(order.reason):
        raise EraseRefused(str(NAMES))
    pseudonyms = Pseudonyms()
    erasure = Erasure(by=order.actor, why=order.why, reason=order.reason, pseudonym=pseudonyms.patient_id)
    counts: Counter[str] = Counter()
    counts += of_sources.erase(
        participant,
        traces,
        erasure=erasure.uid,
        is_only_person=is_only,
        actor=order.actor,
        until=order.until,
    )
    counts += of_archives.erase(participant, traces, actor=order.actor)
    counts += of_worklist.erase(participant, held, traces, pseudonyms, actor=order.actor)
    counts += Counter(accounts.erase())
    counts += Counter({MENTIONS: erase_mentions(traces, FREE_TEXTS)})
    erasure.counts = dict(counts)
    erasure.save()
    return erasure


@contextmanager
def _every_database() -> Iterator[None]:
    """Open a transaction of each database: the worklist's is the outer one, and so commits last."""
    others = [alias for alias in connections if alias != DEFAULT_DB_ALIAS]
    with transaction.atomic():
        if not others:
            yield
            return
        with transaction.atomic(using=others[0]):
            yield
