"""For each target there are candidates, the best first, of which one is in the plan or none."""

from __future__ import annotations

from dataclasses import dataclass

from sources.mapping.rules import MappingPlan, Rule


@dataclass(frozen=True)
class RuleCandidate:
    """It may fill a target: taking it puts its rules into the mapping, mostly one.

    `reason` is a sentence for people, `score` is 0 to 100, and `fields` are the REDCap fields that it reads.
    """

    rules: tuple[Rule, ...]
    reason: str
    score: int
    fields: tuple[str, ...]

    @property
    def key(self) -> str:
        """Return what tells it from the others of its target, the same for each call on one dictionary."""
        return " ".join(f"{rule.target}:{'+'.join(self.fields) or rule.default}" for rule in self.rules)


@dataclass(frozen=True)
class TargetProposal:
    """It has candidates that all pass `check`. `taken` is the key of the one in the plan, "" of none.

    `remark` says why it is left open, or what a person should look at.
    """

    target: str
    candidates: tuple[RuleCandidate, ...]
    taken: str
    remark: str = ""

    @property
    def is_taken(self) -> bool:
        return bool(self.taken)


@dataclass(frozen=True)
class Suggestion:
    """A plan may still be incomplete (`check.mistakes`); `remarks` say what a person should look at."""

    plan: MappingPlan
    remarks: tuple[str, ...]
    proposals: tuple[TargetProposal, ...] = ()
