"""Audit the locks of what runs, what is tested with, and what locks: one answer for all."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from tests.audit.verdict import Verdict, verdict

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements-dev.lock", "requirements-supply.lock")  # the others are parts of the first
AT_MOST = 600  # seconds


def main() -> int:
    parser = ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--pip-audit", required=True, help="path of the program")
    parser.add_argument(
        "--required", action="store_true", help="an audit that was skipped fails (AUDIT_REQUIRED=1)"
    )
    options, others = parser.parse_known_args()
    required = options.required or os.environ.get("AUDIT_REQUIRED", "0") != "0"
    code = 0
    for lock in LOCKS:
        found = audit(options.pip_audit, ROOT / lock, others)
        print(f"{lock}:", *found.sentences(), sep="\n  ")
        code = max(code, found.exit_code(required=required))
    return code


def audit(program: str, lock: Path, options: list[str]) -> Verdict:
    """Return the verdict on one lock; `options` go to pip-audit (`--vulnerability-service osv`, say)."""
    command = [program, "--requirement", str(lock), "--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", *options]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=AT_MOST, check=False)
    except subprocess.TimeoutExpired:
        return Verdict(0, unknown=f"no answer came within {AT_MOST} seconds.")
    return verdict(answer.stdout, answer.stderr)


if __name__ == "__main__":
    sys.exit(main())
