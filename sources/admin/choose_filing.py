"""Rows are added to a mapping by which an archive files what arrives, once a person has seen them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin import filing_words
from sources.admin.buttons import page, resume, to_page
from sources.admin.mapping import STEP
from sources.contract import Mistake
from sources.filing import images, presets
from sources.filing.presets import FilingPreset, UnusablePart
from sources.mapping import check, same_ids
from sources.mapping.rules import MappingPlan, Rule, SessionKind
from sources.mapping.targets import TARGETS
from sources.models import DataSource, MappingRule
from sources.models.dictionaries import known_dictionary
from sources.sync import guards
from sources.sync.guards import Guarded

OTHER_BY_NOW = gettext_lazy("The rows are others by now: look at them again. Nothing was done.")
_NAMES_OF_COLUMNS = {"redcap_event_name": "event", "redcap_repeat_instance": "instance"}
_OF_KINDS = {
    SessionKind.EVENT: "event",
    SessionKind.REPEATING_EVENT: "instance",
    SessionKind.REPEATING_INSTRUMENT: "instance",
}
_TEMPLATE = "template "


class FilingPartsForm(forms.Form):
    """It asks for each part of a preset: what is one text for the study, and what is put together."""

    def __init__(self, preset: FilingPreset, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for part in preset.parts:
            how = _("One text for all.") if part.fixed else _("Fields in braces, as in a template.")
            example = _("Such as %(example)s") % {"example": part.example}
            self.fields[part.name] = forms.CharField(
                label=filing_words.PARTS[part.name],
                max_length=200,
                help_text=f"{how} {example}",
            )


class ProposedRow(NamedTuple):
    """`stored` is the row that it replaces, None where it is new."""

    rule: Rule
    label: str
    stored: MappingRule | None


class PresetChoice(NamedTuple):
    preset: FilingPreset
    note: Any
    discarding: list[str]  # scanners that take none of it, with the source


def choose_filing(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show the presets, then what one would put into the mapping. *Apply* puts it there, if it was shown."""
    title = _("How %(source)s is filed") % {"source": source}
    preset = presets.BY_KEY.get(request.POST.get("preset", ""))
    if preset is None:
        choices = [_choice(each) for each in presets.PRESETS]
        return page(model_admin, request, source, "choose_filing", title, choices=choices)
    is_sent = bool({"look", "apply"} & request.POST.keys())
    form = FilingPartsForm(
        preset, request.POST if is_sent else None, initial=None if is_sent else guesses(source, preset)
    )
    rows = _rows(source, preset, form)
    mistakes = _mistakes(source, rows)
    if "apply" in request.POST and rows and _may_be_applied(request, rows, mistakes):
        apply(source, preset, rows, actor=request.user.get_username())
        model_admin.log_change(request, source, f"Filed as {preset.name}.")
        messages.success(request, _("The rows are in the mapping: look at where it will be filed."))
        resume(request, source, full=True)
        return to_page(source)
    return page(
        model_admin,
        request,
        source,
        "choose_filing",
        title,
        chosen=_choice(preset),
        routing_rules=presets.routing_rules(preset),
        form=form,
        rows=rows,
        replaced=sum(row.stored is not None for row in rows),
        mistakes=mistakes,
        seen=_fingerprint(rows),
    )


def _choice(preset: FilingPreset) -> PresetChoice:
    targets = {row.target for row in preset.rows}
    discarding = [
        f"GE MR: {filing_words.attribute_name(each.attribute)} ({each.source})"
        for each in images.DISCARDED["ge_mr"]
        if each.attribute in targets
    ]
    return PresetChoice(preset, filing_words.NOTES[preset.key], discarding)


