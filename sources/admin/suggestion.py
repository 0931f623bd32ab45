"""A first mapping is suggested from the project's dictionary, and taken only when a person says so.

It guesses who is who. So the source pauses once it is taken, until a person has looked and lets it go on.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, NamedTuple

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin import sampling
from sources.admin.buttons import page, patient, refused, to_page
from sources.admin.kinds.page import page_of
from sources.admin.mapping import STEP
from sources.admin.sampling import Sample
from sources.contract import Mistake
from sources.dictionary import Dictionary
from sources.errors import SourceError
from sources.mapping import check, field_search, targets
from sources.mapping.field_search import ListedEntry
from sources.mapping.rules import MappingPlan, SessionKind
from sources.mapping.suggest import suggest
from sources.mapping.suggestion.proposals import RuleCandidate, Suggestion, TargetProposal
from sources.mapping.targets import TARGETS
from sources.models import DataSource, MappingRule, SourceState
from sources.models.dictionaries import known_dictionary
from sources.sync import guards
from sources.sync.guards import Guarded
from worklist.devices import stations

REASON = "Suggested from the dictionary"
TAKEN = gettext_lazy(
    "The suggestion is taken, and the source is paused: look at the preview, then let it go on."
)
OTHER_BY_NOW = gettext_lazy(
    "The suggestion is another one by now, for its sessions or the project are: look at it again. "
    "Nothing was done."
)
LACKS = gettext_lazy("Before it can pull: %(what)s")
MAY_NOT_SEE = gettext_lazy("Sample values are shown to who may pull from the source.")
ONE_FOR_EACH = {
    SessionKind.REPEATING_INSTRUMENT: gettext_lazy("One for each repeating instrument"),
    SessionKind.REPEATING_EVENT: gettext_lazy("One for each repeating event"),
    SessionKind.EVENT: gettext_lazy("One for each event"),
    SessionKind.RECORD: gettext_lazy("One for each record"),
    SessionKind.ROW: gettext_lazy("One for each row"),
}
CANDIDATES_SHOWN = 6  # of a target; the one that is taken is among them
OF_SOURCE = "fallbacks"  # what the source says itself: a mistake in it is none of the suggestion
CHOICE = "candidate-{}"  # what the page calls the choice for a target


class ShownCandidate(NamedTuple):
    candidate: RuleCandidate
    fields: list[ListedEntry]
    samples: tuple[Sample, ...]
    is_taken: bool


class ShownProposal(NamedTuple):
    proposal: TargetProposal
    name: str  # of the page's choice
    label: str
    candidates: list[ShownCandidate]


class SamplesRead(NamedTuple):
    """It has samples by the key of their candidate, or says why there are none."""

    by_candidate: dict[str, tuple[Sample, ...]]
    why_not: str = ""


def suggest_mapping(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show a suggestion with what a person chose of it. *Take it* takes it, if it is what was shown."""
    is_shown_anew = "seen" in request.POST
    try:
        dictionary, why_unread = _dictionary(source, fresh=not is_shown_anew), ""
    except SourceError as error:
        known, why_unread = known_dictionary(source), str(error)
        if known is None:
            return refused(request, source, error)
        dictionary = known
    suggestion = _suggested(source, dictionary, request)
    plan = _plan(source, suggestion)
    mistakes = check.mistakes(plan, dictionary)
    if "take" in request.POST and _may_be_taken(request, source, suggestion, mistakes):
        take_plan(source, plan, actor=request.user.get_username())
        messages.success(request, TAKEN)
        if mistakes:
            messages.warning(request, LACKS % {"what": " ".join(mistake.text for mistake in mistakes)})
        return to_page(source)
    samples = _samples(request, source, dictionary, suggestion, why_unread)
    return page(
        model_admin,
        request,
        source,
        "suggestion",
        _("A mapping for %(source)s") % {"source": source},
        dictionary=dictionary,
        sessions=_sessions(plan),
        proposals=[_shown(proposal, dictionary, samples) for proposal in suggestion.proposals],
        samples=samples,
        remarks=_remarks(suggestion),
        mistakes=mistakes,
        seen=_fingerprint(suggestion),
        rows=source.rules.count(),
    )


def _dictionary(source: DataSource, *, fresh: bool) -> Dictionary:
    """Return the project as it is now, or as it was when it was shown. Raises SourceError."""
    return page_of(source.kind).dictionary_to_suggest(patient(source), fresh=fresh)


