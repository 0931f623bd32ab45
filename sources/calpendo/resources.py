r"""A table of the site says which modality and scanner a resource is: a resource's own name is neither.

One resource a line: `3T Diagnostic = MR, PRISMA`, with several scanners as `MR, PRISMA\SKYRA`, without one
as `EEG Lab = EEG`. `3T* = MR, PRISMA` is of every resource whose name begins so. The exact name comes first,
then the longest beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from worklist.dicom import modalities, representations

ANY_END = "*"
_EXPECTED = "Expected: 3T Diagnostic = MR, PRISMA, or 3T* = MR, PRISMA for each name that begins so."


@dataclass(frozen=True)
class Scanner:
    modality: str
    station: str = ""  # AE titles, divided by backslashes


@dataclass(frozen=True)
class ResourceTable:
    exact: Mapping[str, Scanner] = field(default_factory=dict)
    beginnings: Mapping[str, Scanner] = field(default_factory=dict)

    def scanner_of(self, resource: str) -> Scanner | None:
        """Return the scanner of a resource, None where no line is about it."""
        name = _one_line(resource)
        if name in self.exact:
            return self.exact[name]
        fitting = [beginning for beginning in self.beginnings if name.startswith(beginning)]
        return self.beginnings[max(fitting, key=len)] if name and fitting else None


def read(text: str) -> ResourceTable:
    """Read the table. Raises ValueError, which names the line and says what is expected."""
    exact: dict[str, Scanner] = {}
    beginnings: dict[str, Scanner] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, scanner = _line(line)
        table, key = (
            (beginnings, name.removesuffix(ANY_END).rstrip()) if name.endswith(ANY_END) else (exact, name)
        )
        if key in table:
            raise ValueError(f"“{line}”: this resource has a line already.")
        table[key] = scanner
    return ResourceTable(exact, beginnings)


def listed(text: str) -> tuple[str, ...]:
    """Return the resources of a list with one a line, each once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, text.splitlines()))))


def _line(line: str) -> tuple[str, Scanner]:
    given, equals, value = line.rpartition("=")
    name = _one_line(given)
    if not equals or not name or name == ANY_END:
        raise ValueError(f"“{line}” is no line of the table. {_EXPECTED}")
    modality, _, stations = (part.strip() for part in value.partition(","))
    question = modalities.question(modality)
    if not modality or question or representations.problem("CS", modality):
        raise ValueError(f"“{line}”: {question or 'This is no modality such as MR.'} {_EXPECTED}")
    return name, Scanner(modality, _stations(stations, line))


def _stations(text: str, line: str) -> str:
    titles = [title.strip() for title in text.replace(",", "\\").split("\\")] if text else []
    for title in titles:
        problem = representations.problem("AE", title) if title else "An AE title is empty."
        if problem:
            raise ValueError(f"“{line}”: {problem}")
    return "\\".join(dict.fromkeys(titles))


def _one_line(text: str) -> str:
    return " ".join(text.split())
