"""A first mapping is read off a data dictionary: a start for a person, who is told what was assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from sources.dictionary import Dictionary
from sources.mapping import codes, sessions, targets
from sources.mapping.codes import codes_by_label
from sources.mapping.rules import MappingPlan, Rule, SessionKind, SessionLayout, WithoutTime
from sources.mapping.suggestion import appointment, person, scanner
from sources.mapping.suggestion.described import Described, Project
from sources.mapping.suggestion.making import Making, of_rules, without_repeats
from sources.mapping.suggestion.proposals import RuleCandidate, Suggestion, TargetProposal, propose

__all__ = ["Suggestion", "codes_by_label", "suggest"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


def suggest(
    dictionary: Dictionary,
    *,
    scanners: Mapping[str, str] = _NOTHING,
    only_scanner: str = "",
    chosen: Mapping[str, str] = _NOTHING,
    how: SessionLayout | None = None,
) -> Suggestion:
    """Suggest a mapping. `scanners` has the name of each by its AE title; `only_scanner` is for all items.

    `chosen` has what a person chose: by a proposal's target the key of a candidate, or "" for none. `how` is
    given where sessions are found in one way alone, as a table's are by its rows.
    """
    return _Suggesting(dictionary, chosen, how).suggestion(scanners, only_scanner)


class _Suggesting:
    """It goes from the date, which says where sessions are, to all that depends on it."""

    def __init__(
        self, dictionary: Dictionary, chosen: Mapping[str, str], how: SessionLayout | None = None
    ) -> None:
        self.dictionary = dictionary
        self.is_given = how is not None
        self.chosen = chosen
        self.project = Project(dictionary)
        self.remarks: list[str] = []
        self.proposals: list[TargetProposal] = []
        self.making = Making(self.project, how or SessionLayout(SessionKind.RECORD))
        self.date: Described | None = None

    def suggestion(self, scanners: Mapping[str, str], only_scanner: str) -> Suggestion:
        self._find_sessions()
        self._propose_person()
        self._propose_appointment()
        self._propose_scanner(scanners)
        rules = tuple(rule for proposal in self.proposals for rule in taken_rules(proposal))
        how = self._without_time(rules)
        fallbacks = dict(self._scanner_of_all(rules, only_scanner))
        plan = MappingPlan(rules, how, fallbacks=fallbacks)
        return Suggestion(plan, tuple(self.remarks), tuple(self.proposals))

    def _propose(self, target: str, found: Iterable[RuleCandidate], remark: str = "") -> RuleCandidate | None:
        """Propose what `check` lets through, and return what is taken."""
        candidates = self.making.checked(without_repeats(found))
        if not candidates:
            return None
        proposal = propose(target, candidates, self.chosen, remark)
        self.proposals.append(proposal)
        if proposal.remark:
            self.remarks.append(proposal.remark)
        return next((each for each in candidates if each.key == proposal.taken), None)

    def _find_sessions(self) -> None:
        """Let the date say where sessions are; the proposal itself comes with the appointment."""
        self.dates = appointment.dates(self.project)
        found = [appointment.date_candidate(self.making, each) for each in self.dates]
        if found:
            chosen = propose(targets.START_DATE, found, self.chosen).taken
            by_key = zip(found, self.dates, strict=True)
            self.date = next((each.described for candidate, each in by_key if candidate.key == chosen), None)
        if self.date is None:
            where = "" if self.is_given else ", and say where sessions are"
            self.remarks.append(f"No field is sure to be the date of the scan: map one{where}.")
            return
        if self.is_given:
            return
        how = sessions.detect(self.dictionary, self.date.field.name)
        self.making = Making(self.project, how)
        where = f" ({how.instrument})" if how.instrument else ""
        name = self.date.field.name
        self.remarks.append(f"Sessions: {how.kind.value.replace('_', ' ')}{where}, for it has {name}.")
        if self.dictionary.repeating is None and self.dictionary.has_repeats:
            self.remarks.append(
                "What repeats is not known, for we may not ask: check how sessions are found."
            )

    def _propose_person(self) -> None:
        found = [self.making.candidate("patient_id", each) for each in person.ids(self.project)]
        taken = self._propose("patient_id", found)
        if taken is not None:
            name = taken.rules[0].field
            self.remarks.append(f"patient_id is {name}: check that it is what images are to be filed under.")
        self._propose_name(taken)
        self._propose(targets.BIRTH_DATE, person.births(self.making))
        self._propose_sex()
        self._propose_weight()

    def _propose_name(self, taken_id: RuleCandidate | None) -> None:
        id_rule = taken_id.rules[0] if taken_id is not None else None
        named = self._propose("patient_name", person.names(self.making, id_rule))
        if named is None:
            return
        *before, last = named.fields
        if taken_id is not None and named.fields == taken_id.fields:
            self.remarks.append(f"No field for a name was found: {last} takes its place.")
        elif before:
            parts = f"{', '.join(before)} and {last}"
            self.remarks.append(f"patient_name is put together from {parts}.")
        else:
            self.remarks.append(f"patient_name is {last}, in one field: “Doe, Jane” is read as Doe^Jane.")

    def _propose_sex(self) -> None:
        taken = self._propose(targets.SEX, person.sexes(self.making))
        if taken is not None:
            self._say_codes(targets.SEX, taken)

    def _propose_weight(self) -> None:
        form = self.date.field.form if self.date is not None else ""
        found = person.weights(self.making, form)
        remark = ""
        best = max(found, key=lambda each: each.score, default=None)
        if best is not None and sum(each.fields == best.fields for each in found) == 2:
            remark = f"{best.fields[0]} may be the weight, but not in which unit: it is not mapped."
        taken = self._propose(targets.KILOGRAMS, found, remark)
        if taken is not None:
            unit = "kilograms" if taken.rules[0].target == targets.KILOGRAMS else "pounds"
            self.remarks.append(f"{taken.fields[0]} is the weight in {unit}.")

    def _propose_appointment(self) -> None:
        rule = Rule("modality", default="MR")
        self._propose(
            "modality", [of_rules((rule,), ("it is MR for all",), 80, ())], "modality is MR for all."
        )
        dates = [appointment.date_candidate(self.making, each) for each in self.dates]
        self._propose(targets.START_DATE, dates)
        if self.date is None:
            return
        if not self.date.has_time:
            self._propose(targets.START_TIME, appointment.times(self.making, self.date))
        status = self._propose(targets.STATUS, appointment.statuses(self.making, self.date))
        if status is not None:
            self._say_codes(targets.STATUS, status)

    def _propose_scanner(self, scanners: Mapping[str, str]) -> None:
        station = self._propose(targets.STATION, scanner.stations(self.making, scanners))
        if station is not None:
            self._say_scanner(station, scanners)
        form = self.date.field.form if self.date is not None else ""
        for target, found in scanner.descriptions(self.making, form):
            taken = self._propose(target, found)
            if taken is not None:
                self.remarks.append(f"{target} is {taken.fields[0]}.")

    def _say_scanner(self, taken: RuleCandidate, scanners: Mapping[str, str]) -> None:
        field = self.dictionary.fields[taken.fields[0]]
        if not field.choices:
            self.remarks.append(
                f"The scanner is {field.name}: it must hold AE titles as the scanners call themselves."
            )
            return
        table = scanner.scanners_by_code(field, scanners)
        self.remarks.append(f"The scanner is {field.name} by its labels: {codes.write(table)}.")
        unknown = [label for code, label in field.choices.items() if code not in table]
        self.remarks += [
            f"“{label}” is no device: give it one, or the code its AE title." for label in unknown
        ]

    def _say_codes(self, target: str, taken: RuleCandidate) -> None:
        field = self.dictionary.fields[taken.fields[0]]
        table, undecided = codes_by_label(target, field.choices)
        self.remarks += [*undecided, f"{target} is {field.name} by its labels: {codes.write(table)}."]

    def _without_time(self, rules: tuple[Rule, ...]) -> SessionLayout:
        if any(rule.target in (targets.START, targets.START_TIME) for rule in rules):
            return self.making.how
        self.remarks.append("No field for the time was found: a date without one means some time that day.")
        return replace(self.making.how, without_time=WithoutTime.MIDNIGHT)

    def _scanner_of_all(self, rules: tuple[Rule, ...], only_scanner: str) -> Iterator[tuple[str, str]]:
        if only_scanner and not any(rule.target == targets.STATION for rule in rules):
            self.remarks.append(
                f"The scanner is {only_scanner} for all, the only device: it goes among the constants."
            )
            yield targets.STATION, only_scanner


def taken_rules(proposal: TargetProposal) -> tuple[Rule, ...]:
    found = (each.rules for each in proposal.candidates if each.key == proposal.taken)
    return next(found, ())
