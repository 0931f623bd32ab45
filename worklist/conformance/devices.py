"""These sections tell what a site may set for each scanner, and what is known of vendors' ones."""

from __future__ import annotations

from collections.abc import Iterator

from worklist.conformance.markdown import table
from worklist.devices import presets
from worklist.models import CHARACTER_SETS, Device

NO_RULES = frozenset(
    {"id", "created_at", "updated_at", "preset", "notes", "name", "vendor", "model", "enabled"}
)
MOST_CHOICES = 4  # named beside a rule


def rules() -> Iterator[str]:
    yield "##### Rules of a device"
    yield ""
    yield (
        "Each row of *Scanners* in the admin may have these; a change counts from the next association, "
        "query or report on. The row `*` speaks for every AE title without a row of its own."
    )
    yield ""
    fields = [field for field in Device._meta.fields if field.name not in NO_RULES]
    described = ((f"`{field.name}`", _meaning(str(field.help_text), field.flatchoices)) for field in fields)
    yield from table(("Rule", "Meaning"), described)
    yield ""
    known = ", ".join(f"`{terms}`" for terms in CHARACTER_SETS)
    yield f"Character sets that a device may have: {known}."


def vendors() -> Iterator[str]:
    yield "##### Vendors' rules to start from"
    yield ""
    yield "In the admin, *Devices → Add* fills these in, and says which coming items they would leave out."
    yield "Without a field nothing is set: it tells what this server does anyway, or what the scanner does."
    yield ""
    rows = ((preset.label, *_cells(rule)) for preset in presets.PRESETS for rule in preset.rules)
    yield from table(("Preset", "Field", "Value", "Why", "Source"), rows)


def _cells(rule: presets.PresetRule) -> tuple[str, ...]:
    field = f"`{rule.field}`" if rule.field else ""
    return field, str(rule.value or ""), rule.why, rule.source


def _meaning(help_text: str, choices: list[tuple[str, str]]) -> str:
    few = choices if len(choices) <= MOST_CHOICES else []
    listed = "; ".join(f"`{value}`: {label}" for value, label in few)
    return " ".join(filter(None, (help_text, f"({listed})" if listed else ""))).replace("|", "\\|")
