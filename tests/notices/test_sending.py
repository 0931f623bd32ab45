"""A delivery goes out by mail or webhook, is tried again where that fails, and never sent twice at once."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.conf import LazySettings
from django.db import connections
from django.utils import timezone

from accounts.models import User
from pylantir_site.notices import background, composing, outbox, sending, sweeping, webhooks
from pylantir_site.notices.models import Delivery, DeliveryState, Timing
from sources.models import SourceState
from tests.conftest import wait_until
from tests.notices.conftest import SECRET, MakeSource, by_webhook, subscribe
from tests.notices.receivers import HookServer, MailServer, running
from tests.worklist.reported import an_item, open_point
from worklist.models import Attention, AttentionKind

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
PAGE = Path(__file__).parents[2] / "docs" / "notices.md"


def sent_to(user: User, **values: Any) -> Delivery:
    """Return a delivery of one unscheduled examination to the user, after the first try."""
    subscribe(user, **values)
    return tried()


def tried() -> Delivery:
    open_point(AttentionKind.UNSCHEDULED)
    sweeping.sweep()
    return Delivery.objects.get()


@pytest.mark.acceptance("AD115")
def test_a_mail_says_what_and_where_and_nothing_more(anna: User, mail_server: MailServer) -> None:
    delivery = sent_to(anna)

    (mail,) = mail_server.mails
    assert mail_server.given_to == ["anna@example.org"]
    assert mail["Subject"] == "Pylantir: Unscheduled examination"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{delivery.uid}@pylantir.example.org>"
    text = mail.get_content()
    assert "https://pylantir.example.org/admin/worklist/attention/?kind__exact=UNSCHEDULED" in text
    assert "https://pylantir.example.org/admin/notices/subscription/" in text
    assert (delivery.state, delivery.error) == (DeliveryState.SENT, "")


def test_several_kinds_are_counted_in_the_subject(
    anna: User, mail_server: MailServer, make_source: MakeSource
) -> None:
    subscribe(anna)
    make_source(state="HELD", since=timezone.now() + MINUTE)
    open_point(AttentionKind.UNSCHEDULED)
    open_point(AttentionKind.UNSCHEDULED)
    sweeping.sweep()

    (mail,) = mail_server.mails
    assert mail["Subject"] == "Pylantir: 3 things wait for somebody"
    assert "Number: 2" in mail.get_content()
    assert "Study: alpha" in mail.get_content()


@pytest.mark.acceptance("AD116")
def test_a_digest_tells_the_day_in_a_line_and_what_is_open(
    anna: User, mail_server: MailServer, make_source: MakeSource
) -> None:
    make_source(state="HELD", since=timezone.now() - timedelta(days=30))
    an_item(scheduled_start_date=timezone.localdate(), patient_weight_kg=None)
    began = timezone.now() - timedelta(days=1)
    subscribe(anna, timing=Timing.DIGEST, digest_at=time(0), started_at=began)
    sweeping.sweep()
    sweeping.sweep()

    (mail,) = mail_server.mails
    assert "1 booked, 0 complete, 1 without weight, 1 without scanner" in mail.get_content()
    assert "Source holds changes for a person" in mail.get_content()


def test_a_digest_of_a_study_counts_its_items_alone(
    anna: User, mail_server: MailServer, make_source: MakeSource
) -> None:
    make_source("alpha")
    an_item(scheduled_start_date=timezone.localdate())
    began = timezone.now() - timedelta(days=1)
    subscribe(anna, timing=Timing.DIGEST, digest_at=time(0), started_at=began, studies=["alpha"])
    sweeping.sweep()

    text = mail_server.mails[0].get_content()
    assert "Nothing is booked." in text
    assert "Nothing waits for you of what you asked for." in text


def test_a_digest_that_did_not_go_out_on_its_day_is_dropped(anna: User, settings: LazySettings) -> None:
    settings.EMAIL_HOST = ""
    now = timezone.now()
    subscribe(anna, timing=Timing.DIGEST, digest_at=time(0), started_at=now - timedelta(days=1))
    outbox.fill(now=now)
    sending.send_due(now=now + timedelta(days=1))

    assert Delivery.objects.get().state == DeliveryState.OVER


@pytest.mark.acceptance("AD117")
def test_what_was_settled_before_it_was_sent_is_not_sent(anna: User, mail_server: MailServer) -> None:
    subscribe(anna)
    open_point(AttentionKind.UNSCHEDULED)
    outbox.fill()
    Attention.objects.update(resolved_at=timezone.now(), resolved_by="anna")
    sending.send_due()

    assert mail_server.mails == []
    assert Delivery.objects.get().state == DeliveryState.OVER


@pytest.mark.acceptance("AD118")
def test_a_webhook_is_signed_as_the_page_says(alice: User, hook: HookServer) -> None:
    by_webhook(alice, hook.url)
    delivery = tried()

    (received,) = hook.state.received
    signed = received.headers["X-Pylantir-Timestamp"].encode() + b"." + received.body
    expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert received.headers["X-Pylantir-Signature"] == expected
    assert received.headers["X-Pylantir-Delivery"] == str(delivery.uid)
    assert received.path == "/hook?channel=7"
    told = json.loads(received.body)
    assert told["id"] == str(delivery.uid)
    assert told["reason"] == "facts"
    assert [(fact["kind"], fact["count"], fact["study"]) for fact in told["facts"]] == [
        ("UNSCHEDULED", 1, "")
    ]
    assert told["facts"][0]["link"].startswith("https://pylantir.example.org/admin/worklist/attention/")
    assert delivery.state == DeliveryState.SENT


@pytest.mark.acceptance("AD118")
def test_the_pages_own_lines_verify_it(alice: User, hook: HookServer) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    told: dict[str, Any] = {}
    exec(lines, told)
    by_webhook(alice, hook.url)
    tried()

    (received,) = hook.state.received
    assert told["is_genuine"](received.headers, received.body, SECRET)
    assert not told["is_genuine"](received.headers, received.body + b" ", SECRET)
    assert not told["is_genuine"](received.headers, received.body, "another secret of 16")


def redirects(hook: HookServer) -> None:
    hook.state.status, hook.state.location = 302, hook.url


def fails(hook: HookServer) -> None:
    hook.state.status = 500


def hangs(hook: HookServer) -> None:
    hook.state.hangs = True


def drips(hook: HookServer) -> None:
    hook.state.drips = True


@pytest.mark.acceptance("AD119")
@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (fails, "The webhook's server answered 500."),
        (redirects, "The webhook's server redirects (302): enter the address itself."),
        (hangs, webhooks.TOO_SLOW),
        (drips, webhooks.TOO_SLOW),
    ],
)
def test_a_webhook_that_does_not_take_it_is_tried_again(
    alice: User,
    hook: HookServer,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[HookServer], None],
    expected: str,
) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.5)
    act(hook)
    by_webhook(alice, hook.url)
    delivery = tried()

    assert (delivery.state, delivery.tries, delivery.error) == (DeliveryState.WAITING, 1, expected)
    assert len(hook.state.received) == 1


@pytest.mark.acceptance("AD119")
def test_tries_are_further_and_further_apart_and_then_end(alice: User, hook: HookServer) -> None:
    fails(hook)
    by_webhook(alice, hook.url)
    waits = []
    delivery = tried()
    while delivery.state == DeliveryState.WAITING:
        waits.append(round((delivery.next_try_at - timezone.now()) / MINUTE))
        assert sending.send_due(now=timezone.now() + MINUTE / 2) == 0  # not before it is due
        Delivery.objects.update(next_try_at=timezone.now())
        sending.send_due()
        delivery.refresh_from_db()

    assert waits == [1, 5, 30, 120, 360]
    assert (delivery.state, delivery.tries) == (DeliveryState.FAILED, 6)
    assert len({received.headers["X-Pylantir-Delivery"] for received in hook.state.received}) == 1


@pytest.mark.acceptance("AD119")
@pytest.mark.parametrize(
    ("refuses", "expected"),
    [
        ("RCPT", "The mail server refused the address (550)."),
        ("MAIL", "The mail server refused the sender (550): DEFAULT_FROM_EMAIL."),
        ("DATA", "The mail server refused the mail (550)."),
    ],
)
def test_a_mail_that_is_refused_is_kept_with_what_was_wrong_and_not_with_the_servers_text(
    anna: User, mail_server: MailServer, refuses: str, expected: str
) -> None:
    mail_server.refuses = refuses
    delivery = sent_to(anna)

    assert (delivery.state, delivery.error) == (DeliveryState.WAITING, expected)


@pytest.mark.acceptance("AD119")
def test_a_mail_server_that_is_dead_is_asked_once_for_all_that_waits(
    anna: User, bob: User, settings: LazySettings
) -> None:
    bob.email = "bob@example.org"
    bob.save()
    subscribe(bob)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 0.5
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT = silent.getsockname()[1]
        began = timezone.now()
        subscribe(anna)
        open_point(AttentionKind.UNSCHEDULED)
        sweeping.sweep()

    errors = set(Delivery.objects.values_list("error", flat=True))
    assert errors == {"The mail server did not answer within 0.5 seconds."}
    assert timezone.now() - began < timedelta(seconds=3)


def test_without_a_mail_server_it_is_said_and_tried_again(anna: User, settings: LazySettings) -> None:
    settings.EMAIL_HOST = ""

    assert sent_to(anna).error == "No mail server is set: EMAIL_HOST."


@pytest.mark.acceptance("AD120")
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"is_active": False}, sending.ACCOUNT_CLOSED),
        ({"email": ""}, "The account has no mail address."),
    ],
)
def test_a_closed_account_gets_nothing_and_the_address_is_that_of_the_account(
    anna: User, mail_server: MailServer, changed: dict[str, Any], why: str
) -> None:
    User.objects.filter(pk=anna.pk).update(**changed)

    assert sent_to(anna).error == why
    assert mail_server.mails == []


@pytest.mark.acceptance("AD120")
def test_who_is_no_administrator_any_more_has_no_webhook(alice: User, hook: HookServer) -> None:
    by_webhook(alice, hook.url)
    User.objects.filter(pk=alice.pk).update(role="write")

    assert tried().error == sending.NOT_AN_ADMIN
    assert hook.state.received == []


@pytest.mark.acceptance("AD118")
@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::169.254.169.254]",
        "[2002:a9fe:a9fe::]",
        "[::169.254.169.254]",
        "[64:ff9b::100.100.100.200]",
        "0.0.0.0",
        "100.100.100.200",
    ],
)
def test_no_webhook_asks_a_clouds_own_address(address: str) -> None:
    with pytest.raises(ValueError, match="never asked"):
        webhooks.checked(f"http://{address}/latest/meta-data")


@pytest.mark.acceptance("AD118")
def test_a_name_that_comes_to_mean_such_an_address_is_not_asked(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    by_webhook(alice, "http://hooks.example.org/")

    assert tried().error == webhooks.REFUSED_ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "hooks.example.org",
        "https://user:password@example.org/",
        "https://example.org/#there",
        "https://exa mple.org/",
        "https://example.org:70000/",
        "https://example.org/\r\nX-More: yes",
    ],
)
def test_what_is_no_webhooks_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL"):
        webhooks.checked(url)


def test_a_certificate_that_nobody_vouches_for_is_refused(alice: User) -> None:
    server = HookServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server):
        by_webhook(alice, f"https://localhost:{server.server_address[1]}/")
        delivery = tried()

    assert delivery.error == "The certificate of the webhook's server is not trusted."
    assert server.state.received == []


@pytest.mark.acceptance("AD111")
@pytest.mark.django_db(transaction=True)
def test_two_who_send_at_once_send_once(alice: User, hook: HookServer) -> None:
    by_webhook(alice, hook.url)
    open_point(AttentionKind.UNSCHEDULED)
    outbox.fill()
    together = threading.Barrier(3)

    def send() -> None:
        together.wait()
        try:
            sending.send_due()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(hook.state.received) == 1


@pytest.mark.acceptance("AD119")
def test_what_was_claimed_by_a_process_that_died_is_tried_again(alice: User, hook: HookServer) -> None:
    by_webhook(alice, hook.url)
    open_point(AttentionKind.UNSCHEDULED)
    outbox.fill()
    now = timezone.now()
    assert sending._claim(Delivery.objects.get().pk, now)

    assert sending.send_due(now=now + MINUTE) == 0
    assert sending.send_due(now=timezone.now() + sending.LEASE) == 1


@pytest.mark.acceptance("AD119")
def test_a_failure_here_is_logged_by_its_place_and_hinders_nothing_else(
    anna: User, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    subscribe(anna)
    open_point(AttentionKind.UNSCHEDULED)
    outbox.fill()

    name = "DOE^JOHN"

    def fail() -> int:
        raise ValueError(name)

    monkeypatch.setattr(outbox, "fill", fail)
    sweeping.sweep()

    assert len(mail_server.mails) == 1
    assert "Looking for notices failed: ValueError" in caplog.text
    assert name not in caplog.text


@pytest.mark.acceptance("AD119")
def test_one_that_fails_here_hinders_no_other_and_ends_too(
    anna: User, bob: User, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=bob.pk).update(email="bob@example.org")
    first, _second = subscribe(bob), subscribe(anna)
    compose = composing.compose

    def fail_for_bob(delivery: Delivery, **kwargs: Any) -> Any:
        if delivery.subscription_id == first.pk:
            raise ValueError
        return compose(delivery, **kwargs)

    monkeypatch.setattr(sending, "compose", fail_for_bob)
    open_point(AttentionKind.UNSCHEDULED)
    sweeping.sweep()

    assert mail_server.given_to == ["anna@example.org"]
    assert first.deliveries.get().error == sending.FAILED_HERE


@pytest.mark.acceptance("AD121")
def test_no_notice_holds_a_participants_data(
    alice: User,
    anna: User,
    hook: HookServer,
    mail_server: MailServer,
    make_source: MakeSource,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every field of every participant holds the marker, and all that goes out or is kept is searched."""
    marker = "ZZMARKER"
    caplog.set_level("DEBUG")
    yesterday = timezone.now() - timedelta(days=1)
    for user, make in (
        (anna, subscribe),
        (alice, lambda user, **values: by_webhook(user, hook.url, **values)),
    ):
        make(user)
        make(user, timing=Timing.DIGEST, digest_at=time(0), started_at=yesterday)
    make_source(state="HELD", since=timezone.now() + MINUTE)
    SourceState.objects.update(message=marker, warnings=[marker], held={marker: 1})
    for kind in AttentionKind:
        open_point(
            kind,
            patient_name=f"{marker}^{marker}",
            patient_id=f"{marker}-{kind}"[:64],
            accession_number=marker,
            requested_procedure_id=marker,
            scheduled_procedure_step_id=f"{marker}{len(kind)}",
            study_description=marker,
            procedure_description=marker,
            referring_physician_name=marker,
            requesting_physician=marker,
            performing_physician=marker,
            extra_attributes={"MedicalAlerts": marker},
        )
    Attention.objects.update(text=marker)
    sweeping.sweep()

    bodies = [received.body.decode() for received in hook.state.received]
    mails = [mail.as_string() for mail in mail_server.mails]
    kept = [str(row) for row in Delivery.objects.values()]
    noticed = [str(row) for row in Delivery.objects.values_list("noticed_facts__key", "noticed_facts__study")]
    assert (len(bodies), len(mails)) == (2, 2)
    assert not [text for text in (*bodies, *mails, *kept, *noticed, caplog.text) if marker in text]


def test_a_notice_speaks_the_language_in_which_it_was_asked_for(anna: User, mail_server: MailServer) -> None:
    sent_to(anna, language="de")

    assert len(mail_server.mails) == 1  # its texts are the catalogue's


def test_the_thread_looks_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[datetime] = []
    monkeypatch.setattr(background, "FIRST_LOOK", 0.001)
    monkeypatch.setattr(background, "INTERVAL", 0.001)
    monkeypatch.setattr(sweeping, "sweep", lambda: looks.append(timezone.now()))
    stopped = threading.Event()
    thread = threading.Thread(target=background._for_ever, args=(stopped,))
    thread.start()
    wait_until(lambda: len(looks) > 2)
    stopped.set()
    thread.join(5)

    assert not thread.is_alive()
