"""pynetdicom's own programs ask, in a Python of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.interoperability.interview import Keys, Told, interview
from tests.interoperability.server import Product, served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="pynetdicom",
    origin=Origin.PYPI,
    packages=("pynetdicom==3.0.4", "pydicom==3.0.2"),
    part=Part.ASKS,
    works="`echoscu` and `findscu` of `python -m pynetdicom`: "
    "all 300 answers, each as FF00; names in every script; a Latin name typed without a character set",
    fails="a name in another script without a character set leaves as `*??*`, "
    "and `?` is a wild card: everybody",
    fault="pydicom: it writes `?` for what Latin-1 lacks, with a warning alone",
    remedy='ask with `-k "SpecificCharacterSet=ISO_IR 192"`',
)
ANSWER = re.compile(r"Find SCP Response: \d+ - 0x(\w{4}) \(Pending\)(.*?)(?=Find SCP Re|\Z)", re.DOTALL)
VALUE = r"\({}\) \w\w \[(.*?)\] *#"


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        echo = work.run(*program("echoscu"), "-v", "-aec", "MWL_SERVER", "127.0.0.1", str(product.port))
        yield f"C-ECHO: {'Status: 0x0000' in echo.stdout}"
        yield from interview(lambda keys: ask(work, product, keys))


def program(name: str) -> tuple[str, ...]:
    return ("python", "-m", "pynetdicom", name)


def ask(work: Workplace, product: Product, keys: Keys) -> Told:
    asked = {"PatientName": "", "PatientID": "", **keys}
    named = [part for key, value in asked.items() for part in ("-k", f"{key}={value}" if value else key)]
    command = (*program("findscu"), "-W", "-aec", "MWL_SERVER", *named, "127.0.0.1", str(product.port))
    done = work.run(*command)
    answers = ANSWER.findall(done.stdout)
    last = done.stdout.strip().splitlines()[-1]
    return Told(
        people=[(_value("0010,0020", text), _value("0010,0010", text)) for _, text in answers],
        statuses=[int(status, 16) for status, _ in answers],
        errors=[last] if done.returncode else [],
    )


def _value(tag: str, text: str) -> str:
    found = re.search(VALUE.format(tag), text)
    return found[1] if found else ""
