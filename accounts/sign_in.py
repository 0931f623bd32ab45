"""The API and the admin check who signs in here; after too many failures people must wait.

A try is written down before its password is checked, so that a hundred at once count as a hundred; it is
taken back when it was right. An unknown user, a closed account and a wrong password look the same.

Nobody locks somebody else out: failures hold up the place that they come from, and only those of many
places together hold up every place where the person has not signed in before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import router, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts import known_places
from accounts.audit.events import note
from accounts.known_places import SignInPlace
from accounts.models import AuditKind, SignInFailure, User

LONGEST_PASSWORD = 4096  # characters; hashing a longer one is work for nothing
STRANGERS = 5  # as many failures as one stranger may have, all strangers together may


class SignInRefused(Exception):
    """No active user has this name and password."""


class TooManyFailures(Exception):
    """There were too many failures lately: the next try counts after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many failed sign-ins: try again in {waiting_text(seconds)}.")
        self.seconds = seconds

    @property
    def sentence(self) -> str:
        """What a person reads, in their language; the API's answers stay English."""
        minutes = -(-self.seconds // 60)
        waiting = ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
        return gettext("Too many failed sign-ins. Please try again in %(time)s.") % {"time": waiting}


def sign_in(request: HttpRequest, *, username: str, password: str) -> User:
    """Return the user, as `authenticate` gives them. Raises SignInRefused or TooManyFailures."""
    with counted(request, username):
        user = _authenticated(request, username, password)
        if user is None:
            raise SignInRefused
    return user


def confirm(request: HttpRequest, user: User, password: str) -> None:
    """Check the password of somebody who is signed in. Raises SignInRefused or TooManyFailures.

    It counts as a sign-in: a session that was left open is no way to guess its owner's password.
    """
    with counted(request, user.get_username()):
        if len(password) > LONGEST_PASSWORD or not user.check_password(password):
            raise SignInRefused


@contextmanager
def counted(request: HttpRequest, username: str | None) -> Iterator[None]:
    """Count a sign-in as a failure unless the block ends without an exception. Raises TooManyFailures.

    Where it is not yet known who signs in, it counts against the address alone.
    """
    digest = "" if username is None else known_places.digest_of(username)
    place = known_places.place_of(request, digest)
    try:
        attempt = _write_down(digest, place)
        yield
    except TooManyFailures:
        note(request, AuditKind.HELD_UP, subject=_account(username))
        raise
    except Exception:
        note(request, AuditKind.SIGN_IN_FAILED, subject=_account(username))
        raise
    mine = Q(username_digest=digest, **_of(place)) if digest else Q(pk=attempt.pk)
    SignInFailure.objects.filter(mine).delete()
    if digest:
        known_places.remember(digest, place)


def unlock(username: str) -> int:
    """Forget the failures of an account, and return how many they were."""
    digest = known_places.digest_of(username)
    return SignInFailure.objects.filter(username_digest=digest).delete()[0]


def failures_of(username: str) -> int:
    """Return how many failures count against the account now, wherever they came from."""
    since = timezone.now() - timedelta(minutes=settings.SIGN_IN_MINUTES)
    return SignInFailure.objects.filter(
        username_digest=known_places.digest_of(username), at__gte=since
    ).count()


def waiting_text(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} minutes"


def _authenticated(request: HttpRequest, username: str, password: str) -> User | None:
    if len(password) > LONGEST_PASSWORD or "\0" in username:
        return None
    user = authenticate(request, username=username, password=password)
    return user if isinstance(user, User) else None


def _account(username: str | None) -> str:
    """Return the account's name, or "" where there is none: what was typed may be a password."""
    if username is None or "\0" in username:
        return ""
    return User.objects.filter(username=username).values_list("username", flat=True).first() or ""


def _write_down(digest: str, place: SignInPlace) -> SignInFailure:
    """Keep the try as a failure until it proves right. Raises TooManyFailures, and then it does not count."""
    with transaction.atomic(using=router.db_for_write(SignInFailure)):
        since = timezone.now() - timedelta(minutes=settings.SIGN_IN_MINUTES)
        SignInFailure.objects.filter(at__lt=since).delete()
        attempt = SignInFailure.objects.create(
            username_digest=digest, is_strange=not place.is_known, **_of(place)
        )
    others = SignInFailure.objects.exclude(pk=attempt.pk)
    for mine, most in _limits(others, digest, place):
        latest = list(mine.order_by("-at").values_list("at", flat=True)[:most])
        if len(latest) >= most:
            attempt.delete()
            raise TooManyFailures(_seconds_until(latest[-1] + timedelta(minutes=settings.SIGN_IN_MINUTES)))
    return attempt


def _limits(
    others: QuerySet[SignInFailure], digest: str, place: SignInPlace
) -> Iterator[tuple[QuerySet[SignInFailure], int]]:
    """Yield what counts against the try, and how much is too much.

    1. The account from the same place: a browser that is known, else an address.
    2. The account from all strange places together, for who comes from a strange one: a guesser with
       many addresses.
    3. The address, whatever names it tries, unless the browser is known: others may share the address.
    """
    if digest:
        yield others.filter(username_digest=digest, **_of(place)), settings.SIGN_IN_FAILURES_PER_USER
        if not place.is_known:
            strange = others.filter(username_digest=digest, is_strange=True)
            yield strange, STRANGERS * settings.SIGN_IN_FAILURES_PER_USER
    if not place.browser:
        yield others.filter(address=place.address, browser=""), settings.SIGN_IN_FAILURES_PER_ADDRESS


def _of(place: SignInPlace) -> dict[str, str]:
    return {"browser": place.browser} if place.browser else {"address": place.address, "browser": ""}


def _seconds_until(moment: datetime) -> int:
    left = (moment - timezone.now()).total_seconds()
    return max(1, round(left))
