"""Subscriptions of an earlier version keep what they name, and mean by it what they meant."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from pylantir_site.notices.models import NoticeKind, Subscription

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
BEFORE = ("notices", "0003_qa_scans_overdue")
AT_FIRST = [
    *("IDENTITY", "UNSCHEDULED", "WRONG_ENTRY", "STALE", "NOT_PERFORMED"),
    *("SOURCE_HELD", "SOURCE_FAILING", "TIME_ZONE", "WORKER"),
]


@pytest.mark.acceptance("CL215", "CL216")
@pytest.mark.parametrize(
    ("kinds", "wanted", "new"),
    [
        (AT_FIRST, NoticeKind.values, []),
        ([*AT_FIRST, "ARCHIVE", "QA_OVERDUE"], NoticeKind.values, []),
        (["STALE"], ["STALE"], ["ARCHIVE", "WRITE_BACK", "QA_OVERDUE"]),
        (["STALE", "QA_OVERDUE"], ["STALE", "QA_OVERDUE"], ["ARCHIVE", "WRITE_BACK"]),
    ],
    ids=["all at first", "all later", "one", "one that was added"],
)
def test_all_is_all_and_some_are_some(
    transactional_db: None, kinds: list[str], wanted: list[str], new: list[str]
) -> None:
    MigrationExecutor(connection).migrate([BEFORE])
    apps = MigrationExecutor(connection).loader.project_state([BEFORE]).apps
    apps.get_model("notices", "Subscription").objects.create(username="anna", kinds=kinds)

    call_command("migrate", verbosity=0)

    kept = Subscription.objects.get()
    assert kept.kinds == kinds
    assert kept.wanted_kinds == wanted
    assert kept.kinds_not_offered == new
