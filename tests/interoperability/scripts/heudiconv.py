"""heudiconv sorts images into BIDS by the ReproIn heuristic, which takes the subject from the patient ID."""

from __future__ import annotations

from collections.abc import Iterator

from tests.interoperability.images import scanned
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="heudiconv",
    origin=Origin.PYPI,
    packages=(
        *("heudiconv==1.5.1", "dcm2niix==1.0.20260724", "nipype==1.11.0", "dcmstack==0.9.0"),
        *("nibabel==5.4.2", "numpy==2.4.6", "pydicom==3.0.2"),
    ),
    part=Part.IMAGES,
    works="sex, and an age in years, reach `participants.tsv`",
    fails="`ABC-01_x` and `abc01X` are one subject, `sub-abc01x`: the second stops with an error; "
    "ages below two years are written as `52W` or `9D` into a column of years",
    fault="heudiconv (ReproIn): it leaves out punctuation and makes letters small",
    remedy="choose IDs that differ in letters and digits, whatever their case",
)


def see(work: Workplace) -> Iterator[str]:
    study = work.folder / "bids" / "Study"
    for patient_id, images in scanned(work.folder).items():
        done = work.run(
            *("heudiconv", "--files", images, "--heuristic", "reproin", "--bids", "--minmeta"),
            *("--outdir", study.parent),
        )
        last = done.stdout.strip().splitlines()[-1].replace(str(work.folder), "...")
        yield f"{patient_id}: exit status {done.returncode}{f', {last}' if done.returncode else ''}"
    yield f"subjects: {sorted(path.name for path in study.glob('sub-*'))}"
    yield from (study / "participants.tsv").read_text(encoding="utf-8").splitlines()
