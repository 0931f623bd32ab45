"""For each target there are candidates, the best first, of which one is in the plan or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sources.mapping import targets
from sources.mapping.rules import MappingPlan, Rule

MOST_CANDIDATES = 6
SURE = 55  # from here a candidate is taken, where no other is as good
MARGIN = 6  # one whose score is nearer to the best than this is as good
UNKNOWN = "?"  # the key of no candidate


@dataclass(frozen=True)
class RuleCandidate:
    """It may fill a target: taking it puts its rules into the mapping, mostly one.

    `reason` is a sentence for people, `score` is 0 to 100, and `fields` are the REDCap fields that it reads.
    """

    rules: tuple[Rule, ...]
    reason: str
    score: int
    fields: tuple[str, ...]
    stem: str = ""  # candidates with the same one are no rivals: one weight in kilograms and in pounds

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


def propose(
    target: str, candidates: Sequence[RuleCandidate], chosen: Mapping[str, str], remark: str = ""
) -> TargetProposal:
    """Take the candidate that a person chose, else the first if it is sure, and better than the second.

    `remark` is said of one that is taken, or left open for another reason than that two are equal.
    """
    shown = tuple(candidates)
    if chosen.get(target, UNKNOWN) in ("", *(each.key for each in shown)):
        return TargetProposal(target, shown, chosen[target], remark)
    best = shown[0]
    rivals = [each for each in shown[1:] if each.stem != best.stem]
    if best.score < SURE:
        names = " or ".join(dict.fromkeys("+".join(each.fields) for each in shown[:3]))
        return TargetProposal(
            target, shown, "", remark or f"{_label(target)} may be {names}: look which it is."
        )
    if rivals and best.score - rivals[0].score < MARGIN:
        equal = [each for each in shown if best.score - each.score < MARGIN]
        names = " and ".join(dict.fromkeys("+".join(each.fields) for each in equal))
        text = f"{_label(target)}: {names} are as good as each other, so none is taken."
        return TargetProposal(target, shown, "", text)
    return TargetProposal(target, shown, best.key, remark)


def _label(target: str) -> str:
    return targets.TARGETS.get(target, target)
