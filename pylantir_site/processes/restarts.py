"""Whether, and after how long, what died is started again follows from how often it died."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_WAIT = 1.0  # seconds, after a second death; after the first there is none
LONGEST_WAIT = 60.0
LIVES_WELL_AFTER = 60.0  # seconds: what died before is forgotten
GIVEN_UP_AFTER = 6  # deaths, each before it lived well


@dataclass
class Restarts:
    """It counts the deaths of one process that did not live well before."""

    deaths: int = 0

    def count(self, lived: float) -> None:
        """Count a death after so many seconds of life."""
        self.deaths = 1 if lived >= LIVES_WELL_AFTER else self.deaths + 1

    def wait(self) -> float:
        """Return the seconds to wait before the next start: 0, 1, 2, 4, up to a minute."""
        if self.deaths <= 1:
            return 0.0
        return min(float(FIRST_WAIT * 2 ** min(self.deaths - 2, 16)), LONGEST_WAIT)

    def are_in_vain(self) -> bool:
        return self.deaths >= GIVEN_UP_AFTER
