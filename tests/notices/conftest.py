"""Tests of notices have a mail server, a webhook's receiver, and somebody who wants to hear of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from pylantir_site.notices.models import NoticeKind, NoticeWay, Subscription
from sources.models import DataSource, SourceState, WorkerBeat
from tests.notices.receivers import HookServer, MailServer, running
from tests.sources import making

SECRET = "a secret of the tests"
MakeSource = Callable[..., DataSource]


@pytest.fixture
def mail_server(settings: LazySettings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    with running(server):
        yield server


@pytest.fixture
def hook() -> Iterator[HookServer]:
    server = HookServer()
    with running(server):
        yield server


@pytest.fixture(autouse=True)
def public_url(settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://pylantir.example.org"


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", password="correct horse", role="write", email="anna@example.org")


def subscribe(user: User, **values: Any) -> Subscription:
    given = {"kinds": NoticeKind.values, "username": user.username, **values}
    return Subscription.objects.create(**given)


def by_webhook(user: User, url: str, **values: Any) -> Subscription:
    subscription = subscribe(user, way=NoticeWay.WEBHOOK, webhook_url=url, **values)
    subscription.set_secret(SECRET)
    subscription.save()
    return subscription


@pytest.fixture
def make_source(db: None) -> MakeSource:
    """Give what makes a source that is well; `values` are its state's."""

    def make(name: str = "alpha", **values: Any) -> DataSource:
        from django.utils import timezone

        now = timezone.now()
        WorkerBeat.objects.update_or_create(pk=1, defaults={"at": now})
        source = making.stored(
            name=name, enabled=True, url="https://redcap.example.org/api/", server_timezone="UTC"
        )
        well = {
            "state": "OK",
            "last_success_at": now,
            "clock_zone": "UTC",
            "clock_offset_minutes": 0,
            "clock_seen_at": now,
        }
        SourceState.objects.filter(source=source).update(**{**well, **values})
        return source

    return make
