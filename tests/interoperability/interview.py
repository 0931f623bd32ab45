"""Every client asks the same questions, so that their answers can be read side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.interoperability.people import NAMED

Keys = Mapping[str, str]
UTF_8 = {"SpecificCharacterSet": "ISO_IR 192"}
QUESTIONS: tuple[tuple[str, Keys], ...] = (
    ("the ID ABC-01_x", {"PatientID": "ABC-01_x"}),
    ("the ID abc01x, which is nobody's in this spelling", {"PatientID": "abc01x"}),
    ("the name Müller*, no character set declared", {"PatientName": "Müller*"}),
    ("the name Müller*, declared as ISO_IR 192", {"PatientName": "Müller*", **UTF_8}),
    ("the name *山田*, no character set declared", {"PatientName": "*山田*"}),
    ("the name *山田*, declared as ISO_IR 192", {"PatientName": "*山田*", **UTF_8}),
)


@dataclass(frozen=True)
class Told:
    """What a client makes of the answers to a query; statuses and errors where it shows them."""

    people: Sequence[tuple[str, str]]  # ID and name
    statuses: Sequence[int] = ()
    errors: Sequence[str] = ()


Ask = Callable[[Keys], Told]


def interview(ask: Ask) -> Iterator[str]:
    """Yield a line for each thing that the client is told."""
    everybody = ask({})
    yield f"everybody: {_count(everybody)}{_end(everybody)}"
    names = dict(everybody.people)
    for patient_id, stored, _ in NAMED:
        shown = names.get(patient_id, "nobody")
        yield f"  {patient_id}: {'as it is stored' if shown == stored else shown}"
    for words, keys in QUESTIONS:
        told = ask(keys)
        yield f"{words}: {_who(told)}{_end(told)}"


def _count(told: Told) -> str:
    return f"{len(told.people)} answers about {len(dict(told.people))} people"


def _who(told: Told) -> str:
    if len(told.people) > 5:
        return _count(told)
    return ", ".join(patient_id for patient_id, _ in told.people) or "nobody"


def _end(told: Told) -> str:
    statuses = [f"{status:04X} x {count}" for status, count in Counter(told.statuses).items()]
    return "".join(f"; {part}" for part in (", ".join(statuses), *told.errors) if part)
