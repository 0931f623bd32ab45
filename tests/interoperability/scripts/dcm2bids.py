"""dcm2bids sorts images into BIDS, and is told the subject by whoever runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.interoperability.images import SERIES, scanned
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="dcm2bids",
    origin=Origin.PYPI,
    packages=("dcm2bids==3.3.1", "dcm2niix==1.0.20260724"),
    part=Part.IMAGES,
    works="an ID of letters and digits becomes the subject as it is, zeros and case included",
    fails="an ID with `-` or `_` is refused, and nothing is written",
    fault="BIDS: a label is of letters and digits",
    remedy="choose IDs of letters and digits",
)
DESCRIPTION = {"datatype": "anat", "suffix": "T1w", "criteria": {"SeriesDescription": SERIES}}


def see(work: Workplace) -> Iterator[str]:
    images = scanned(work.folder)["ABC-01_x"]
    configuration = work.folder / "dcm2bids.json"
    configuration.write_text(json.dumps({"descriptions": [DESCRIPTION]}), encoding="utf-8")
    for patient_id in ("ABC-01_x", "ABC-01", "ABC01", "abc01X", "0042"):
        out = work.folder / "bids" / patient_id
        done = work.run("dcm2bids", "-d", images, "-p", patient_id, "-c", configuration, "-o", out)
        made = sorted(path.name for path in out.glob("sub-*/anat/*.nii.gz"))
        last = done.stdout.strip().splitlines()[-1]
        yield f"{patient_id}: exit status {done.returncode}, {last if done.returncode else made}"
