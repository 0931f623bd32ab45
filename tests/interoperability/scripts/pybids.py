"""pybids finds the subjects of a BIDS folder whose labels came from IDs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="pybids",
    origin=Origin.PYPI,
    packages=("pybids==0.22.0",),
    part=Part.IMAGES,
    works="labels of letters and digits; `0042` stays a text with its zeros; `ABC01` and `abc01` stay two",
    fails="images of `sub-ABC-01` and `sub-sub_0042` are found under no ID, without a word",
    fault="BIDS: a label is of letters and digits, and `_` ends it",
    remedy="choose IDs of letters and digits, without `sub-` in front",
)
LABELS = ("ABC01", "abc01", "0042", "ABC-01", "sub_0042")
PROGRAM = """
import sys
from bids import BIDSLayout

layout = BIDSLayout(sys.argv[1])
print("subjects:", ", ".join(sorted(layout.get_subjects())))
for label in sys.argv[2:]:
    print(f"{label}: {len(layout.get(subject=label, suffix='T1w'))} images")
"""


def see(work: Workplace) -> Iterator[str]:
    bids = work.folder / "bids"
    for label in LABELS:
        image = bids / f"sub-{label}" / "anat" / f"sub-{label}_T1w.nii.gz"
        image.parent.mkdir(parents=True)
        image.touch()
    description = {"Name": "Study", "BIDSVersion": "1.10.0"}
    (bids / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    yield from work.lines("python", "-W", "ignore", "-c", PROGRAM, bids, *LABELS)[-len(LABELS) - 1 :]
