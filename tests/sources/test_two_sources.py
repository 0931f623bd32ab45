"""Two sources that read one project by mistake offer everybody twice, and each says so."""

from __future__ import annotations

import pytest

from sources.models import DataSource, SyncIssue
from sources.sync.clashes import TWO_SOURCES
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources.conftest import MakeSource, pull
from tests.sources.study import book, participant

pytestmark = pytest.mark.django_db


@pytest.mark.acceptance("RC171")
def test_the_second_says_whom_the_first_offers_at_the_same_time(
    source: DataSource, make_source: MakeSource, redcap: RedcapServer, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    second = make_source(redcap, name="second")
    pull(second)
    assert [(issue.source, issue.text, issue.blocks) for issue in SyncIssue.objects.open()] == [
        (second, TWO_SOURCES, False)
    ]

    project.save("P-001", instrument="mri", instance=1, mri_date="")
    pull(source)
    book(project, "P-001", mri_time="15:00")
    pull(second)
    assert not SyncIssue.objects.open().exists()
