"""A device's row is read anew for each decision, and becomes a Device again only where it has changed."""

from __future__ import annotations

from functools import lru_cache

from django.db import DEFAULT_DB_ALIAS, connection

from worklist.models import Device
from worklist.models.statements import Conversion, RawRow, Statement, write

COLUMNS = tuple(field.attname for field in Device._meta.concrete_fields)
AE_TITLE = COLUMNS.index("ae_title")


def row_of(ae_title: str) -> RawRow | None:
    """Return the row that speaks for an AE title: its own, else the row `*`. Raises django.db.Error."""
    found = {row[AE_TITLE]: row for row in _rows_of_two(connection.vendor).rows(ae_title, Device.ANY)}
    return found.get(ae_title) or found.get(Device.ANY)


@lru_cache(maxsize=512)
def device_from(row: RawRow) -> Device:
    """Return the device of a row that was read.

    All who read the same row share it: nobody may change it. `Device.objects.of` gives one of one's own.
    Devices are equal by their primary key, so what is made of one is remembered by its row.
    """
    return Device.from_db(DEFAULT_DB_ALIAS, COLUMNS, Conversion(Device, COLUMNS).values(row))


def is_any_stored() -> bool:
    """Return whether there is a device at all. Raises django.db.Error."""
    return bool(_any_key(connection.vendor).rows())


@lru_cache
def _rows_of_two(vendor: str) -> Statement:
    both = ("", Device.ANY)
    asked = Device.objects.filter(ae_title__in=both).order_by().values_list(*COLUMNS)
    return write(asked, given=both, is_prepared=True)


@lru_cache
def _any_key(vendor: str) -> Statement:
    return write(Device.objects.order_by().values_list("pk")[:1])
