"""What was a moment ago was just now, and nothing has ever gone on for 0 minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from pylantir_site import elapsed

NOW = timezone.now()


@pytest.mark.acceptance("CL221")
@pytest.mark.parametrize(
    ("seconds", "ago", "lasting"),
    [
        (0, "just now", "less than a minute"),
        (59, "just now", "less than a minute"),
        (60, "1\xa0minute ago", "1\xa0minute"),
        (3 * 3600 + 120, "3\xa0hours ago", "3\xa0hours"),
        (-5, "just now", "less than a minute"),  # another host's clock is ahead
    ],
)
def test_how_long_ago_it_was_is_said_as_people_say_it(seconds: int, ago: str, lasting: str) -> None:
    at = NOW - timedelta(seconds=seconds)

    assert (elapsed.ago(at, now=NOW), elapsed.lasting(at, now=NOW)) == (ago, lasting)
