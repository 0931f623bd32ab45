"""`make audit` never calls clean what nobody knows; the answers are pip-audit's own, shortened."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.audit.__main__ import audit
from tests.audit.verdict import Verdict, verdict

VULNERABLE = {
    "name": "asgiref",
    "version": "3.13.0",
    "vulns": [{"id": "CVE-2026-1", "fix_versions": ["3.99.0"], "aliases": ["GHSA-1"], "description": "s"}],
}
CLEAN = {"name": "attrs", "version": "26.1.0", "vulns": []}
UNKNOWN = {
    "name": "attrs",
    "skip_reason": "Dependency not found on PyPI and could not be audited: attrs (26.1.0)",
}
TOLD = "asgiref 3.13.0: CVE-2026-1, mended by 3.99.0."


def answer(*dependencies: object) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


@pytest.mark.acceptance("H141")
@pytest.mark.parametrize(
    ("output", "errors", "found", "unknown", "codes"),
    [
        (answer(CLEAN), "No known vulnerabilities found", 0, "", (0, 0)),
        (answer(VULNERABLE, CLEAN), "", 1, "", (1, 1)),
        (answer(UNKNOWN), "No known vulnerabilities found", 0, "the service does not know attrs.", (0, 1)),
        (answer(VULNERABLE, UNKNOWN), "", 1, "the service does not know attrs.", (1, 1)),
        (answer(), "", 0, "it names no package.", (0, 1)),
        ("", "Traceback\n  x\nConnectionError: no name\n", 0, "ConnectionError: no name", (0, 1)),
        ("", "", 0, "pip-audit said nothing.", (0, 1)),
        ("[]", "odd", 0, "odd", (0, 1)),
    ],
)
def test_what_was_answered_is_judged(
    output: str, errors: str, found: int, unknown: str, codes: tuple[int, int]
) -> None:
    judged = verdict(output, errors)

    assert (len(judged.found), judged.unknown) == (found, unknown)
    assert (judged.exit_code(required=False), judged.exit_code(required=True)) == codes
    assert any("SKIPPED" in sentence for sentence in judged.sentences()) == bool(unknown)


def test_a_vulnerability_says_what_mends_it() -> None:
    assert verdict(answer(VULNERABLE), "").sentences()[0] == TOLD


@pytest.mark.parametrize("name", ["CVE-2026-1", "GHSA-1"])
def test_one_that_does_not_concern_us_is_passed_over_by_any_of_its_names(name: str) -> None:
    assert verdict(answer(VULNERABLE, CLEAN), "", {name: "It is about Windows."}) == Verdict(judged=2)


@pytest.mark.slow
def test_the_program_is_asked_about_the_lock_with_its_hashes(tmp_path: Path) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.exit(' '.join(sys.argv[1:]))\n", encoding="utf-8"
    )
    program.chmod(0o755)

    asked = audit(str(program), tmp_path / "a.lock", ["--timeout", "5"]).unknown

    assert asked == (
        f"--requirement {tmp_path / 'a.lock'} --require-hashes --disable-pip --format json "
        "--progress-spinner off --timeout 5"
    )
