"""Run scripts, and compare what they see with what is recorded: `python -m tests.interoperability`."""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.interoperability.installing import NotHereError, install
from tests.interoperability.page import PAGE, all_scripts, recorded, with_tables
from tests.interoperability.tool import Script, Workplace

AS_RECORDED, CHANGED, SKIPPED = "as recorded", "changed", "skipped"


def main() -> int:
    """Return 0 where nothing that could be run has changed."""
    every = {script.name: script for script in all_scripts()}
    parser = argparse.ArgumentParser(prog="python -m tests.interoperability", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Default: all. {', '.join(every)}.")
    parser.add_argument("--record", action="store_true", help="write down what is seen, to be read and kept")
    parser.add_argument("--page", action="store_true", help="only write docs/interoperability.md anew")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in every]:
        parser.error(f"There is no script {', '.join(unknown)}: {', '.join(every)}.")
    if options.page:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_tables(page, list(every.values())), encoding="utf-8")
        return 0
    outcomes = Counter(_run(every[name], record=options.record) for name in options.names or every)
    print(", ".join(f"{outcomes[each]} {each}" for each in (AS_RECORDED, CHANGED, SKIPPED)) + ".")
    return 1 if outcomes[CHANGED] else 0


def _run(script: Script, *, record: bool) -> str:
    print(f"{script.name} ({script.tool.name} {script.tool.version}):", flush=True)
    try:
        seen = _seen(script)
    except NotHereError as why:
        print(f"  skipped. {why}")
        return SKIPPED
    except RuntimeError as error:
        print(f"  {CHANGED}: it fails.\n{error}")
        return CHANGED
    path = recorded(script.name)
    if record:
        path.write_text(seen, encoding="utf-8")
    return _compared(path.read_text(encoding="utf-8") if path.exists() else "", seen)


def _seen(script: Script) -> str:
    """Return what the script saw, a line for each thing. Raises NotHereError."""
    with tempfile.TemporaryDirectory(prefix="pylantir-interoperability-") as name:
        folder = Path(name)
        work = Workplace(folder, install(script.tool, folder))
        return "".join(f"{line}\n" for line in script.see(work))


def _compared(before: str, seen: str) -> str:
    difference = difflib.unified_diff(before.splitlines(), seen.splitlines(), "recorded", "seen", lineterm="")
    if not (lines := list(difference)):
        print(f"  {AS_RECORDED}.")
        return AS_RECORDED
    print("\n".join(f"  {line}" for line in lines))
    return CHANGED


if __name__ == "__main__":
    sys.exit(main())
