"""A name stands for a field, a form's status or a redcap_* column, in the dictionary and in a row."""

from __future__ import annotations

from sources.dictionary import Dictionary, Field
from sources.mapping.transforms import BETWEEN_CHOICES
from sources.rows import GROUP, ExportRow
from worklist.dicom import representations

# Every row has them, and asking for them by name is an error.
OF_EVERY_ROW = frozenset({"redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", GROUP})
STATUS_ENDING = "_complete"


def exists(name: str, dictionary: Dictionary) -> bool:
    return name in OF_EVERY_ROW or form_of(name, dictionary) is not None


def form_of(name: str, dictionary: Dictionary) -> str | None:
    """Return the instrument that has the field; None for what every row has, and for what is not known."""
    field = dictionary.fields.get(exported_field(name, dictionary))
    if field is not None:
        return field.form
    form = name.removesuffix(STATUS_ENDING)
    return form if form != name and form in dictionary.forms else None


def exported_field(name: str, dictionary: Dictionary) -> str:
    """Return the field's name in an export: `race` for the column `race___1` of a checkbox."""
    if name in dictionary.fields or "___" not in name:
        return name
    owners = (field.name for field in dictionary.fields.values() if name in field.columns.values())
    return next(owners, name)


def is_checkbox(field: Field | None) -> bool:
    return field is not None and field.type == "checkbox"


def read(name: str, row: ExportRow, dictionary: Dictionary) -> str:
    """Return the value on one row; a checkbox gives its checked codes."""
    if name == dictionary.record_id_field:
        return row.record.strip(representations.PADDING)
    if name in OF_EVERY_ROW:
        return _of_every_row(name, row)
    field = dictionary.fields.get(name)
    if field is not None and is_checkbox(field):
        checked = (code for code, column in field.columns.items() if row.values.get(column) == "1")
        return BETWEEN_CHOICES.join(checked)
    return row.values.get(name, "").strip(representations.PADDING)


def _of_every_row(name: str, row: ExportRow) -> str:
    if name == GROUP:
        return row.data_access_group
    if name == "redcap_event_name":
        return row.event
    if name == "redcap_repeat_instrument":
        return row.instrument
    return str(row.instance) if row.instance else ""
