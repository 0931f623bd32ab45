"""All that is known of a participant is in one file, which its owner alone may read."""

from __future__ import annotations

import io
import json
import logging
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from pylantir_site.notices import sweeping
from pylantir_site.notices.models import NoticeKind, Subscription
from tests.api_client import client_of
from tests.sources.conftest import new_source, pull
from tests.sources.study import participant as enrolled
from tests.worklist import activity
from tests.worklist.performed_steps import begun, completed
from tests.worklist.reported import reported, updated
from worklist.models import Attention, WorklistItem

pytestmark = pytest.mark.django_db


def known(path: Path) -> dict[str, list[dict[str, Any]]]:
    with zipfile.ZipFile(path) as file:
        found: dict[str, list[dict[str, Any]]] = json.loads(file.read("participant.json"))["known"]
    return found


@pytest.mark.acceptance("H66")
def test_each_kind_of_what_is_known_is_in_it(
    alice: User, redcap: Any, project: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    enrolled(project, "P-001")
    pull(new_source(redcap))
    item = WorklistItem.objects.get()
    Subscription.objects.create(username="alice", kinds=NoticeKind.values)
    updated(reported(begun(item, PatientSex="M")), completed())
    activity.query(keys={"PatientID": "P-001"})
    activity.query(keys={"PatientID": "P-002"})
    sweeping.sweep()
    client = Client()
    client.force_login(alice)
    client.post(reverse("admin:search"), {"q": "doe"})
    client.post(reverse("admin:search"), {"q": "somebody else"})
    assert client_of(alice).get(f"/worklist/{item.pk}").status_code == 200
    b"".join(client.get("/admin/csv/worklist/worklistitem/").streaming_content)  # type: ignore[attr-defined]
    out = tmp_path / "p.zip"

    call_command("export_participant", "P-001", out=out, stdout=io.StringIO())

    found = known(out)
    counts = {name: len(rows) for name, rows in found.items()}
    assert counts["worklist_items"] == counts["performed_steps"] == counts["links"] == 1
    assert counts["points_of_attention"] == Attention.objects.count() > 0
    assert counts["notices"] == 1
    assert [row["asked"]["PatientID"] for row in found["contacts_with_scanners"]] == ["P-001"]
    assert [row["record"] for row in found["sessions_at_their_sources"]] == ["P-001"]
    assert [row["searched_for"] for row in found["searches"]] == ["doe"]
    assert [row["path"] for row in found["audit_events"]] == [f"/worklist/{item.pk}"]
    assert counts["lists_downloaded_since"] == 1
    assert counts["search_words"] > 10
    assert counts["history_of_worklist_items"] == item.history.count()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "Doe" not in caplog.text
    assert "P-001" not in caplog.text


@pytest.mark.acceptance("H66")
def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    from tests.worklist.reported import an_item

    an_item()
    out = tmp_path / "p.zip"
    out.write_text("mine")

    with pytest.raises(CommandError, match="not overwritten"):
        call_command("export_participant", "P1", out=out)

    assert out.read_text() == "mine"
