"""What is old is deleted once an hour, by whichever process is up, and one failure hinders nothing else."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import ApiRequest
from pylantir_site import retention
from tests.conftest import wait_until
from tests.site.fresh import script
from tests.worklist import activity
from worklist.models import DeviceActivity
from worklist.scp.watching import Watch

LONG_AGO = timedelta(days=4000)
TYPED = "DOE^JOHN"


def old_rows() -> None:
    """Make what each app deletes."""
    ApiRequest.objects.create(method="GET", path="/worklist", status=200, at=timezone.now() - LONG_AGO)
    activity.query("GONE", ago=LONG_AGO)


def left() -> tuple[int, int]:
    return ApiRequest.objects.count(), DeviceActivity.objects.count()


@pytest.mark.django_db
def test_each_app_deletes_what_is_its_own() -> None:
    old_rows()

    retention.prune()

    assert left() == (0, 0)


@pytest.mark.django_db
def test_what_fails_is_logged_without_its_text_and_hinders_nothing_else(
    settings: LazySettings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError(TYPED)

    monkeypatch.setattr("sources.retention.prune", fail)
    settings.RETENTION = ("sources.retention.prune", "accounts.retention.prune")
    old_rows()

    retention.prune()

    assert left() == (0, 1)
    assert "sources.retention.prune failed: ValueError" in caplog.text
    assert TYPED not in caplog.text


@pytest.mark.django_db(transaction=True)  # a watch closes its connection
def test_the_dicom_server_prunes_once_an_hour(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ATTENTION_INTERVAL = 0  # it does not depend on looking for what needs attention
    now = [100.0]
    monkeypatch.setattr("pylantir_site.retention.time.monotonic", lambda: now[0])
    watch = Watch()
    for moment, expected in ((200.0, (1, 1)), (3700.0, (0, 0)), (7200.0, (1, 1)), (7300.0, (0, 0))):
        now[0] = moment
        if left() == (0, 0):
            old_rows()
        watch()
        assert left() == expected


@pytest.mark.slow
def test_the_web_server_prunes_in_a_thread_of_its_own(tmp_path: Path) -> None:
    show = "import threading, pylantir_site.wsgi; print(*(each.name for each in threading.enumerate()))"

    assert "retention" in script(tmp_path, show).stdout.split()


def test_the_thread_goes_on_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    pruned: list[None] = []
    monkeypatch.setattr(retention, "INTERVAL", 0.001)
    monkeypatch.setattr(retention, "prune", lambda: pruned.append(None))
    stopped = threading.Event()
    thread = threading.Thread(target=retention._prune_for_ever, args=(stopped,))
    thread.start()
    wait_until(lambda: len(pruned) > 2)
    stopped.set()
    thread.join(5)

    assert not thread.is_alive()
