"""What pip-audit answers is read here: vulnerable, clean, or not known to anybody who was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

# A vulnerability by its identifier, and why it does not concern Pylantir.
PASSED_OVER: Mapping[str, str] = {}


@dataclass(frozen=True)
class Verdict:
    """`found` names vulnerabilities in sentences; `unknown` says why something could not be judged."""

    judged: int
    found: tuple[str, ...] = ()
    unknown: str = ""

    def exit_code(self, *, required: bool) -> int:
        """Return 1 where a vulnerability is known, or nothing is known although it must be."""
        return int(bool(self.found) or (required and bool(self.unknown)))

    def sentences(self) -> list[str]:
        if self.unknown:
            told = f"{self.judged} versions were looked up. " if self.judged else ""
            return [*self.found, f"{told}THE AUDIT WAS SKIPPED, nothing is said of the rest: {self.unknown}"]
        return [*self.found, f"{self.judged} locked versions were looked up: {len(self.found)} vulnerable."]


def verdict(output: str, errors: str, passed_over: Mapping[str, str] = PASSED_OVER) -> Verdict:
    """Read the standard output of `pip-audit --format json`, and the standard error beside it."""
    try:
        dependencies = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(0, unknown=_last_line(errors))
    if not dependencies:
        return Verdict(0, unknown="it names no package.")
    known = [each for each in dependencies if "skip_reason" not in each]
    skipped = [each["name"] for each in dependencies if "skip_reason" in each]
    return Verdict(
        judged=len(known),
        found=tuple(sentence for each in known for sentence in _vulnerabilities(each, passed_over)),
        unknown=f"the service does not know {_first_of(skipped)}." if skipped else "",
    )


def _vulnerabilities(dependency: dict[str, object], passed_over: Mapping[str, str]) -> list[str]:
    told = []
    vulnerabilities = dependency["vulns"]
    assert isinstance(vulnerabilities, list)
    for each in vulnerabilities:
        names = {each["id"], *each.get("aliases", ())}
        if not names & passed_over.keys():
            mended = " or ".join(each.get("fix_versions", ())) or "no version yet"
            told.append(f"{dependency['name']} {dependency['version']}: {each['id']}, mended by {mended}.")
    return told


def _first_of(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _last_line(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1] if lines else "pip-audit said nothing."
