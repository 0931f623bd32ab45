"""What a transaction will write is made JSON before it begins: on SQLite everybody waits for its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import models

from worklist.dicom import image_references
from worklist.dicom.image_references import References


class SerialisedObject(dict[str, Any]):
    """It is an object whose JSON is made already; nobody changes it any more.

    A column, its history and a second try write the same text.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.as_json = json.dumps(content, default=_as_json)


class SerialisedEncoder(json.JSONEncoder):
    def encode(self, o: Any) -> str:
        return o.as_json if isinstance(o, SerialisedObject) else super().encode(o)

    def default(self, o: Any) -> Any:
        return _as_json(o)


class PackedDataSetField(models.JSONField):
    """This column holds a data set in the DICOM JSON Model, with its references to images packed.

    Whoever reads it finds the model itself; `packed_data_set` spares who looks at no reference their making.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options["encoder"] = SerialisedEncoder
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        del options["encoder"]
        return name, path, args, options

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        return image_references.unpacked(found) if isinstance(found, dict) else found

    def get_db_prep_value(self, value: Any, *args: Any, **options: Any) -> Any:
        if isinstance(value, dict) and not isinstance(value, SerialisedObject):
            value = image_references.packed(value)
        return super().get_db_prep_value(value, *args, **options)


def packed_data_set(stored: str) -> dict[str, Any]:
    """Return a data set from the text of its column, its references to images still packed."""
    return image_references.from_json(json.loads(stored))


def _as_json(value: Any) -> Any:
    if isinstance(value, References):
        return value.as_json()
    raise TypeError(f"{type(value).__name__} is not JSON.")
