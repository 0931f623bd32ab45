"""A source's mapping is planned as rows: its pairs first, then the original's own rules; all is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sources.config_import import builtin, directions
from sources.config_import.directions import FAMILY, SESSION, STUDY, PairDecision
from sources.config_import.entries import PatientIds, RowDetails, SourceEntry
from sources.dictionary import Dictionary
from sources.mapping import codes, columns, sessions, targets
from sources.mapping.codes import codes_by_label
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout

_ORDER = (
    *(STUDY, FAMILY, builtin.MARKED, builtin.PARTICIPANT, SESSION),
    *(
        "{original_name}",
        "{original_id}",
        builtin.PATIENT_NAME,
        builtin.PATIENT_ID,
        targets.BIRTH_DATE,
        targets.SEX,
    ),
    *(targets.START, targets.START_DATE, targets.START_TIME, "modality"),
)
# Where no dictionary tells: what is entered once, at enrolment.
_OF_THE_RECORD = frozenset(
    {STUDY, FAMILY, builtin.PATIENT_NAME, builtin.PATIENT_ID, targets.BIRTH_DATE, targets.SEX}
)
_MEANT_BY_CODES = (targets.SEX, targets.STATUS)

YEARS = "A year alone is no birth date: it is left empty, where the original sent the year."
POUNDS = "Weights are sent in kilograms; the original sent the number of pounds as kilograms."
NO_WEIGHT = "No weight is mapped: it is sent empty, where the original sent 100."


# A row that is mapped to name or ID falls back to these where its field is empty.
_STAND_INS = {builtin.PATIENT_NAME: "{original_name}", builtin.PATIENT_ID: "{original_id}"}
_OF_A_PARTICIPANT = frozenset({STUDY, FAMILY, builtin.MARKED, builtin.PARTICIPANT})


@dataclass(frozen=True)
class PlannedMapping:
    """`lines` say how each row came about; `cuts_ids` is True where the original cuts IDs in its own."""

    plan: MappingPlan
    lines: tuple[str, ...]
    cuts_ids: bool

    @property
    def of_participants(self) -> MappingPlan:
        """Return the rows that tell participants apart in name and ID."""
        return replace(
            self.plan, rules=tuple(rule for rule in self.plan.rules if rule.target in _OF_A_PARTICIPANT)
        )


def plan(
    entry: SourceEntry, dictionary: Dictionary | None, patient_ids: PatientIds = PatientIds.WHOLE
) -> PlannedMapping:
    """Plan the mapping. Whatever is wrong with it, `sources.mapping.check` tells."""
    making = _RulePlanner(entry, dictionary, patient_ids)
    rules = tuple(making.rules())
    return PlannedMapping(
        MappingPlan(
            rules=rules,
            sessions=making.sessions,
            constants={"site_id": entry.site_id},
            fallbacks={
                "protocol_name": entry.protocol_name,
                "hisris_coding_designator": entry.hisris_coding_designator,
            },
        ),
        tuple(making.lines),
        cuts_ids=making.cuts_ids,
    )


class _RulePlanner:
    def __init__(self, entry: SourceEntry, dictionary: Dictionary | None, patient_ids: PatientIds) -> None:
        self.entry = entry
        self.dictionary = dictionary
        self.patient_ids = patient_ids
        self.cuts_ids = False
        self.decisions = directions.decide(entry.pairs, dictionary)
        self.lines = [decision.line for decision in self.decisions]
        self.sessions = self._sessions()

    def rules(self) -> list[Rule]:
        found = [self._with_fallback(rule) for rule in (*self._mapped(), *self._read_by_itself())]
        can_cut = any(map(builtin.is_cut_by_the_original, found))
        if self.patient_ids is PatientIds.OLD:
            found = [builtin.cut(rule) for rule in found]
        found += self._told(builtin.marked(found, self.dictionary))
        found, is_composed = self._with_composed(found)
        self.cuts_ids = can_cut and is_composed
        if all(rule.target != "modality" for rule in found):
            self.lines.append("modality is MR for all.")
            found.append(Rule("modality", default="MR"))
        self.lines += [*self._visits(), *self._deviations(found)]
        return sorted(found, key=lambda rule: _place(rule.target))

    def _sessions(self) -> SessionLayout:
        if self.entry.sessions is not None:
            return self.entry.sessions
        dates = (targets.START_DATE, targets.START)
        mapped = next((decision for decision in self.decisions if decision.target in dates), None)
        field = mapped.field if mapped and mapped.field else builtin.DATE
        if mapped and self._falls_back(mapped.target, mapped.pair.details):
            field = builtin.DATE  # each session that the original sees has it
        found, line = builtin.find_sessions(field, self.dictionary)
        if field != (mapped.field if mapped else field):
            found = replace(found, conditions=builtin.ONLY_BOOKED)
            line += f" One without {builtin.DATE} is none, as in the original: {builtin.ONLY_BOOKED}."
        self.lines.append(line)
        return found

    def _falls_back(self, target: str, details: RowDetails | None) -> bool:
        field = builtin.FALLBACKS.get(target)
        has_field = self.dictionary is None or (field is not None and columns.exists(field, self.dictionary))
        return field is not None and details is None and has_field

    def _with_fallback(self, rule: Rule) -> Rule:
        """Let the original's own field stand in where the date or time that is mapped is empty."""
        plain = not rule.transforms and not rule.default and not rule.events
        field = builtin.FALLBACKS.get(rule.target, "")
        if not plain or rule.field == field or not self._falls_back(rule.target, None):
            return rule
        if self.sessions.kind is not SessionKind.REPEATING_INSTRUMENT and rule.level is not Level.SESSION:
            return rule
        self.lines.append(f"Where {rule.field} is empty, {field} fills {rule.target}, as in the original.")
        return replace(rule, transforms=f"else {field}")

    def _with_composed(self, found: list[Rule]) -> tuple[list[Rule], bool]:
        """Add name and ID as the original makes them, and tell whether any was made."""
        made: list[Rule] = []
        mapped = {rule.target: rule for rule in found}
        is_old = self.patient_ids is PatientIds.OLD
        for each in builtin.composed(found, self.entry.site_id, to_the_letter=is_old):
            own = mapped.get(each.target)
            if own is None:
                self.lines.append(each.text)
                made += [each.rule] if each.rule else []
            elif each.rule and self._may_be_empty(own):
                stand_in = _STAND_INS[each.target]
                found[found.index(own)] = replace(own, transforms=f"else {stand_in}")
                made.append(replace(each.rule, target=stand_in))
                self.lines.append(f"Where {own.field} is empty, {each.text}")
        if any(FAMILY in rule.transforms for rule in made):
            self.lines.append(builtin.EMPTY_FAMILY if is_old else builtin.NO_FAMILY)
        return [*found, *made], bool(made)

    def _may_be_empty(self, rule: Rule) -> bool:
        """Tell whether the original makes name or ID itself for some, beside those that have the field."""
        if self.dictionary is None or not rule.field or rule.field == self.dictionary.record_id_field:
            return False
        is_plain = not (rule.transforms or rule.default or rule.events or rule.required)
        return is_plain and all(columns.exists(field, self.dictionary) for field in builtin.OF_AN_ID)

    def _mapped(self) -> Iterator[Rule]:
        seen: set[tuple[str, str]] = set()
        for decision in self.decisions:
            row = (decision.field, decision.target)
            if decision.target and row not in seen:
                seen.add(row)
                yield from self._rule(decision.field, decision.target, decision.pair.details)

    def _read_by_itself(self) -> Iterator[Rule]:
        mapped = [
            decision.target
            for decision in self.decisions
            if decision.target and not self._is_made_too(decision)
        ]
        for found in builtin.fields(mapped, self.dictionary):
            if isinstance(found, str):
                self.lines.append(found)
                continue
            rules = list(self._rule(found.field, found.target))
            if rules:
                self.lines.append(f"{found.field} fills {found.target}, as the original reads it by itself.")
            yield from rules

    def _is_made_too(self, decision: PairDecision) -> bool:
        rule = Rule(decision.target, decision.field)
        is_plain = decision.pair.details is None
        return decision.target in _STAND_INS and is_plain and self._may_be_empty(rule)

    def _told(self, found: Iterator[Rule | str]) -> Iterator[Rule]:
        for each in found:
            if isinstance(each, str):
                self.lines.append(each)
            else:
                yield each

    def _rule(self, field: str, target: str, details: RowDetails | None = None) -> Iterator[Rule]:
        """Yield one row, or none where its codes would have to be guessed."""
        given = details or RowDetails()
        rule = Rule(
            target=target,
            field=field,
            level=given.level or self._level(field, target, given.events),
            events=given.events,
            transforms="\n".join(_lines(given)),
            default=given.default,
            required=given.required,
        )
        if target in _MEANT_BY_CODES and not (given.values or given.template):
            yield from self._with_codes(rule)
        elif target == targets.BIRTH_DATE and details is None and not self._is_date(field):
            yield replace(rule, transforms="year only empty")
        else:
            yield rule

    def _with_codes(self, rule: Rule) -> Iterator[Rule]:
        known = self.dictionary.fields.get(rule.field) if self.dictionary else None
        if self.dictionary is None:
            yield from self._without_meaning(rule)
            return
        if known is None or not known.choices:
            yield rule
            return
        table, undecided = codes_by_label(rule.target, known.choices)
        self.lines += undecided
        if table:
            written = codes.write(table)
            self.lines.append(
                f"{rule.target} follows the labels of {rule.field}: {written}. The original sent the codes."
            )
            yield replace(rule, transforms=f"{rule.transforms}\ncodes {written}".strip())
        elif rule.target == targets.STATUS:  # without its row, what is cancelled would be offered
            self.lines.append(
                f"No label of {rule.field} says what is cancelled: say it in the row {rule.target}."
            )
            yield rule
        else:
            self.lines.append(
                f"{rule.target} is left out: no label of {rule.field} says what its codes mean."
            )

    def _without_meaning(self, rule: Rule) -> Iterator[Rule]:
        """Leave a sex out, for it is not to be guessed; yield a status as it is, which a pull may refuse."""
        unknown = f"what the codes of {rule.field} mean could not be asked, and is not guessed"
        if rule.target == targets.SEX:
            self.lines.append(f"{rule.target} is left out: {unknown}. Import again, or map it in the admin.")
            return
        self.lines.append(
            f"{rule.target} is {rule.field} as it is: {unknown}. If it is a choice, a pull refuses it until "
            "its row says codes …, or until this is imported again."
        )
        yield rule

    def _level(self, field: str, target: str, events: tuple[str, ...]) -> Level:
        if events:
            return Level.RECORD
        if self.dictionary is not None and field:
            return sessions.level_of(field, self.sessions, self.dictionary)
        return Level.RECORD if target in _OF_THE_RECORD else Level.SESSION

    def _is_date(self, field: str) -> bool:
        known = self.dictionary.fields.get(field) if self.dictionary else None
        return known is not None and known.validation.startswith("date")

    def _visits(self) -> Iterator[str]:
        """Tell of the table of visits, which would keep sessions out whose number it lacks."""
        if self.entry.session_codes:
            written = codes.write(_with_its_own_values(self.entry.session_codes))
            yield (
                "mri_visit_session_mapping is left out, for the original never read it. In the row "
                f"{SESSION} the line “codes {written}” applies it; another number is an issue then."
            )

    @staticmethod
    def _deviations(rules: list[Rule]) -> Iterator[str]:
        if any(rule.target == targets.BIRTH_DATE and rule.transforms == "year only empty" for rule in rules):
            yield YEARS
        if any(rule.target == targets.POUNDS for rule in rules):
            yield POUNDS
        elif all(rule.target != targets.KILOGRAMS for rule in rules):
            yield NO_WEIGHT


def _with_its_own_values(table: Mapping[str, str]) -> dict[str, str]:
    return {**{value: value for value in table.values() if value}, **table}


def _lines(details: RowDetails) -> Iterator[str]:
    if details.pattern:
        yield f"pattern {details.group} {details.pattern}"
    if details.values:
        yield f"codes {codes.write(details.values)}"
    if details.template:
        yield f"template {details.template}"


def _place(target: str) -> int:
    return _ORDER.index(target) if target in _ORDER else len(_ORDER)
