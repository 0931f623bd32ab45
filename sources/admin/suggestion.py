"""A first mapping is suggested from the project's dictionary, and taken only when a person says so.

It guesses who is who. So the source pauses once it is taken, until a person has looked and lets it go on.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from sources.admin.buttons import page, refused, to_page
from sources.admin.mapping import STEP
from sources.backends.redcap import dictionary_of
from sources.errors import SourceError
from sources.mapping import check, targets
from sources.mapping.rules import MappingPlan
from sources.mapping.suggest import Suggestion, suggest
from sources.mapping.targets import TARGETS
from sources.models import DataSource, MappingRule, SourceState
from sources.redcap.dictionary import Dictionary
from sources.sync import guards
from sources.sync.guards import Guarded
from worklist.devices import stations

REASON = "Suggested from the dictionary"
TAKEN = "The suggestion is taken, and the source is paused: look at the preview, then let it go on."


def suggest_mapping(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show a suggestion. A second POST takes it, if it is still the one that was shown."""
    takes = "take" in request.POST
    try:
        dictionary = dictionary_of(source, fresh=not takes)
    except SourceError as error:
        return refused(request, source, error)
    suggestion = _suggested(source, dictionary)
    own = source.plan
    fallbacks = {**suggestion.plan.fallbacks, **own.fallbacks}
    plan = replace(suggestion.plan, constants=own.constants, fallbacks=fallbacks)
    if takes and _may_be_taken(request, source, plan):
        take_plan(source, plan, actor=request.user.get_username())
        messages.success(request, TAKEN)
        return to_page(source)
    return page(
        model_admin,
        request,
        source,
        "suggestion",
        f"A mapping for {source}",
        dictionary=dictionary,
        sessions=_sessions(plan),
        rules=[(rule, TARGETS.get(rule.target, rule.target)) for rule in plan.rules],
        remarks=suggestion.remarks,
        mistakes=check.mistakes(plan, dictionary),
        seen=_fingerprint(plan),
        rows=source.rules.count(),
    )


def _suggested(source: DataSource, dictionary: Dictionary) -> Suggestion:
    """Suggest a mapping, and the only scanner where the source names none yet."""
    named = {option.ae_title: option.label for option in stations.options()}
    only = "" if source.scheduled_station_aetitle else stations.only_one()
    return suggest(dictionary, scanners=named, only_scanner=only)


def _may_be_taken(request: HttpRequest, source: DataSource, plan: MappingPlan) -> bool:
    """Tell whether it may be taken; what keeps it from that is said above the page, shown anew."""
    if request.POST.get("seen") != _fingerprint(plan):
        messages.warning(request, "The suggestion is another one by now: look at it again.")
    elif source.rules.exists() and "replace" not in request.POST:
        messages.error(request, "Tick the box to replace the mapping that there is. Nothing was done.")
    else:
        return True
    return False


def _sessions(plan: MappingPlan) -> str:
    how = plan.sessions
    kind = f"One for each {how.kind.value.replace('_', ' ')}"
    return ", ".join(filter(None, (kind, how.instrument, *how.events, how.conditions))) + "."


def _fingerprint(plan: MappingPlan) -> str:
    return hashlib.sha256(repr((plan.rules, plan.sessions, plan.fallbacks)).encode()).hexdigest()


@transaction.atomic
def take_plan(source: DataSource, plan: MappingPlan, *, actor: str) -> None:
    """Let the source's mapping become the plan's, with the actor in the history of every row."""
    remove_rows(source, actor=actor)
    for number, rule in enumerate(plan.rules, start=1):
        row = MappingRule(source=source, position=number * STEP, **MappingRule.columns_of_rule(rule))
        row.save_as(actor, reason=REASON)
    for column, value in source.columns_of_sessions(plan.sessions).items():
        setattr(source, column, value)
    source.scheduled_station_aetitle = plan.fallbacks.get(targets.STATION, "")
    source.save_as(actor, reason=REASON)
    guards.allow_next_time(source, Guarded.ADDED, by=actor)
    now = timezone.now()
    SourceState.objects.filter(source=source).update(
        next_pull_at=None, full_requested=True, requested_at=now, requested_by=""
    )


def remove_rows(source: DataSource, *, actor: str) -> None:
    """Remove the rows one by one, for the history names who did it."""
    for row in source.rules.all():
        row._history_user = actor
        row.delete()
