"""In which unit a weight is typed is said by its name, its label, its field note or its annotation."""

from __future__ import annotations

from sources.dictionary import Field
from sources.mapping.wording import any_of, words

KILOGRAMS = any_of("kgs?", "kilos?", "kilogram(?:s|os?|m|me|mes)?", "quilos?")
# A German Pfund is 500 g: it is none of these.
POUNDS = any_of("lbs?", "pounds?", "livres?", "libras?")
OTHER = any_of("g", "gm", "gms", "grams?", "gramm", "grammes?", "gramos?", "oz", "ounces?", "stones?", "mg")


def unit_of(field: Field) -> str:
    """Return kg or lb; "" where neither is said, or both."""
    said = _said(field)
    in_kilograms, in_pounds = KILOGRAMS.search(said), POUNDS.search(said)
    if bool(in_kilograms) == bool(in_pounds):
        return ""
    return "kg" if in_kilograms else "lb"


def is_other(field: Field) -> bool:
    """Tell whether it is in grams or the like, and so no participant's weight as it stands."""
    said = _said(field)
    return not (KILOGRAMS.search(said) or POUNDS.search(said)) and OTHER.search(said) is not None


def _said(field: Field) -> str:
    return " ".join(words(text) for text in (field.name, field.label, field.note, field.annotation))
