"""The tables of docs/interoperability.md are what the scripts say of their tools."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.interoperability import scripts
from tests.interoperability.tool import Part, Script

HERE = Path(__file__).resolve().parent
RECORDED = HERE / "recorded"
PAGE = HERE.parents[1] / "docs" / "interoperability.md"
FIRST = "<!-- From the scripts: python -m tests.interoperability --page -->"
LAST = "<!-- End of what is from the scripts -->"
HEAD = ("tool", "version, from", "what works", "what does not", "whose fault", "what to do", "script, seen")


def all_scripts() -> list[Script]:
    names = sorted(module.name for module in pkgutil.iter_modules(scripts.__path__))
    return [Script.of(importlib.import_module(f"{scripts.__name__}.{name}")) for name in names]


def recorded(name: str) -> Path:
    return RECORDED / f"{name}.txt"


def tables(every: Sequence[Script]) -> str:
    return "\n".join(line for part in Part for line in _table(part, every))


def _table(part: Part, every: Sequence[Script]) -> Iterator[str]:
    yield from (f"## {part}", "", _line(HEAD), "|" + "---|" * len(HEAD))
    yield from (_row(script) for script in every if script.tool.part is part)
    yield ""


def _row(script: Script) -> str:
    tool, name = script.tool, script.name
    source = tool.origin if tool.package == tool.name else f"{tool.origin}, `{tool.package}`"
    base = "../tests/interoperability"
    links = f"[`{name}`]({base}/scripts/{name}.py), [seen]({base}/recorded/{name}.txt)"
    return _line(
        (
            f"`{tool.name}`",
            f"{tool.version}, {source}",
            tool.works,
            tool.fails,
            tool.fault,
            tool.remedy,
            links,
        )
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def with_tables(page: str, every: Sequence[Script]) -> str:
    """Return the page with the tables of now between its marks."""
    before, _, rest = page.partition(FIRST)
    after = rest.partition(LAST)[2]
    return f"{before}{FIRST}\n{tables(every)}{LAST}{after}"
