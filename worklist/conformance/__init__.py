"""This room writes the DICOM Conformance Statement, in Markdown (PS3.2).

What the code decides is read from the code, and numbers from the settings in force.
"""

from __future__ import annotations

from worklist.conformance import associations, devices, performed, queries

SECTIONS = (
    associations.overview,
    associations.association,
    queries.matching,
    queries.rules,
    queries.answers,
    queries.items,
    queries.statuses,
    performed.rules,
    performed.links,
    performed.attributes,
    performed.statuses,
    queries.texts,
    queries.limits,
    devices.rules,
    devices.vendors,
)


def statement() -> str:
    """Return the whole document."""
    return "\n\n".join("\n".join(section()) for section in SECTIONS) + "\n"
