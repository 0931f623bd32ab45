"""bidscoin sorts a source folder of one folder for each subject into BIDS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from tests.interoperability.images import scanned
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="bidscoin",
    origin=Origin.PYPI,
    packages=("bidscoin==4.6.2", "dcm2niix==1.0.20260724", "nibabel==5.4.2", "numpy==2.4.6"),
    part=Part.IMAGES,
    works="sex, weight (as it was sent) and an age in years reach `participants.tsv`; "
    "`ABC-01_x` and `abc01X` stay two",
    fails="`-` and `_` are dropped (`sub-ABC01x`), and so are letters beyond ASCII: "
    "山田 is `sub-`, an empty label; ages below a year are 0",
    fault="bidscoin: it drops what a label may not have without a word",
    remedy="choose IDs of ASCII letters and digits",
)


def see(work: Workplace) -> Iterator[str]:
    source, bids = work.folder / "source", work.folder / "bids"
    images = scanned(work.folder)
    for subject, patient_id in {"ABC-01_x": "ABC-01_x", "abc01X": "abc01X", "山田": "JP01"}.items():
        shutil.copytree(images[patient_id], source / f"sub-{subject}" / "ses-1" / "1-anat")
    work.lines("bidsmapper", "--automated", source, bids)
    work.lines("bidscoiner", source, bids)
    yield f"subjects: {sorted(path.name for path in bids.glob('sub-*'))}"
    yield from sorted((bids / "participants.tsv").read_text(encoding="utf-8").splitlines())
