"""Each actor does one thing after the other, in a thread of its own, until all is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count, cycle
from typing import Any

import requests

from benchmarks import items
from benchmarks.client import PERFORMED_STEP, Association, WrongAnswerError, find_request
from benchmarks.mpps import Patient
from benchmarks.repeating import Repeated
from benchmarks.soak.samples import Log
from benchmarks.soak.site import Site
from tests.redcap.project import Project

HTTP_TIMEOUT = 30  # seconds
DAYS = 80  # that appointments are spread over
QUERY, REPORT, API, TODAY, LIST = "query", "report", "API", "Today", "list"
PAGES = ("/admin/worklist/worklistitem/", "/admin/worklist/attention/", "/admin/sources/datasource/")


def actor(log: Log, every: float, turn: Callable[[], None], kind: str) -> Repeated:
    """Let somebody take turns; what goes wrong in one is noted, and the next comes all the same."""

    def noted() -> None:
        try:
            turn()
        except (OSError, WrongAnswerError) as error:  # requests' errors are OSErrors
            log.fails(kind, log.now(), f"{type(error).__name__}: {error}")

    return Repeated(every, noted)


def queries(site: Site, log: Log, today: date) -> Callable[[], None]:
    """A scanner asks for its items of today, which are never performed, and so stay as many."""
    request = find_request(items.typical_query(today))

    def turn() -> None:
        at = log.now()
        with Association(site.dicom) as association:
            association.find(request, expected=items.TYPICAL)
        log.waited(QUERY, at)

    return turn


class Reports:
    """A scanner reports examinations; `acknowledged` counts those whose beginning and end were."""

    def __init__(self, site: Site, log: Log, today: date, share: int, shares: int) -> None:
        """Each of so many scanners has every so manieth item, from the last one on."""
        self._site, self._log = site, log
        performed = cycle(range(site.n - 1 - share, items.TYPICAL, -shares))
        self._patient = Patient(today, performed)
        self.acknowledged = 0
        self.begun = 0

    def turn(self) -> None:
        made = self._patient.cycle()
        for pdus, what in ((made.begin, "N-CREATE"), (made.end, "N-SET")):
            at = self._log.now()
            with Association(self._site.dicom, sop_class=PERFORMED_STEP) as association:
                association.report(pdus, what=what)
            self._log.waited(REPORT, at)
            self.begun += what == "N-CREATE"
        self.acknowledged += 1


def redcaps_people(project: Project) -> Callable[[], None]:
    """Somebody enters a new record, and moves an appointment of another to another hour."""
    numbers = count(1)

    def turn() -> None:
        number = next(numbers)
        record = f"N{number}"
        project.save(record, dob="1985-06-15", sex="1")
        project.save(record, event="screening_arm_1", safe="1")
        project.save(record, event="scan_arm_1", scan_date=_day(number).isoformat(), scan_time="09:00")
        project.save(str(1 + number % 50), event="scan_arm_1", scan_time=f"{8 + number % 10:02}:30")

    return turn


def _day(number: int) -> date:
    """Return one of the days to come, for no day of a site grows without end."""
    return date.today() + timedelta(days=1 + number % DAYS)


class Program:
    """A program signs in, reads the list and adds items."""

    def __init__(self, site: Site, log: Log) -> None:
        self._site, self._log = site, log
        self._numbers = count(1)
        self._token = ""
        self.added = 0

    def turn(self) -> None:
        if not self._token:
            said = {"username": "admin", "password": self._site.password, "access_token_expire_minutes": 600}
            self._token = self._sent("POST", "/auth/login", json=said).json()["access_token"]
        self._sent("GET", "/worklist?limit=100")
        number = next(self._numbers)
        item = {
            "patient_name": f"Api^A{number}",
            "patient_id": f"API{number:06}",
            "modality": "MR",
            "scheduled_start_date": _day(number).isoformat(),
        }
        self._sent("POST", "/worklist", json=item)
        self.added += 1

    def _sent(self, method: str, path: str, **options: Any) -> requests.Response:
        at = self._log.now()
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answer = requests.request(
            method, f"{self._site.url}{path}", headers=headers, timeout=HTTP_TIMEOUT, **options
        )
        if answer.status_code not in {200, 201}:
            raise WrongAnswerError(f"{method} {path.partition('?')[0]} was answered {answer.status_code}")
        self._log.waited(API, at)
        return answer


class Coordinator:
    """Somebody has Today open, which refreshes itself, and looks at lists."""

    def __init__(self, site: Site, log: Log) -> None:
        self._site, self._log = site, log
        self._session = requests.Session()
        self._is_signed_in = False
        self._pages: Iterator[str] = cycle(PAGES)

    def turn(self) -> None:
        if not self._is_signed_in:
            self._sign_in()
        self._got("/admin/", TODAY, {"X-Live-Part": "1"})
        self._got(next(self._pages), LIST, {})

    def _sign_in(self) -> None:
        address = f"{self._site.url}/admin/login/"
        self._session.get(address, timeout=HTTP_TIMEOUT)
        form = {
            "username": "admin",
            "password": self._site.password,
            "csrfmiddlewaretoken": self._session.cookies["csrftoken"],
            "next": "/admin/",
        }
        answer = self._session.post(address, form, headers={"Referer": address}, timeout=HTTP_TIMEOUT)
        self._is_signed_in = answer.ok and "/login/" not in answer.url

    def _got(self, path: str, kind: str, headers: dict[str, str]) -> None:
        at = self._log.now()
        answer = self._session.get(
            f"{self._site.url}{path}", headers=headers, timeout=HTTP_TIMEOUT, allow_redirects=False
        )
        if answer.status_code != 200:
            raise WrongAnswerError(f"{path} was answered {answer.status_code}")
        self._log.waited(kind, at)
