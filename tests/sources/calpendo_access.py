"""A client of the stand-in Calpendo asks here without losing time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sources.calpendo.client import CalpendoAccess
from tests.calpendo.bookings import Booking
from tests.calpendo.server import PASSWORD, USER, CalpendoServer


def access(server: CalpendoServer, **changes: Any) -> CalpendoAccess:
    quick = {"pause": 0.001, "read_timeout": 5, "connect_timeout": 5, "requests_per_minute": 6000}
    return CalpendoAccess(**{"url": server.url, "user": USER, "password": PASSWORD, **quick, **changes})


def booking(number: int, start: datetime, title: str = "", **changes: Any) -> Booking:
    """Return an hour's booking of one participant."""
    return Booking(
        number, title or f"SUB{number:03} - John Doe", start, start + timedelta(hours=1), **changes
    )
