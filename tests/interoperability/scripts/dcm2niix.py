"""dcm2niix converts images, and keeps of the header what it is told to keep."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.interoperability.images import scanned
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="dcm2niix",
    origin=Origin.PYPI,
    packages=("dcm2niix==1.0.20260724",),
    part=Part.IMAGES,
    works="ID, birth date, sex, weight, accession number, and an age in years; "
    "by default none of them reaches the sidecar (`-ba y`)",
    fails="every name is read as Latin-1, so one in UTF-8 is broken in the sidecar and in `%n`; "
    "an age in months, weeks or days is left out",
    fault="dcm2niix: it does not look at Specific Character Set",
    remedy="name files by ID (`%i`), never by name; "
    "reckon an infant's age from the birth date. Latin names leave us as ISO_IR 100, which it reads",
)
KEPT = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientWeight", "PatientAge"),
    "AccessionNumber",
)


def see(work: Workplace) -> Iterator[str]:
    for patient_id, images in scanned(work.folder).items():
        out = work.folder / "out" / patient_id
        out.mkdir(parents=True)
        work.lines("dcm2niix", "-ba", "n", "-f", "%i_%n", "-o", out, images)
        (file,) = out.glob("*.json")
        sidecar = json.loads(file.read_text(encoding="utf-8"))
        yield f"{patient_id}, file {file.stem}"
        yield from (f"  {key}: {sidecar.get(key, 'left out')}" for key in KEPT)
        work.lines("dcm2niix", "-f", "usual", "-o", out, images)
        usual = json.loads((out / "usual.json").read_text(encoding="utf-8"))
        yield f"  by default: {[key for key in KEPT if key in usual] or 'nothing of this'}"