def guesses(source: DataSource, preset: FilingPreset) -> dict[str, str]:
    """Return a first text for each part that is put together, read off the mapping; a person looks at it."""
    subject, visit = _subject(source), _visit(source)
    is_numbered = bool(visit) and visit in subject
    found = {
        "subject": subject,
        "pscid": subject,
        "visit": visit,
        "session": subject if is_numbered or not visit else f"{subject}_{visit}",
    }
    if preset.scheme == "flywheel" and visit:
        found["session"] = f"ses-{visit}"
    return {part.name: found[part.name] for part in preset.parts if not part.fixed and part.name in found}


def _subject(source: DataSource) -> str:
    """Return what the patient ID is made of: its template, or its field in braces."""
    rule = source.rules.filter(target="patient_id").first()
    lines = rule.transforms.splitlines() if rule else []
    template = next((line.strip() for line in lines if line.strip().startswith(_TEMPLATE)), "")
    if template:
        return template.removeprefix(_TEMPLATE).strip()
    return f"{{{rule.field}}}" if rule and rule.field else "{record}"


def _visit(source: DataSource) -> str:
    """Return what tells a record's sessions apart, in braces, or ""."""
    if source.rules.filter(target="{session}").exists():
        return "{session}"
    plan, dictionary = source.plan, known_dictionary(source)
    field = same_ids.numbering_field(plan, dictionary) if dictionary else ""
    name = _NAMES_OF_COLUMNS.get(field, field) or _OF_KINDS.get(plan.sessions.kind, "")
    return f"{{{name}}}" if name else ""


def _rows(source: DataSource, preset: FilingPreset, form: FilingPartsForm) -> list[ProposedRow]:
    """Return the rows for what was given, none where something of it cannot be: the form then says so."""
    if not form.is_bound or not form.is_valid():
        return []
    try:
        made = presets.rules(preset, form.cleaned_data)
    except UnusablePart as error:
        form.add_error(error.part, str(error))
        return []
    stored = {rule.target: rule for rule in reversed(list(source.rules.all()))}
    return [ProposedRow(rule, TARGETS.get(rule.target, ""), stored.get(rule.target)) for rule in made]


def _mistakes(source: DataSource, rows: list[ProposedRow]) -> list[Mistake]:
    """Return what is wrong with the new rows in the mapping as it would be, and not with the others."""
    if not rows:
        return []
    plan = source.plan
    new = {row.rule.target: row.rule for row in rows}
    others = [rule for rule in plan.rules if rule.target not in new]
    every: MappingPlan = replace(plan, rules=(*others, *new.values()))
    found = check.mistakes(every, known_dictionary(source))
    return [each for each in found if each.rule is not None and each.rule >= len(others)]


def _may_be_applied(request: HttpRequest, rows: list[ProposedRow], mistakes: list[Mistake]) -> bool:
    if request.POST.get("seen") != _fingerprint(rows):
        messages.warning(request, OTHER_BY_NOW)
    elif any(row.stored for row in rows) and "replace" not in request.POST:
        messages.error(request, _("Tick the box to replace the rows that there are. Nothing was done."))
    elif mistakes:
        messages.error(request, _("The rows do not fit the mapping. Nothing was done."))
    else:
        return True
    return False


def _fingerprint(rows: Iterable[ProposedRow]) -> str:
    """Tell the rows, and what they replace, as they were shown."""
    what = [(row.rule, row.stored.as_rule() if row.stored else None) for row in rows]
    return hashlib.sha256(repr(what).encode()).hexdigest()


@transaction.atomic
def apply(source: DataSource, preset: FilingPreset, rows: list[ProposedRow], *, actor: str) -> None:
    """Put the rows into the mapping, each with the actor and the preset in its history."""
    last = max(source.rules.values_list("position", flat=True), default=0)
    for number, row in enumerate(rows, start=1):
        stored = row.stored or MappingRule(source=source, position=last + number * STEP)
        for column, value in MappingRule.columns_of_rule(row.rule).items():
            setattr(stored, column, value)
        stored.save_as(actor, reason=f"Filed as {preset.name}")
    # Who changes what is taken means what comes by it; whom it names is asked about all the same.
    guards.allow_next_time(source, Guarded.ADDED, by=actor)
