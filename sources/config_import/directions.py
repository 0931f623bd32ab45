"""A field mapping's pairs are read as `field: target` or `target: field`: the original's files mix both.

The data dictionary decides, and where it cannot, names that the original's own samples use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sources.config_import.entries import Pair
from sources.dictionary import Dictionary
from sources.mapping import columns, targets
from sources.mapping.problems import with_likely_name

STUDY, FAMILY, SESSION = "{study}", "{family}", "{session}"
INSTRUMENT = "redcap_repeat_instrument"

# Names of the original's samples that are no item field, and what they fill; "" is nothing.
ALIASES = {
    "study_id": STUDY,
    "family_id": FAMILY,
    "session_id": SESSION,
    "mri_instance": SESSION,
    "youth_dob_y": targets.BIRTH_DATE,
    "demo_sex": targets.SEX,
    "t1_date": "",
    "scheduled_date": targets.START_DATE,
    "mri_date": targets.START_DATE,
    "scheduled_time": targets.START_TIME,
    "mri_time": targets.START_TIME,
    "mri_wt_lbs": targets.POUNDS,
    "referring_physician": "referring_physician_name",
    "status": targets.STATUS,
}
# Fields that the original asks of REDCap whatever the file says: on the right they are fields.
FIELDS = frozenset(
    {"study_id", "family_id", "youth_dob_y", "demo_sex", "t1_date", "mri_instance", "mri_date", "mri_time"}
)


class Direction(StrEnum):
    FORWARD = "forward"  # field: target
    REVERSED = "reversed"  # target: field
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class PairDecision:
    """`text` says why the pair was read so; without a target it makes no row."""

    pair: Pair
    direction: Direction
    text: str
    field: str = ""
    target: str = ""

    @property
    def line(self) -> str:
        return f"{self.pair.left}: {self.pair.right} – {self.text}"


def decide(pairs: Iterable[Pair], dictionary: Dictionary | None) -> tuple[PairDecision, ...]:
    """Decide each pair. `dictionary` is None where the project could not be asked."""
    return tuple(_decision(pair, dictionary) for pair in pairs)


def target_of(name: str) -> str | None:
    """Return what a name fills: "" for nothing that an item has, None where the name says neither."""
    return name if targets.is_target(name) else ALIASES.get(name)


def _decision(pair: Pair, dictionary: Dictionary | None) -> PairDecision:
    if pair.details is not None:
        return _detailed(pair, dictionary)
    if INSTRUMENT in (pair.left, pair.right):
        way = Direction.REVERSED if pair.right == INSTRUMENT else Direction.FORWARD
        return PairDecision(pair, way, "the sessions' instrument, which is found from the project: no row.")
    by_project = _by_project(pair, dictionary)
    direction = _by_names(pair) if by_project is None else by_project
    if direction is None:
        return PairDecision(pair, Direction.LEFT_OUT, _undecided(pair, dictionary))
    return _row(pair, direction, dictionary, is_by_names=by_project is None)


def _detailed(pair: Pair, dictionary: Dictionary | None) -> PairDecision:
    """Read a pair whose value is an object, which says itself what is its target."""
    assert pair.details is not None
    target = ALIASES.get(pair.right) or pair.right
    is_needed = not (pair.details.template or pair.details.default)
    if dictionary is None or columns.exists(pair.left, dictionary):
        return PairDecision(pair, Direction.FORWARD, f"fills {target}.", pair.left, target)
    if not is_needed:
        text = f"fills {target}; the project has no field {pair.left}, and the row does without one."
        return PairDecision(pair, Direction.FORWARD, text, "", target)
    return PairDecision(pair, Direction.FORWARD, f"left out: {_missing(pair.left, dictionary)}")


def _by_project(pair: Pair, dictionary: Dictionary | None) -> Direction | None:
    if dictionary is None:
        return None
    has_left, has_right = (columns.exists(name, dictionary) for name in (pair.left, pair.right))
    if has_left == has_right:
        return None
    return Direction.FORWARD if has_left else Direction.REVERSED


def _by_names(pair: Pair) -> Direction | None:
    if targets.is_target(pair.right) or pair.left == pair.right:
        return Direction.FORWARD if target_of(pair.right) is not None else None
    if pair.right in FIELDS:
        # mri_date: scheduled_date would be forward, scheduled_date: mri_date is not
        return Direction.REVERSED if target_of(pair.left) is not None else None
    if target_of(pair.right) is not None:
        return Direction.FORWARD
    return Direction.REVERSED if target_of(pair.left) else None


def _row(
    pair: Pair, direction: Direction, dictionary: Dictionary | None, *, is_by_names: bool
) -> PairDecision:
    forward = direction is Direction.FORWARD
    field, name = (pair.left, pair.right) if forward else (pair.right, pair.left)
    target = target_of(name)
    if target is None:
        return PairDecision(
            pair, direction, f"left out: {name} is nothing that an item has, nor a DICOM keyword."
        )
    if not target:
        return PairDecision(pair, direction, f"left out: an item has nothing that {name} would fill.")
    if dictionary is not None and not columns.exists(field, dictionary):
        return PairDecision(pair, direction, f"left out: {_missing(field, dictionary)}")
    how = "by their names" if is_by_names else "as the project has it"
    swapped = "" if forward else "reversed: "
    return PairDecision(pair, direction, f"{swapped}the field {field} fills {target}, {how}.", field, target)


def _undecided(pair: Pair, dictionary: Dictionary | None) -> str:
    if dictionary is None:
        known = "the project could not be asked which of them is its field"
    elif columns.exists(pair.left, dictionary):
        known = "the project has both fields"
    else:
        known = "the project has neither field"
    return f"undecided, and left out: {known}, and no name says what is filled. Map it in the admin."


def _missing(field: str, dictionary: Dictionary) -> str:
    return with_likely_name(f"the project has no field {field}.", field, dictionary.fields)
