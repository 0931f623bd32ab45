"""A row of a source's data has its keys apart from its values, in the terms of a REDCap export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GROUP = "redcap_data_access_group"


@dataclass(frozen=True)
class ExportRow:
    """REDCap holds this for a record in one event, or in one instance of what repeats.

    `event` is the unique event name, empty in a classic project; `instrument` is redcap_repeat_instrument;
    `instance` is redcap_repeat_instance, 0 where nothing repeats. `values` has every column of the answer
    except redcap_*, as text, missing data codes and blanks as "". A blank may also mean that the field is
    on another row.

    `number` is the row's place in a file, 0 where the source has none. `unusable` says of a column why its
    cell cannot be used; one that has a value all the same may be taken for a measure.
    """

    record: str
    event: str
    instrument: str
    instance: int
    values: Mapping[str, str]
    data_access_group: str = ""
    number: int = 0
    unusable: Mapping[str, str] = field(default_factory=dict)
