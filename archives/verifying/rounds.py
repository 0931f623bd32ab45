"""An archive is asked once for all that is due, as much as it lets in a minute.

All studies of today and yesterday are asked for once an hour, by two questions: that finds what has arrived,
second studies, and what nobody scheduled. What they do not have is asked for by Study Instance UID, many at
once, and what is not found so by patient ID and day; not of an archive whose patient IDs are pseudonyms.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from archives.comparing.belonging import Belonging, ScannedSession, belonging
from archives.contract import UIDS_AT_ONCE, ArchiveClient, FoundStudy
from archives.models import Archive, ArchiveCheck, ArchivedStudy, ArchiveState, Finding
from archives.silent import completing
from archives.silent import due as silent_due
from archives.verifying import answers, claims, due, pseudonymous, reviewing, sessions, strays
from archives.verifying.budget import QuestionBudget
from pylantir_site.processes import pulse
from sources.errors import SourceError, TooMuchError
from worklist.attention import points

LISTED_EVERY = timedelta(hours=1)
NOT_LISTED_FOR = timedelta(days=1)  # where an archive has more studies of a day than it answers
MOST_OF_A_LISTING = 2000
PATIENCE = 10  # seconds for an archive that did not answer the last time, before it is asked in earnest
OpenClient = Callable[[Archive], ArchiveClient]


class _Asked(NamedTuple):
    """What an archive was asked for, all studies of these UIDs and of these days, and what it answered."""

    studies: Sequence[FoundStudy]
    uids: Collection[str] = ()
    days: Collection[date] = ()


def ask(archive_pk: int, claim: str, open_client: OpenClient, *, most: int | None = None) -> int:
    """Ask an archive that is claimed for what is due, and return by how many questions.

    `most` are the questions of the round, as many as the archive lets in a minute where none is given.
    What was wrong is written down, and the archive then left alone for a while.
    """
    archive = Archive.objects.asked().filter(pk=archive_pk).first()
    if archive is None or not claims.holds(archive_pk, claim):  # it waited so long that another was faster
        return 0
    now = timezone.now()
    due.note_ended(archive, now=now)
    silent_due.note_begun(archive, now=now)
    try:
        if claims.has_failed(archive_pk):
            _try(archive, open_client)
        with open_client(archive) as client:
            budget = QuestionBudget(client, most or archive.questions_per_minute)
            _Round(archive, client, budget, claim=claim, now=now).ask()
            questions = client.questions
    except SourceError as error:
        claims.note_failure(archive_pk, error, now=timezone.now())
        _note_problem(archive, str(error), now=now)
        return 0
    claims.note_answer(archive_pk, now=timezone.now())
    completing.complete(archive, now=now)
    silent_due.hasten(archive, now=now)
    return questions


def _try(archive: Archive, open_client: OpenClient) -> None:
    """Ask as little as shows that it answers again, and wait less for that. Raises SourceError."""
    impatient = copy.copy(archive)
    impatient.read_timeout = min(archive.read_timeout, PATIENCE)
    with open_client(impatient) as client:
        client.test()


class _Round:
    """It asks one archive for as long as the budget lasts."""

    def __init__(
        self, archive: Archive, client: ArchiveClient, budget: QuestionBudget, *, claim: str, now: datetime
    ) -> None:
        self.archive, self.client, self.budget = archive, client, budget
        self.claim, self.now = claim, now
        self.listed: dict[date, list[FoundStudy]] = {}

    def ask(self) -> None:
        """Ask what is due. Raises SourceError."""
        if self._is_listing_due():
            self._list_days()
        while self._goes_on() and (checks := list(self._due()[:UIDS_AT_ONCE])):
            self._ask_for(checks)

    def _goes_on(self) -> bool:
        pulse.goes_on()
        return not self.budget.is_spent and claims.holds(self.archive.pk, self.claim)

    def _due(self) -> QuerySet[ArchiveCheck]:
        return ArchiveCheck.objects.due(self.now).filter(archive=self.archive)

    def _is_listing_due(self) -> bool:
        at = ArchiveState.objects.values_list("next_listing_at", flat=True).get(archive=self.archive)
        return at is None or at <= self.now or at > self.now + 2 * NOT_LISTED_FOR

    def _list_days(self) -> None:
        """Ask for all studies of today and yesterday, and look through them."""
        today = timezone.localdate(self.now)
        days = (today, today - timedelta(days=1))
        try:
            listed = {day: self._studies(day=day) for day in days}
        except TooMuchError as error:
            self._note_listing(NOT_LISTED_FOR, str(error))
            return
        self.listed = listed
        studies = [study for found in listed.values() for study in found]
        found, known = self._belonging(studies)
        open_checks = ArchiveCheck.objects.filter(archive=self.archive, until__gte=self.now, item__in=known)
        there = [check for check in open_checks if found.of_session.get(check.item_id)]
        self._keep(there[:MOST_OF_A_LISTING], found, _Asked(studies, days=days))
        if self.archive.tells_stray_studies:
            strays.look_through(
                self.archive, found.nobodys, days=days, client=self.client, budget=self.budget, now=self.now
            )
            answered = {study.study_instance_uid for study in studies}
            strays.ask_again(self.archive, but=answered, client=self.client, budget=self.budget, now=self.now)
            strays.review_open(now=self.now)
        self._note_listing(LISTED_EVERY, "")

    def _note_listing(self, again_after: timedelta, problem: str) -> None:
        ArchiveState.objects.filter(archive=self.archive).update(
            next_listing_at=self.now + again_after, days_problem=problem
        )

    def _ask_for(self, checks: Sequence[ArchiveCheck]) -> None:
        reported = sessions.by_keys([check.item_id for check in checks])
        uids = self._uids(reported)
        studies = self._studies(study_instance_uids=uids) if uids else []
        answered = {study.study_instance_uid for study in studies}
        studies = [*studies, *self._of_listed_days(reported, answered)]
        for each in reported.values():
            if self.budget.is_spent:
                break
            if not self.archive.has_pseudonyms and not each.session.study_instance_uids & answered:
                studies += self._by_patient_and_day(each.session)
        found, _known = self._belonging(studies, list(reported))
        self._keep(checks, found, _Asked(studies, uids=uids))

    def _studies(self, **asked: Any) -> list[FoundStudy]:
        found = self.client.studies(**asked)
        return pseudonymous.of_nobody(found) if self.archive.has_pseudonyms else found

    def _uids(self, reported: Mapping[int, sessions.Reported]) -> set[str]:
        """Return the UIDs that items and reports have, and those by which the archive had them last."""
        rows = ArchivedStudy.objects.filter(archive=self.archive, item__in=reported, gone_at=None)
        scheduled = (each.session.study_instance_uids for each in reported.values())
        return set[str]().union(*scheduled, rows.values_list("study_instance_uid", flat=True))

    def _of_listed_days(
        self, reported: Mapping[int, sessions.Reported], answered: Collection[str]
    ) -> list[FoundStudy]:
        people = {each.session.patient_id for each in reported.values()}
        listed = (study for found in self.listed.values() for study in found)
        return [
            study
            for study in listed
            if study.patient_id in people and study.study_instance_uid not in answered
        ]

    def _by_patient_and_day(self, session: ScannedSession) -> list[FoundStudy]:
        """Ask for the session's studies by patient ID and each of its days that was not listed."""
        return [
            study
            for day in sorted(session.days)
            if day not in self.listed
            for study in self._studies(patient_id=session.patient_id, day=day)
        ]

    def _belonging(
        self, studies: Sequence[FoundStudy], item_pks: Collection[int] = ()
    ) -> tuple[Belonging, Collection[int]]:
        known = sessions.around(studies, item_pks)
        return belonging((each.session for each in known.values()), studies), known

    def _keep(self, checks: Sequence[ArchiveCheck], found: Belonging, asked: _Asked) -> None:
        """Ask for what is not known of the series, and write all down, some items at a time."""
        studies = [study for own in found.of_session.values() for study in own]
        rows = answers.rows_of(self.archive, [study.study_instance_uid for study in studies])
        doubted = answers.doubted([check.item_id for check in checks])
        for some in _portions(checks):
            told: dict[int | None, Sequence[answers.Answered]] = {}
            for check in some:
                own = answers.with_series(
                    found.of_session.get(check.item_id, ()),
                    rows,
                    in_doubt=check.item_id in doubted,
                    client=self.client,
                    budget=self.budget,
                )
                if own is None:
                    break
                told[check.item_id] = own
            self._write([check for check in some if check.item_id in told], told, rows, asked)
            if len(told) < len(some) or not self._goes_on():
                return

    def _write(
        self,
        checks: Sequence[ArchiveCheck],
        told: Mapping[int | None, Sequence[answers.Answered]],
        rows: Mapping[str, ArchivedStudy],
        asked: _Asked,
    ) -> None:
        there = {study.study_instance_uid for study in asked.studies}
        with transaction.atomic():
            held = sessions.hold([check.item_id for check in checks])
            checks = [check for check in checks if check.item_id in held]
            pks = [check.item_id for check in checks]
            answers.keep(self.archive, {pk: told[pk] for pk in pks}, rows, now=self.now)
            answers.note_gone(
                self.archive, Q(item__in=pks), uids=asked.uids, days=asked.days, answered=there, now=self.now
            )
            note = points.no_longer(f"As {self.archive.actor} answers.")
            findings = reviewing.review(pks, now=self.now, note=note)
            for check in checks:
                check.finding = findings.get((self.archive.pk, check.item_id), Finding.NOT_FOUND)
                check.asked_at = self.now
                check.asked_count += 1
                check.next_at = due.next_after(check, now=self.now)
                check.failures, check.problem = 0, ""
            fields = ("finding", "asked_at", "asked_count", "next_at", "failures", "problem")
            ArchiveCheck.objects.bulk_update(checks, fields)


def _note_problem(archive: Archive, problem: str, *, now: datetime) -> None:
    """Tell of what was due that the archive did not answer; what it answered before stays what is known."""
    unanswered = When(finding=Finding.NOT_ASKED, then=Value(Finding.FAILED.value))
    ArchiveCheck.objects.filter(archive=archive, next_at__lte=now).update(
        failures=F("failures") + 1, problem=problem, finding=Case(unanswered, default=F("finding"))
    )


def _portions(checks: Sequence[ArchiveCheck]) -> Iterator[Sequence[ArchiveCheck]]:
    return (checks[start : start + UIDS_AT_ONCE] for start in range(0, len(checks), UIDS_AT_ONCE))
