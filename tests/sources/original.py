"""What the original schedules of a project is worked out here, by what is known of its rules.

Only rows of the instrument `mri` with number, date and time count; a value is the row's own, else that of
the first row that does not repeat. Study and family ID are cut at their last dash. What the mapping names
comes before what is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sources.rows import ExportRow


@dataclass(frozen=True)
class Scheduled:
    """An entry of the original's worklist, as it meant to be read."""

    patient_id: str
    patient_name: str
    day: str
    at: str


def scheduled(
    rows: Iterable[ExportRow], mapping: Mapping[str, str], fields: Iterable[str], site: str
) -> Iterator[Scheduled]:
    """Yield what is scheduled of one record, whose rows these are; `fields` are the project's."""
    known = list(rows)
    baseline = next((row.values for row in known if not row.instrument), {})
    read = {*fields}
    for row in known:
        if row.instrument != "mri" or not all(
            row.values.get(f"mri_{part}") for part in ("instance", "date", "time")
        ):
            continue
        merged = {name: row.values.get(name) or baseline.get(name, "") for name in read}
        entry = _entry(merged, site)
        if entry is not None:
            mapped = {right: merged[left] for left, right in mapping.items() if merged.get(left)}
            yield Scheduled(**{**entry, **_overridden(mapped)})


def _entry(merged: Mapping[str, str], site: str) -> dict[str, str] | None:
    study, family = (merged.get(name, "").split("-")[-1] for name in ("study_id", "family_id"))
    if not study:
        return None
    if merged.get("neuro_pcp", "") in ("1", "true") and not study.startswith("ng_"):
        study = f"ng_{study}"
    number = merged["mri_instance"]
    return {
        "patient_id": f"sub_{study}_ses_{number}_fam_{family}_site_{site}",
        "patient_name": f"cpip-id-{study}^fa-{family}",
        "day": merged["mri_date"],
        "at": merged["mri_time"],
    }


def _overridden(mapped: Mapping[str, str]) -> dict[str, str]:
    targets = {"scheduled_start_date": "day", "scheduled_start_time": "at"}
    names = ("patient_id", "patient_name", *targets)
    return {targets.get(name, name): mapped[name] for name in names if name in mapped}
