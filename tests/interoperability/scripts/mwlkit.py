"""mwlkit makes worklist files of HL7 orders, and the product imports them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.interoperability.server import served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="mwlkit",
    origin=Origin.PYPI,
    packages=("mwlkit==0.1.0", "hl7kit==0.2.0"),
    part=Part.FILES,
    works="its files are imported by `import_worklist`, and again unchanged; "
    "the Study Instance UID of ZDS is kept",
    fails="of a name's repetitions (alphabetic, ideographic) the first alone comes; "
    "a weight in OBX does not come",
    fault="mwlkit",
    remedy="fill in weight and further scripts here; a later import leaves what a file does not mention",
)
PROGRAM = """
import json
import sys
from pathlib import Path
import hl7kit
import mwlkit

for name, order in json.loads(sys.argv[2]).items():
    item = mwlkit.worklist_item(hl7kit.parse(order.encode()), default_station_ae="MR1")
    Path(sys.argv[1], f"{name}.wl").write_bytes(item.to_bytes())
    print(f"{name}: UID of {item.study_uid_origin}; {'; '.join(item.warnings)}")
"""
NAMES = {
    "ABC-01_x": "Müller^Jürgen",
    "JP01": "Yamada^Tarou^^^^^^A~山田^太郎^^^^^^I",
}
SHOWN = ("patient_id", "patient_name", "patient_birth_date", "patient_weight_kg", "study_instance_uid")


def see(work: Workplace) -> Iterator[str]:
    orders = {each: order(number, each, name) for number, (each, name) in enumerate(NAMES.items(), start=1)}
    files = work.folder / "worklist"
    files.mkdir()
    yield from work.lines("python", "-c", PROGRAM, files, json.dumps(orders))
    with served(work.folder, people=False) as product:
        for _ in range(2):
            yield _without(work.folder, product.manage("import_worklist", str(files)))
        items = json.loads(product.manage("query_db", "--format", "json"))
        yield from sorted(", ".join(str(item[field]) for field in SHOWN) for item in items)


def order(number: int, patient_id: str, name: str) -> str:
    """Return an ORM^O01 as a hospital's system sends it to a worklist."""
    request = {1: "1", 2: f"PL{number}", 3: f"FL{number}", 4: "BRAIN^MRI Brain^L", 18: f"A{number}"}
    request |= {19: f"R{number}", 20: f"S{number}", 24: "MR", 27: "^^^20260105093000"}
    segments = (
        f"MSH|^~\\&|RIS|HOSP|MWL|HOSP|20260104120000||ORM^O01|{number}|P|2.5||||||UNICODE UTF-8",
        f"PID|1||{patient_id}^^^HOSP^MR||{name}||19800229|F",
        "PV1|1|O",
        f"ORC|NW|PL{number}|FL{number}||SC||^^^20260105093000",
        "OBR|" + "|".join(request.get(field, "") for field in range(1, 28)),
        "OBX|1|NM|3141-9^BODY WEIGHT^LN||70.1|kg|||||F",
        f"ZDS|2.25.{number}^100^Application^DICOM",
    )
    return "\r".join(segments)


def _without(folder: Path, printed: str) -> str:
    return printed.strip().replace(f"{folder}/", "")
