"""A modality is a term of PS3.3 C.7.3.1.1.1 or one of a site's own; a usual slip for one is known here.

A legal code string that is no defined term is nobody's mistake. A slip is: no scanner asks for MRI.
"""

from __future__ import annotations

import re

# What a page offers before there is an item, in words.
USUAL = {
    "MR": "Magnetic resonance",
    "CT": "Computed tomography",
    "PT": "Positron emission tomography",
    "NM": "Nuclear medicine",
    "US": "Ultrasound",
    "DX": "Digital radiography",
    "CR": "Computed radiography",
    "MG": "Mammography",
    "XA": "X-ray angiography",
    "RF": "Radiofluoroscopy",
    "BMD": "Bone densitometry (X-ray)",
    "EEG": "Electroencephalography",
    "ECG": "Electrocardiography",
    "OT": "Other",
}
_RADIOGRAPHY = ("DX", "CR")
# By letters and digits alone: X-RAY is XRAY.
SLIPS = {
    **dict.fromkeys(("MRI", "NMR", "FMRI", "MRT", "IRM", "MRSCAN", "MAGNETICRESONANCE"), ("MR",)),
    **dict.fromkeys(("CAT", "CATSCAN", "CTSCAN", "TDM", "COMPUTEDTOMOGRAPHY"), ("CT",)),
    **dict.fromkeys(("PET", "PETSCAN", "TEP"), ("PT",)),
    **dict.fromkeys(("PETCT", "PTCT", "CTPET"), ("PT", "CT")),
    **dict.fromkeys(("PETMR", "PETMRI", "PTMR", "MRPET"), ("PT", "MR")),
    **dict.fromkeys(("XRAY", "XR", "DR", "RX", "RADIOGRAPHY"), _RADIOGRAPHY),
    **dict.fromkeys(("SPECT", "SCINTIGRAPHY", "NUC", "NUCLEARMEDICINE"), ("NM",)),
    **dict.fromkeys(("USG", "ULTRASOUND", "SONO", "SONOGRAPHY"), ("US",)),
    **dict.fromkeys(("MAMMO", "MAMMOGRAPHY", "MMG"), ("MG",)),
    **dict.fromkeys(("DEXA", "DXA"), ("BMD",)),
    **dict.fromkeys(("ANGIO", "ANGIOGRAPHY", "DSA"), ("XA",)),
    **dict.fromkeys(("FLUORO", "FLUOROSCOPY"), ("RF",)),
    "EKG": ("ECG",),
}


def question(modality: str) -> str:
    """Return `Did you mean MR?` for a usual slip, else nothing."""
    meant = SLIPS.get(re.sub(r"[\W_]", "", modality).upper())
    return f"Did you mean {' or '.join(meant)}?" if meant else ""
