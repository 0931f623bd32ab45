"""This backend reads the bookings of a Calpendo as a source: each is a record, and its one session."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from pylantir_site.outside.strict_json import Most
from sources.backends.asking import AskingBackend
from sources.backends.calpendo import literal
from sources.backends.calpendo.literal import FoundLiteral
from sources.calpendo import biskits, bookings
from sources.calpendo.address import normalise_url
from sources.calpendo.answers import Biskit
from sources.calpendo.biskits import Contradiction
from sources.calpendo.bookings import CalpendoBooking, SiteTables, booking_of
from sources.calpendo.client import CalpendoAccess, CalpendoClient
from sources.calpendo.dictionary import BY_THE_TABLES, asked_paths, dictionary_of
from sources.calpendo.literals import DateLiteral
from sources.contract import ConnectionReport, Mistake, Problem, ReadRecord, Session, SessionKey, Stance
from sources.dictionary import Dictionary
from sources.errors import AuthorisationError, ConfigurationError
from sources.host import NotAllowed
from sources.mapping import evaluate, readers, targets
from sources.mapping.rules import MappingPlan
from sources.models import CalpendoSite, DataSource
from sources.models.details import SecretMissing
from sources.secrets import CannotDecrypt

FIRST_PAUSE = 1.0  # seconds before a request is tried again
PROBED = 3  # bookings that are looked at whole, for their fields
KEY = SessionKey()
NO_FLAG = (
    "Calpendo says of no booking whether it is cancelled: its states alone tell. "
    "Look at the rights of the source's user."
)
# Paths without which each booking is an issue of its own, so that nothing is lost where all lack them.
TOLD_OF_EACH = frozenset({bookings.ID, bookings.START, bookings.FORMATTED, bookings.CANCELLED})


class CalpendoBackend(AskingBackend):
    client: CalpendoClient
    described_as = "booking"

    def __init__(
        self, source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
    ) -> None:
        super().__init__(source, plan, dictionary)
        self.site: CalpendoSite = source.calpendo
        self.tables = _tables(self.site)
        self.client = CalpendoClient(_access(self.site), booking_type=self.site.booking_type, wait=self.wait)
        self._window: dict[str, Biskit] | None = None
        self._literal = DateLiteral(self.site.date_literal) if self.site.date_literal else None

    def utc_offset(self) -> timedelta | None:
        """Return None: no time of Calpendo's own clock is asked for."""
        return None

    # What there is

    def ask_dictionary(self) -> Dictionary:
        """Look at some bookings whole. Raises SourceError."""
        found = self.find_literal() if self._literal is None else None
        listed = found.bookings if found else self.ask_window(self._form(), (bookings.ID,))
        seen = [self.client.whole(booking) for booking in list(listed)[:PROBED]]
        return dictionary_of(self.site.booking_type, seen, self.site.paths)

    def fingerprint(self) -> str:
        """Tell whose dictionary it is: at another URL or of another type it is asked for anew."""
        parts = (str(self.source.uid), self.site.url, self.site.booking_type, self.site.further_paths)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def find_literal(self) -> FoundLiteral:
        """Find out how the server takes a time, and keep it once bookings show that it is right."""
        found = literal.find(
            lambda form: self.ask_window(form, (bookings.ID, bookings.START, bookings.RESOURCE))
        )
        self._literal = found.form
        if found.is_certain and self.site.date_literal != found.form:
            self.site.date_literal = found.form
            CalpendoSite.objects.filter(pk=self.site.pk).update(date_literal=found.form)
        return found

    def ask_window(self, form: DateLiteral, paths: Sequence[str]) -> dict[str, Biskit]:
        first, last = self.source.horizon(timezone.localdate())
        return self.client.in_window(self.tables.asked, first, last, literal=form, paths=paths)

    def _asked_window(self, paths: Sequence[str]) -> dict[str, Biskit]:
        """Ask for the window, and once more where the server turns out to take times in the other form."""
        form = self._form()
        try:
            return self.ask_window(form, paths)
        except ConfigurationError:
            if self.find_literal().form == form:
                raise
            return self.ask_window(self._form(), paths)

    def _form(self) -> DateLiteral:
        return self._literal or self.find_literal().form

    # What a pull reads

    def record_ids(self, *, since: datetime | None = None) -> Sequence[str]:
        """Return all bookings of the horizon, whatever changed: they are few, and come in one answer."""
        return list(self.window())

    def read(self, records: Sequence[str], *, with_trace: bool = False) -> Iterator[ReadRecord]:
        """Yield each booking, once all of them are there: of those that the horizon lacks, too."""
        window = self._window or {}
        beyond = [record for record in records if record not in window]
        found = {**window, **self.client.by_id(beyond, paths=self._paths())} if beyond else window
        for record in records:
            biskit = found.get(record)
            sessions = (self.session(biskit, with_trace=with_trace),) if biskit is not None else ()
            yield ReadRecord(record, biskit is not None, sessions)

    def window(self) -> Mapping[str, Biskit]:
        """Return the bookings of the horizon, by ID. They are asked for once. Raises SourceError."""
        if self._window is None:
            found = self._asked_window(self._paths())
            self._refuse_gaps(found.values())
            self._window = found
        return self._window

    def booking(self, biskit: Biskit) -> CalpendoBooking:
        return booking_of(biskit, self._named(), self.tables)

    def session(self, biskit: Biskit, *, with_trace: bool = False) -> Session:
        """Return the booking's session: as the mapping has it, where the site's tables let it be wanted."""
        booking = self.booking(biskit)
        (session,) = evaluate.sessions_of([booking.row], self.plan, self.dictionary(), with_trace=with_trace)
        if booking.reason:
            return replace(session, stance=Stance.NOT_WANTED, reason=booking.reason, problems=())
        if session.stance is Stance.NOT_WANTED:
            return session
        if booking.problem:
            problem = Problem(targets.STATUS, booking.problem_at, booking.problem, KEY, blocks=True)
            return replace(session, stance=Stance.NOT_WANTED, reason=booking.problem, problems=(problem,))
        missing = tuple(_problems_of_tables(booking, session))
        if not missing:
            return session
        return replace(session, stance=Stance.UNCLEAR, problems=(*session.problems, *missing))

    def _named(self) -> tuple[str, ...]:
        return evaluate.fields_needed(self.plan, self.dictionary())

    def _paths(self) -> tuple[str, ...]:
        return asked_paths(self._named(), self.dictionary())

    def _refuse_gaps(self, found: Iterable[Biskit]) -> None:
        """Refuse paths that no booking has: rights take them away unsaid, as if values were gone."""
        every = list(found)
        if not every:
            return
        absent = [path for path in self._paths() if not any(_has(biskit, path) for biskit in every)]
        if bookings.CANCELLED in absent:
            self.warnings.append(NO_FLAG)
        refused = [path for path in absent if path not in TOLD_OF_EACH]
        if refused:
            raise ConfigurationError(" ".join(self._told_gap(path) for path in refused))

    def _told_gap(self, path: str) -> str:
        by = " and ".join(readers.who_reads(path, self.plan, self.dictionary()))
        read = f"{path}, read by {by}," if by else path
        return (
            f"{read} is missing from Calpendo's answer for every booking: look at the rights of the source's "
            "user, and whether the booking type has it."
        )

    def mistakes(self, dictionary: Dictionary) -> tuple[Mistake, ...]:
        return (*super().mistakes(dictionary), *_names_taken_for_scanners(self.plan))

    def check(self) -> ConnectionReport:
        from sources.backends.calpendo.connection import report

        return report(self)


