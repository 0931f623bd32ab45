"""findscu asks as a person does at a terminal of today, which is one of UTF-8."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.interoperability.interview import Keys, Told, interview
from tests.interoperability.server import served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="findscu",
    origin=Origin.DEBIAN,
    packages=("dcmtk==3.6.7",),
    part=Part.ASKS,
    works="all 300 answers; names in every script; a name typed in UTF-8, declared or not",
    fails="a terminal of UTF-8 shows the umlauts of an answer in ISO_IR 100 as broken bytes",
    fault="findscu sends and prints bytes as they are",
    remedy="we read UTF-8 that nobody declared; "
    'ask with `-k SpecificCharacterSet="ISO_IR 192"`, and answers are UTF-8',
)
ANSWER = re.compile(r"Find Response: \d+ \(Pending\)(.*?)(?=Find Response|\Z)", re.DOTALL)
VALUE = r"\({}\) \w\w \[(.*?) ?\]"


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        yield from interview(lambda keys: ask(work, product.port, keys))
        declared = ask(work, product.port, {"PatientID": "ABC-01_x", "SpecificCharacterSet": "ISO_IR 192"})
        yield f"ABC-01_x, where UTF-8 is declared: {declared.people[0][1]}"


def ask(work: Workplace, port: int, keys: Keys) -> Told:
    """Ask once, and read what stands on the terminal."""
    asked = {"PatientName": "", "PatientID": "", **keys}
    named = [part for key, value in asked.items() for part in ("-k", f"{key}={value}" if value else key)]
    step = ("-k", "(0040,0100)[0].Modality=MR")
    command = ("findscu", "-W", "-aet", "MR1", "-aec", "MWL_SERVER", *named, *step)
    printed = "\n".join(work.lines(*command, "127.0.0.1", str(port)))
    return Told([(_value("0010,0020", text), _value("0010,0010", text)) for text in ANSWER.findall(printed)])


def _value(tag: str, text: str) -> str:
    found = re.search(VALUE.format(tag), text)
    return found[1] if found else ""
