"""A source neither takes over, changes nor collides silently with the item of a phantom."""

from __future__ import annotations

import pytest
from django.utils import timezone

from sources.models import DataSource, SyncIssue
from tests.redcap.project import Project
from tests.sources.conftest import pull
from tests.sources.study import day, participant
from worklist.items import intake
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db


@pytest.mark.acceptance("CL144")
def test_a_participant_whose_id_is_a_phantoms_waits_for_a_person(
    source: DataSource, project: Project
) -> None:
    phantom = intake.create(
        {
            **{"patient_id": "1", "patient_name": "Doe^Jane", "patient_birth_date": "1990-01-31"},
            **{"patient_sex": "F", "modality": "MR", "is_qa": True},
            **{"scheduled_start_date": day(1), "scheduled_start_time": "09:30"},
        },
        actor="alice",
    )
    before = WorklistItem.objects.values().get()
    participant(project, "1")
    participant(project, "2", "Roe")

    pull(source)
    pull(source)

    assert WorklistItem.objects.filter(pk=phantom.pk).values().get() == before
    assert WorklistItem.objects.exclude(pk=phantom.pk).get().patient_id == "2"
    (issue,) = SyncIssue.objects.filter(record="1")
    assert "patient ID" in issue.text or "phantom" in issue.text, issue.text
    assert timezone.localdate() < WorklistItem.objects.get(pk=phantom.pk).scheduled_start_date
