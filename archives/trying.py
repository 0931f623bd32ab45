"""A person who sets an archive up tries it, and what came of it is kept with the archive."""

from __future__ import annotations

from copy import copy

from django.utils import timezone

from archives.models import Archive
from archives.opening import opened
from sources.errors import SourceError

PATIENCE = 15  # seconds for each answer, where a person waits for a page


def tried(archive: Archive) -> str:
    """Ask the archive as little as shows that it answers. Return what is wrong, or nothing."""
    asked = copy(archive)
    asked.read_timeout = min(archive.read_timeout, PATIENCE)
    try:
        with opened(asked) as client:
            client.test()
    except SourceError as error:
        problem = str(error)
    else:
        problem = ""
    archive.tested_at, archive.test_problem = timezone.now(), problem
    # The row alone: what was tried is no change of it.
    Archive.objects.filter(pk=archive.pk).update(tested_at=archive.tested_at, test_problem=problem)
    return problem