def resources_of(source: DataSource) -> tuple[str, ...]:
    """Return the resources that Calpendo shows to the source's user. Raises SourceError."""
    with CalpendoClient(_access(source.calpendo)) as client:
        return client.resources()


def _names_taken_for_scanners(plan: MappingPlan) -> Iterator[Mistake]:
    """Refuse a resource's own name as modality or scanner: the source's table says which it is."""
    for place, rule in enumerate(plan.rules):
        wanted = {"modality": bookings.MODALITY, targets.STATION: bookings.SCANNER}.get(rule.target)
        if wanted and rule.field.startswith("resource.") and rule.field not in BY_THE_TABLES:
            yield Mistake(place, "field", f"A resource's name is neither: choose {wanted}.")


def _problems_of_tables(booking: CalpendoBooking, session: Session) -> Iterator[Problem]:
    """Yield what the source's own tables and times cannot say, and no row of the mapping has told."""
    told = {problem.text for problem in session.problems}
    for target, path in (
        (targets.START, bookings.START),
        (targets.STATION, bookings.SCANNER),
    ):
        text = booking.row.unusable.get(path)
        if text and text not in told:
            yield Problem(
                target, bookings.RESOURCE if path in BY_THE_TABLES else path, text, KEY, blocks=True
            )


def _has(biskit: Biskit, path: str) -> bool:
    try:
        return biskits.text_at(biskit, path) is not None
    except Contradiction:
        return True


def _tables(site: CalpendoSite) -> SiteTables:
    try:
        tables = site.tables
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    if not tables.asked:
        raise ConfigurationError("The source names no resource: choose whose bookings are read.")
    return tables


def _access(site: CalpendoSite) -> CalpendoAccess:
    try:
        user, password = site.user(), site.password()
    except (SecretMissing, CannotDecrypt) as error:
        raise AuthorisationError(str(error)) from None
    try:
        certificates = site.certificates()
        url = normalise_url(site.url)
    except (NotAllowed, ValueError) as error:
        raise ConfigurationError(str(error)) from None
    rows = settings.SOURCE_ANSWER_ROWS
    return CalpendoAccess(
        url=url,
        user=user,
        password=password,
        ca_bundle=certificates,
        read_timeout=site.read_timeout,
        # Each worker counts its own: together they keep to what the source allows.
        requests_per_minute=max(1, site.requests_per_minute // settings.WORKERS),
        pause=FIRST_PAUSE,
        most_megabytes=settings.SOURCE_ANSWER_MEGABYTES,
        most=Most(objects=rows, names=settings.SOURCE_ANSWER_COLUMNS, values=10 * rows),
    )
