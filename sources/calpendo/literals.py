"""A moment in a question is written in one of two forms, of which a server may take only one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class DateLiteral(StrEnum):
    DOCUMENTED = "T"  # 20140526T1200, as the vendor's page has it
    DASHED = "-"  # 20140526-1200, which a site's server was seen to take


def written(moment: datetime, form: DateLiteral) -> str:
    """Return a moment of the server's own wall time, to the minute."""
    return f"{moment:%Y%m%d}{form}{moment:%H%M}"