def _suggested(source: DataSource, dictionary: Dictionary, request: HttpRequest) -> Suggestion:
    """Suggest a mapping as the person chose, and the only scanner where the source names none yet."""
    named = {option.ae_title: option.label for option in stations.options()}
    only = "" if source.scheduled_station_aetitle else stations.only_one()
    prefix = CHOICE.format("")
    chosen = {
        name.removeprefix(prefix): str(key) for name, key in request.POST.items() if name.startswith(prefix)
    }
    return suggest(
        dictionary,
        scanners=named,
        only_scanner=only,
        chosen=chosen,
        how=page_of(source.kind).only_sessions(source),
    )


def _plan(source: DataSource, suggestion: Suggestion) -> MappingPlan:
    own = source.plan
    fallbacks = {**suggestion.plan.fallbacks, **own.fallbacks}
    return replace(
        suggestion.plan,
        constants=own.constants,
        fallbacks=fallbacks,
        is_pseudonymous=own.is_pseudonymous,
    )


def _samples(
    request: HttpRequest,
    source: DataSource,
    dictionary: Dictionary,
    suggestion: Suggestion,
    why_unread: str,
) -> SamplesRead:
    """Read a sample for each candidate that is shown, where the person may see participants' data."""
    if not request.user.has_perm("sources.pull_datasource"):
        return SamplesRead({}, str(MAY_NOT_SEE))
    if why_unread:
        return SamplesRead({}, why_unread)
    candidates = [each for proposal in suggestion.proposals for each in _candidates(proposal)]
    try:
        asked, constants = patient(source), source.plan.constants
        return SamplesRead(sampling.read_samples(asked, dictionary, candidates, constants=constants))
    except SourceError as error:
        return SamplesRead({}, str(error))


def _candidates(proposal: TargetProposal) -> list[RuleCandidate]:
    """Return the best, and the one that is taken."""
    best = proposal.candidates[:CANDIDATES_SHOWN]
    return [*best, *(each for each in proposal.candidates[len(best) :] if each.key == proposal.taken)]


def _shown(proposal: TargetProposal, dictionary: Dictionary, samples: SamplesRead) -> ShownProposal:
    candidates = [
        ShownCandidate(
            each,
            [
                field_search.listed(dictionary.fields[name])
                for name in each.fields
                if name in dictionary.fields
            ],
            samples.by_candidate.get(each.key, ()),
            is_taken=each.key == proposal.taken,
        )
        for each in _candidates(proposal)
    ]
    label = TARGETS.get(proposal.target, "")
    return ShownProposal(proposal, CHOICE.format(proposal.target), label, candidates)


def _remarks(suggestion: Suggestion) -> list[str]:
    """Return what is said of no target, for that is said beside its candidates."""
    of_targets = {proposal.remark for proposal in suggestion.proposals}
    return [remark for remark in suggestion.remarks if remark not in of_targets]


def _may_be_taken(
    request: HttpRequest, source: DataSource, suggestion: Suggestion, mistakes: tuple[Mistake, ...]
) -> bool:
    """Tell whether it may be taken; what keeps it from that is said above the page, shown anew."""
    if request.POST.get("seen") != _fingerprint(suggestion):
        messages.warning(request, OTHER_BY_NOW)
    elif source.rules.exists() and "replace" not in request.POST:
        messages.error(request, _("Tick the box to replace the mapping that there is. Nothing was done."))
    elif not all(mistake.is_gap or mistake.field == OF_SOURCE for mistake in mistakes):
        messages.error(request, _("What was chosen does not go together. Nothing was done."))
    else:
        return True
    return False


def _sessions(plan: MappingPlan) -> str:
    how = plan.sessions
    where = ", ".join(filter(None, (how.instrument, *how.events, how.conditions)))
    return f"{ONE_FOR_EACH[how.kind]}: {where}." if where else f"{ONE_FOR_EACH[how.kind]}."


def _fingerprint(suggestion: Suggestion) -> str:
    """Tell what there was to choose from: which candidates, and what their rows are where sessions are."""
    offered = [(each.target, each.candidates) for each in suggestion.proposals]
    what = (offered, suggestion.plan.sessions, suggestion.plan.fallbacks)
    return hashlib.sha256(repr(what).encode()).hexdigest()


@transaction.atomic
def take_plan(source: DataSource, plan: MappingPlan, *, actor: str) -> None:
    """Let the source's mapping become the plan's, with the actor in the history of every row."""
    remove_rows(source, actor=actor)
    for number, rule in enumerate(plan.rules, start=1):
        row = MappingRule(source=source, position=number * STEP, **MappingRule.columns_of_rule(rule))
        row.save_as(actor, reason=REASON)
    source.take_sessions(plan.sessions)
    source.scheduled_station_aetitle = plan.fallbacks.get(targets.STATION, "")
    source.save_with_details(actor, reason=REASON)
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
