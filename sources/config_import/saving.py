"""A source and its rows are written where they differ from a configuration, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from sources.config_import.values import ConfigError
from sources.dictionary import Dictionary
from sources.mapping import identifying
from sources.mapping.identifying import Marks
from sources.mapping.rules import Rule
from sources.models import DataSource, HowAgreed, KnownDictionary, MappingRule
from sources.models.details import SourceDetails
from sources.models.identifying import agree, not_agreed
from sources.sync import claims

STEP = 10  # between the positions of rows, as people may want to put others there
NEW, CHANGED, UNCHANGED = "imported", "updated", "unchanged"


class GivesSecret(Protocol):
    def give(self, details: Any, *, by: str) -> bool:
        """Give the details the token or password, and tell whether that changed anything."""


@dataclass(frozen=True)
class WantedSource:
    """`values` are fields of DataSource, `details` of the row that is its kind's own.

    `dictionary` is what the rules were decided by.
    """

    source: DataSource  # with its details: both unsaved, or as they were read
    values: Mapping[str, Any]
    details: Mapping[str, Any]
    secret: GivesSecret
    rules: tuple[Rule, ...]
    dictionary: Dictionary | None


def save(wanted: WantedSource, *, actor: str) -> str:
    """Return what became of it: NEW, CHANGED or UNCHANGED.

    Raises ConfigError, and then nothing was written.
    """
    with transaction.atomic():
        source, is_new = _locked(wanted.source)
        changed = _set_values(source, wanted.values)
        changed |= _set_values(source.details, wanted.details)
        changed |= wanted.secret.give(source.details, by=actor)
        if is_new or changed:
            _validate(source, "")
            _validate(source.details, "")
            source.save_with_details(actor)
        changed |= _save_rules(source, wanted.rules, actor=actor)
        if is_new or changed:
            _agree(source, wanted.dictionary, actor=actor)
        if wanted.dictionary is not None:
            _keep_dictionary(source, wanted.dictionary)
        if changed and source.enabled:
            claims.request_pull(source, by=actor, full=True)
    if is_new:
        return NEW
    return CHANGED if changed else UNCHANGED


def _locked(source: DataSource) -> tuple[DataSource, bool]:
    if source._state.adding:
        return source, True
    return DataSource.objects.select_for_update().get(pk=source.pk), False


def _set_values(item: DataSource | SourceDetails | MappingRule, values: Mapping[str, Any]) -> bool:
    """Set the values and tell whether anything differed."""
    differing = {name: value for name, value in values.items() if getattr(item, name) != value}
    for name, value in differing.items():
        setattr(item, name, value)
    return bool(differing)


def _validate(item: DataSource | SourceDetails | MappingRule, what: str) -> None:
    try:
        item.full_clean(exclude=None if isinstance(item, DataSource) else ["source"])
    except ValidationError as error:
        problems = [f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()]
        raise ConfigError(f"{what}{' '.join(problems)}") from error


def _save_rules(source: DataSource, rules: tuple[Rule, ...], *, actor: str) -> bool:
    """Save the rows: each keeps its history as long as there is one for its target."""
    spare: dict[str, list[MappingRule]] = {}
    for row in source.rules.all():
        spare.setdefault(row.target, []).append(row)
    changed = False
    for number, rule in enumerate(rules, start=1):
        rows = spare.get(rule.target)
        changed |= _save_rule(
            rows.pop(0) if rows else MappingRule(source=source), rule, number * STEP, actor=actor
        )
    for row in (row for rows in spare.values() for row in rows):
        row._history_user = actor
        row.delete()
        changed = True
    return changed


def _save_rule(row: MappingRule, rule: Rule, position: int, *, actor: str) -> bool:
    values = {"position": position, **MappingRule.columns_of_rule(rule)}
    if not _set_values(row, values) and row.pk is not None:
        return False
    _validate(row, f"Row {rule.target}: ")
    row.save_as(actor)
    return True


def _agree(source: DataSource, dictionary: Dictionary | None, *, actor: str) -> None:
    """Keep who brought the mapping: whoever imports one names each field, and is an administrator."""
    found = None if dictionary is None else identifying.uses(source.plan, Marks.of(dictionary))
    if found is None or not_agreed(source, found):
        agree(source, found, how=HowAgreed.IMPORT, by=actor)


def _keep_dictionary(source: DataSource, dictionary: Dictionary) -> None:
    """Keep the dictionary for the pages, until a pull asks for its own."""
    if not KnownDictionary.objects.filter(source=source).exists():
        KnownDictionary.keep(source, dictionary, read_at=timezone.now())
