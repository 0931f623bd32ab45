"""A name is typed in parts, each in a field of its own, and is stored as a PN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.dicom import name_parts
from worklist.dicom.representations import PERSON_NAME_GROUP_LENGTH

LABELS = {
    "family": gettext_lazy("Family name"),
    "given": gettext_lazy("Given name"),
    "middle": gettext_lazy("Middle name"),
    "prefix": gettext_lazy("Prefix"),
    "suffix": gettext_lazy("Suffix"),
}
IN_THE_FIRST_ROW = ("family", "given", "middle")
OWN_FIELDS = gettext_lazy("^, = and \\ divide a name in DICOM: write the parts in their own fields.")
WHOLE_NAME = gettext_lazy(
    "Is all of it the family name? Write the given name in its own field, or say that it is."
)


class TypedName(NamedTuple):
    """`parts` has a text for each of `name_parts.PARTS`.

    `is_family_name` says that what looks like a whole name is the family name alone.
    """

    parts: tuple[str, ...]
    is_family_name: bool = False

    def __str__(self) -> str:
        return name_parts.join(self.parts)


class PersonNameWidget(forms.Widget):
    """The first row has what most names have; the second, folded one keeps all else that a PN can hold."""

    template_name = "admin/worklist/widgets/person_name.html"
    use_fieldset = False
    asks = False  # whether it asks if what was typed is the family name alone

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_family" if id_ else id_

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> TypedName | str | None:
        """Return the parts; or the whole PN, which a page sends that was open before there were parts."""
        if self.value_omitted_from_data(data, files, name):
            return data.get(name)
        parts = tuple(data.get(f"{name}_{suffix}") or "" for suffix in SUFFIXES)
        return TypedName(parts, is_family_name=bool(data.get(f"{name}_is_family_name")))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not any(f"{name}_{suffix}" in data for suffix in SUFFIXES)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, None, attrs)
        typed = value if isinstance(value, TypedName) else TypedName(_parts_of(value))
        inputs = [
            self._input(name, context["widget"]["attrs"], *part)
            for part in zip(SUFFIXES, name_parts.PARTS, typed.parts, strict=True)
        ]
        more = [each for each in inputs if each not in inputs[: len(IN_THE_FIRST_ROW)]]
        context |= {
            "first": inputs[: len(IN_THE_FIRST_ROW)],
            "rows": [
                (capfirst(label), [each for each in more if each["group"] == group])
                for group, label in _GROUP_LABELS.items()
            ],
            "is_unfolded": any(each["value"] for each in more),
            "asks": self.asks or typed.is_family_name,
            "is_family_name": typed.is_family_name,
        }
        return context

    def _input(
        self, name: str, attrs: Mapping[str, Any], suffix: str, part: tuple[str, str], value: str
    ) -> dict[str, Any]:
        group, component = part
        return {
            "name": f"{name}_{suffix}",
            "id": f"{attrs.get('id', f'id_{name}')}_{suffix}",
            "label": LABELS[component],
            "group": group,
            "value": value,
            "maxlength": PERSON_NAME_GROUP_LENGTH,
        }


class PersonNameField(forms.CharField):
    """Its clean value is a PN, and so is the one that the page remembers as the first one."""

    widget = PersonNameWidget

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"label": self.label or ""}

    def to_python(self, value: Any) -> str:
        """Return the PN. Raises ValidationError of a part that would be several."""
        if not isinstance(value, TypedName):
            return str(super().to_python(value))
        for (group, component), part in zip(name_parts.PARTS, value.parts, strict=True):
            if set(part) & set(name_parts.DELIMITERS):
                named = {"part": _label(group, component), "sentence": OWN_FIELDS}
                raise ValidationError(_("%(part)s: %(sentence)s") % named, code="delimiter")
        return str(value)


def looks_like_a_whole_name(typed: Any) -> bool:
    """Return whether `John Doe` was typed as a family name, without a given name."""
    if not isinstance(typed, TypedName) or typed.is_family_name:
        return False
    family, given, *_ = (part.strip() for part in typed.parts)
    return not given and any(character.isspace() or character == "," for character in family)


def _suffix(group: str, component: str) -> str:
    return component if group == "alphabetic" else f"{group}_{component}"


def _label(group: str, component: str) -> str:
    script = _GROUP_LABELS[group]
    if not script:
        return str(LABELS[component])
    return _("%(part)s, %(script)s") % {"part": LABELS[component], "script": script}


def _parts_of(value: Any) -> tuple[str, ...]:
    """Return the parts of a stored name; what no PN can be was never stored, and stands as it is."""
    name = str(value or "")
    return name_parts.split(name) or (name, *[""] * (len(name_parts.PARTS) - 1))


SUFFIXES = tuple(_suffix(*part) for part in name_parts.PARTS)
_GROUP_LABELS: dict[str, Any] = {
    "alphabetic": "",
    "ideographic": gettext_lazy("ideographic"),
    "phonetic": gettext_lazy("phonetic"),
}
