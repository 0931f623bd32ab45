"""The API and the admin check user name and password here; after too many failures people must wait.

A try is written down before its password is checked, so that a hundred at once count as a hundred; it is
taken back when it was right. An unknown user, a closed account and a wrong password look the same.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import router, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.addresses import client_address
from accounts.models import SignInFailure, User

LONGEST_PASSWORD = 4096  # characters; hashing a longer one is work for nothing


class SignInRefused(Exception):
    """No active user has this name and password."""


class TooManyFailures(Exception):
    """There were too many failures lately: the next try counts after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many failed sign-ins: try again in {waiting_text(seconds)}.")
        self.seconds = seconds


def sign_in(request: HttpRequest, *, username: str, password: str) -> User:
    """Return the user, as `authenticate` gives them. Raises SignInRefused or TooManyFailures."""
    digest = _digest(username)
    attempt = _write_down(digest, client_address(request))
    user = _authenticated(request, username, password)
    if user is None:
        raise SignInRefused
    SignInFailure.objects.filter(Q(pk=attempt.pk) | Q(username_digest=digest)).delete()
    return user


def waiting_text(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} minutes"


def _authenticated(request: HttpRequest, username: str, password: str) -> User | None:
    if len(password) > LONGEST_PASSWORD or "\0" in username:
        return None
    user = authenticate(request, username=username, password=password)
    return user if isinstance(user, User) else None


def _write_down(digest: str, address: str) -> SignInFailure:
    """Keep the try as a failure until it proves right. Raises TooManyFailures, and then it does not count."""
    with transaction.atomic(using=router.db_for_write(SignInFailure)):
        since = timezone.now() - timedelta(minutes=settings.SIGN_IN_MINUTES)
        SignInFailure.objects.filter(at__lt=since).delete()
        attempt = SignInFailure.objects.create(username_digest=digest, address=address)
    others = SignInFailure.objects.exclude(pk=attempt.pk)
    for mine, most in (
        (others.filter(username_digest=digest), settings.SIGN_IN_FAILURES_PER_USER),
        (others.filter(address=address), settings.SIGN_IN_FAILURES_PER_ADDRESS),
    ):
        latest = list(mine.order_by("-at").values_list("at", flat=True)[:most])
        if len(latest) >= most:
            attempt.delete()
            raise TooManyFailures(_seconds_until(latest[-1] + timedelta(minutes=settings.SIGN_IN_MINUTES)))
    return attempt


def _seconds_until(moment: datetime) -> int:
    left = (moment - timezone.now()).total_seconds()
    return max(1, round(left))


def _digest(username: str) -> str:
    name = unicodedata.normalize("NFKC", username).casefold()
    return salted_hmac("accounts.sign_in", name, algorithm="sha256").hexdigest()
