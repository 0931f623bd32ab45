"""What was kept of the API's requests by an earlier version is the beginning of the audit trail."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from accounts.audit import append_only, chain, events
from accounts.models import AuditEvent, AuditKind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.acceptance("H83")
def test_requests_become_events_and_the_chain_begins_after_them(transactional_db: None) -> None:
    before = ("accounts", "0003_roles_are_called_what_people_are")
    MigrationExecutor(connection).migrate([before])
    try:
        old: Any = MigrationExecutor(connection).loader.project_state([before]).apps
        old.get_model("accounts", "ApiRequest").objects.create(
            username="bob", address="10.0.0.1", method="GET", path="/worklist", status=200, rows=[7]
        )
    finally:
        call_command("migrate", verbosity=0)

    events.record(AuditKind.PAGE, username="alice")

    request, page = AuditEvent.objects.order_by("pk")
    assert (request.kind, request.path, request.rows, request.digest) == ("REQUEST", "/worklist", [7], "")
    assert page.digest
    assert list(chain.complaints(AuditEvent.objects.order_by("pk"))) == []
    assert AuditEvent.objects.naming(7).get() == request

    append_only.install(connection)
    try:
        with pytest.raises(IntegrityError), transaction.atomic():
            AuditEvent.objects.all().delete()
    finally:
        append_only.remove(connection)
