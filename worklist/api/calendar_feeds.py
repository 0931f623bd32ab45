"""A calendar program reads a feed here. It does not sign in: whoever has the address may read it."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from accounts.models import User
from pylantir_site import __version__
from pylantir_site.rest.routes import with_a_secret
from worklist.feeds import addresses, calendars, events
from worklist.models import CalendarFeed

UNKNOWN = "There is no calendar at this address. Ask whoever gave it to you for the present one.\n"
REVOKED = "This calendar's address was revoked. Ask whoever gave it to you for a new one.\n"
CLOSED = "This calendar has no events now: whoever made it may not see the worklist.\n"


@with_a_secret
@csrf_exempt  # a refusal would log the path
@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponseBase:
    feed = addresses.found(secret)
    if feed is None:
        return _refusal(404, UNKNOWN)
    if feed.revoked_at is not None:
        return _refusal(410, REVOKED)
    if not _owner_may_read(feed):
        return _refusal(404, CLOSED)
    with translation.override(feed.language):
        response = _calendar(request, feed)
    addresses.note_fetch(feed)
    return response


def _calendar(request: HttpRequest, feed: CalendarFeed) -> HttpResponseBase:
    """Return the calendar, or 304 where the program has it as it is."""
    item_page = request.build_absolute_uri(reverse("admin:worklist_worklistitem_change", args=[0]))
    item_page = item_page.replace("/0/", "/{}/")
    name, length = events.name_of(feed), timedelta(minutes=feed.minutes)
    items, scanners = events.items_of(feed, timezone.localdate()), events.scanners()
    made_of = (__version__, item_page, name, length, feed.shows, feed.shows_protocol, items, scanners)
    etag = quote_etag(hashlib.sha256(repr(made_of).encode()).hexdigest())
    response = get_conditional_response(request, etag=etag)
    if response is None:
        found = events.events_of(feed, items, scanners, item_page)
        text = calendars.calendar_of(found, name, length)
        response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="worklist.ics"'
    response["ETag"] = etag
    patch_cache_control(response, private=True, max_age=60)
    return response


def _owner_may_read(feed: CalendarFeed) -> bool:
    """Tell whether the account is open and may see items; one that was made later is another person's."""
    owner = User.objects.filter(username=feed.username, date_joined__lte=feed.created_at).first()
    return owner is not None and owner.has_perm("worklist.view_worklistitem")


def _refusal(status: int, sentence: str) -> HttpResponse:
    response = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    patch_cache_control(response, private=True, no_store=True)
    return response
