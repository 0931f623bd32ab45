"""A row of the original's users becomes an account here, with its password as it was hashed there.

An account that is here already is never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import router, transaction

from accounts import hashers
from accounts.models import User
from accounts.roles import Role
from pylantir_site.environment import program
from pylantir_site.environment.originals import USERS_TABLE
from sources.models import OriginalDatabase, OriginalRow
from sources.original import cells, remembered
from sources.original.reading import Cells
from sources.original.reports import RowOutcome, RowReport

ROLES = {"ADMIN": Role.ADMIN, "WRITE": Role.WRITE, "READ": Role.READ}
DEFAULT_PASSWORD = "admin123"  # noqa: S105  (the original's, which everybody knows)
NEW_PASSWORD = f"Give it another: {program.name()} admin_password --username …, or on its page in the admin."
DEFAULT_TOLD = f"Its password is the original's default: nobody can sign in with it. {NEW_PASSWORD}"
NO_HASH = f"Its password is kept in a form that cannot be read: nobody can sign in with it. {NEW_PASSWORD}"
EXISTS = "There is an account of this user name, and it stays as it is."
NO_ROLE = "Its role is none of the original's three."
INACTIVE = "It is closed, as it was."
NO_EMAIL = "Its e-mail address is none: left out."
_TRUE = frozenset({"1", "true"})


@dataclass(frozen=True)
class PreparedPerson:
    """This is a row with what takes long to find out, which is done before a transaction begins."""

    row: int
    fingerprint: str
    cells: Cells
    password: str  # as an account keeps it
    note: str


def prepare(row: Cells) -> PreparedPerson:
    try:
        password, note = hashers.encoded(row["hashed_password"].strip()), ""
        if check_password(DEFAULT_PASSWORD, password):
            password, note = make_password(None), DEFAULT_TOLD
    except ValueError:
        password, note = make_password(None), NO_HASH
    return PreparedPerson(
        int(row["id"]), remembered.fingerprint(row["id"], row["username"]), row, password, note
    )


@dataclass(frozen=True)
class PeopleImport:
    database: OriginalDatabase

    def take(self, person: PreparedPerson) -> RowReport:
        """Make the account and remember the row; accounts may be in a database of their own."""
        with transaction.atomic(using=router.db_for_write(User)), transaction.atomic():
            return self._taken(person)

    def _taken(self, person: PreparedPerson) -> RowReport:
        key = {"table": USERS_TABLE, "row": person.row, "fingerprint": person.fingerprint}
        if OriginalRow.objects.filter(database=self.database, **key).exists():
            return _report(person, RowOutcome.KNOWN)
        username = User.normalize_username(person.cells["username"].strip())
        role = ROLES.get(person.cells["role"].strip().upper())
        if User.objects.filter(username__iexact=username).exists():
            return _report(person, RowOutcome.LEFT, EXISTS)
        if role is None:
            return _report(person, RowOutcome.LEFT, NO_ROLE)
        try:
            notes = _create(person, username, role)
        except ValidationError as error:
            return _report(person, RowOutcome.LEFT, " ".join(error.messages))
        OriginalRow.objects.create(database=self.database, **key)
        return _report(person, RowOutcome.ACCOUNT, *notes)


def _create(person: PreparedPerson, username: str, role: Role) -> list[str]:
    """Make the account, and return what is to be told of it. Raises ValidationError."""
    notes = [person.note] if person.note else []
    user = User(
        username=username,
        password=person.password,
        role=role,
        full_name=_readable(person.cells["full_name"]),
        email=person.cells["email"].strip(),
        is_active=person.cells["is_active"].strip().lower() in _TRUE,
        last_login=_moment(person.cells["last_login"]),
    )
    try:
        user.clean_fields()
    except ValidationError as error:
        if set(error.message_dict) != {"email"}:
            raise
        user.email = ""
        notes.append(NO_EMAIL)
    if not user.is_active:
        notes.append(INACTIVE)
    user.full_clean()
    user.save()
    if joined := _moment(person.cells["created_at"]):
        User.objects.filter(pk=user.pk).update(date_joined=joined)
    return notes


def _readable(text: str) -> str:
    return text.strip() if cells.is_text(text) and "\0" not in text else ""


def _moment(text: str) -> datetime | None:
    """Read a time as the original wrote it, in UTC without saying so."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _report(person: PreparedPerson, outcome: RowOutcome, *notes: str) -> RowReport:
    return RowReport(USERS_TABLE, person.row, outcome, notes, who=_readable(person.cells["username"]))
