"""One process performs a store's items, and asks an archive for them, a round for each line that it reads.

It writes a line of JSON for each round: its questions, its seconds, and how many items it found so far.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import timedelta
from itertools import islice
from typing import Any

AT_ONCE = 500  # rows in a statement


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--called", required=True)
    parser.add_argument("--questions", type=int, required=True, help="in a round")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    perform_all()
    archive = set_up(options)
    print(json.dumps({"ready": True}), flush=True)
    for _line in sys.stdin:
        print(json.dumps(one_round(archive, most=options.questions)), flush=True)


def perform_all() -> None:
    """Store a completed step with two series for each item, as if it had ended an hour ago."""
    from django.utils import timezone

    from worklist.models import Evidence, PerformedSeries, PerformedStatus, PerformedStep, WorklistItem
    from worklist.models.performed import PerformedStepItem

    ended = timezone.now() - timedelta(hours=1)
    items = WorklistItem.objects.order_by("pk").iterator()
    while some := list(islice(items, AT_ONCE)):
        steps = PerformedStep.objects.bulk_create(
            PerformedStep(
                sop_instance_uid=f"{item.study_instance_uid}.9",
                study_instance_uid=item.study_instance_uid,
                status=PerformedStatus.COMPLETED,
                dataset={},
                calling_ae_title="MR1",
                start_date=item.scheduled_start_date,
                finished_at=ended,
            )
            for item in some
        )
        pairs = list(zip(steps, some, strict=True))
        PerformedStepItem.objects.bulk_create(
            PerformedStepItem(step=step, item=item, evidence=Evidence.STEP, status_before="SCHEDULED")
            for step, item in pairs
        )
        PerformedSeries.objects.bulk_create(
            PerformedSeries(
                step=step,
                number=number,
                series_instance_uid=f"{item.study_instance_uid}.{number}",
                image_count=1,
            )
            for step, item in pairs
            for number in (1, 2)
        )


def set_up(options: argparse.Namespace) -> Any:
    from archives.models import Archive
    from archives.verifying import claims

    archive = Archive.objects.create(
        name="PACS",
        host="127.0.0.1",
        port=options.port,
        called_ae_title=options.called,
        questions_per_minute=60_000,
    )
    claims.due()
    return archive


def one_round(archive: Any, *, most: int) -> dict[str, Any]:
    """Ask for one portion: the archive lets any number in, and the round asks only so much."""
    from archives.models import ArchiveCheck, Finding
    from archives.opening import opened
    from archives.verifying import claims, rounds

    begun = time.perf_counter()
    claim = claims.claim(archive.pk)
    questions = rounds.ask(archive.pk, claim, opened, most=most)
    claims.release(archive.pk, claim)
    return {
        "questions": questions,
        "seconds": time.perf_counter() - begun,
        "found": ArchiveCheck.objects.filter(finding=Finding.FOUND).count(),
        "other": ArchiveCheck.objects.exclude(finding__in=(Finding.FOUND, Finding.NOT_ASKED)).count(),
    }


if __name__ == "__main__":
    main()
