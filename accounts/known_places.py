"""Where a person has signed in before is known: by a cookie of the browser, or by the network's address.

A stranger's failures then hold up strangers alone. A cookie is given at a sign-in to the admin, names the
account by a digest, lets nobody in, and is counted by itself: who stole it has no more tries than anybody.
"""

from __future__ import annotations

import ipaddress
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.addresses import client_address
from accounts.models import KnownAddress, User

KNOWN_FOR = timedelta(days=90)
SIGNED_IN = "signed_in_as"  # on the request
SALT = "accounts.known_places"
IPV6_NETWORK = 64  # bits: so much a provider gives to one customer, who may change the rest at will


class KnownBrowsers:
    """It gives a browser its cookie where somebody has signed in to the admin with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if name := getattr(request, SIGNED_IN, ""):
            give_cookie(request, response, name)
        return response


def connect() -> None:
    user_logged_in.connect(_remember_sign_in, dispatch_uid=f"{__name__}._remember_sign_in")


def _remember_sign_in(sender: object, request: HttpRequest | None, user: User, **about: Any) -> None:
    if request is not None:
        setattr(request, SIGNED_IN, user.get_username())


@dataclass(frozen=True)
class SignInPlace:
    """A try comes from here; `browser` is the cookie's own name, "" without a cookie for this account."""

    address: str
    browser: str
    is_known: bool


def digest_of(username: str) -> str:
    """Return the name as a digest: what was typed may be a password. Other spellings are the same name."""
    name = unicodedata.normalize("NFKC", username).casefold()
    return salted_hmac("accounts.sign_in", name, algorithm="sha256").hexdigest()


def place_of(request: HttpRequest, digest: str) -> SignInPlace:
    address = network_of(client_address(request))
    browser = _browser(request, digest) if digest else ""
    known = bool(browser) or (bool(digest) and _known(digest, address))
    return SignInPlace(address, browser, known)


def network_of(address: str) -> str:
    """Return an IPv4 address as it is and the network of an IPv6 one; 64 characters at most."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_NETWORK), strict=False))


def remember(digest: str, place: SignInPlace) -> None:
    """Know the address from now on: somebody has signed in from there."""
    KnownAddress.objects.update_or_create(
        username_digest=digest, address=place.address, defaults={"at": timezone.now()}
    )


def give_cookie(request: HttpRequest, response: HttpResponseBase, username: str) -> None:
    """Give the browser its own name for this account, unless it has one."""
    digest = digest_of(username)
    if _browser(request, digest):
        return
    response.set_cookie(
        _cookie(digest),
        signing.dumps([digest, secrets.token_urlsafe(16)], salt=SALT),
        max_age=KNOWN_FOR,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _browser(request: HttpRequest, digest: str) -> str:
    cookie = request.COOKIES.get(_cookie(digest), "")
    try:
        owner, name = signing.loads(cookie, salt=SALT, max_age=KNOWN_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(name) if owner == digest else ""


def _cookie(digest: str) -> str:
    # As those of Django's are named: browsers then give it to this host alone, and by HTTPS.
    prefix = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}known_{digest[:12]}"


def _known(digest: str, address: str) -> bool:
    since = timezone.now() - KNOWN_FOR
    return KnownAddress.objects.filter(username_digest=digest, address=address, at__gt=since).exists()
