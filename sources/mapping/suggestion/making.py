"""Candidates are made of fields, once it is known where sessions are; `check` has the last word on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sources.dictionary import Field
from sources.mapping import check, targets
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout
from sources.mapping.suggestion.described import Project
from sources.mapping.suggestion.proposals import MOST_CANDIDATES, RuleCandidate
from sources.mapping.suggestion.scoring import Scored, sentence

OF_THE_PERSON = frozenset({"patient_id", "patient_name", targets.BIRTH_DATE, targets.SEX})


@dataclass(frozen=True)
class Making:
    project: Project
    how: SessionLayout

    def rule(self, target: str, scored: Scored, transforms: str = "") -> Rule:
        field = scored.described.field
        level = self._level(target, field)
        return Rule(target, field.name, level=level, transforms=transforms)

    def _level(self, target: str, field: Field) -> Level:
        """Return the level; a table repeats who it is in each row, and the rows of a record must agree."""
        if self.how.kind is SessionKind.ROW:
            return Level.RECORD if target in OF_THE_PERSON else Level.SESSION
        return self.project.level(field, self.how)

    def candidate(
        self, target: str, scored: Scored, transforms: str = "", *, stem: str = ""
    ) -> RuleCandidate:
        rule = self.rule(target, scored, transforms)
        return of_rules((rule,), scored.reasons, scored.score, (scored.name,), stem=stem)

    def checked(self, candidates: Iterable[RuleCandidate]) -> list[RuleCandidate]:
        """Return the best that `check` does not refuse, as many as are shown."""
        best_first = sorted(candidates, key=lambda each: -each.score)
        return list(islice(filter(self._passes, best_first), MOST_CANDIDATES))

    def _passes(self, candidate: RuleCandidate) -> bool:
        plan = MappingPlan(candidate.rules, self.how)
        found = check.mistakes(plan, self.project.dictionary)
        return all(mistake.rule is None for mistake in found)


def of_rules(
    rules: tuple[Rule, ...], reasons: tuple[str, ...], score: int, fields: tuple[str, ...], *, stem: str = ""
) -> RuleCandidate:
    kept = max(0, min(100, score))
    return RuleCandidate(rules, sentence(reasons), kept, fields, stem or " ".join(fields))


def without_repeats(candidates: Iterable[RuleCandidate]) -> Iterator[RuleCandidate]:
    seen: set[str] = set()
    for each in candidates:
        if each.key not in seen:
            seen.add(each.key)
            yield each
