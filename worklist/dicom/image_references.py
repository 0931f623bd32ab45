"""References to images are kept packed: a report has thousands of them, which differ in a few digits.

What is packed is proven to be in order (each has a class and an instance, by valid UIDs, and nothing else),
so nobody needs to look into it to judge it. `unpacked` gives the DICOM JSON Model again, as it was sent.
"""

from __future__ import annotations

import base64
import operator
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from time import sleep
from typing import Any, overload

from pydicom.datadict import tag_for_keyword

from worklist.dicom import representations

PERFORMED_SERIES = int(tag_for_keyword("PerformedSeriesSequence") or 0)
IN_SERIES = frozenset(
    int(tag_for_keyword(keyword) or 0)
    for keyword in ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")
)
CLASS, INSTANCE = "00081150", "00081155"  # Referenced SOP Class UID, Referenced SOP Instance UID
FEWEST = 10  # references: fewer are not packed
PACKED = "References"  # how JSON names them where the model has a list
AT_ONCE = 500  # references that are looked at before other threads get their turn

_SERIES_KEY = f"{PERFORMED_SERIES:08X}"
_KEYS_IN_SERIES = tuple(f"{tag:08X}" for tag in sorted(IN_SERIES))


def let_others_run() -> None:
    """Give other threads their turn at once: they wait 5 ms for who computes, at each of their statements."""
    sleep(0.00005)


class References(Sequence[dict[str, Any]]):
    """These are the items of a sequence of references, which are made when they are asked for.

    `packed` is compressed text in Base64: a line for neighbours of one class whose UIDs differ only behind
    the last dot, with the class, what their UIDs have in common, and each number as its distance from the one
    before.
    """

    def __init__(self, packed: str, count: int) -> None:
        self.packed = packed
        self._count = count

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> References:
        """Pack pairs of class and instance, which must be valid UIDs."""
        packing = Packing()
        for sop_class, instance in pairs:
            packing.add(sop_class, instance)
        return packing.finish()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return list(self)[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number, (sop_class, instance) in enumerate(self.pairs(), start=1):
            if number % AT_ONCE == 0:
                let_others_run()
            yield {
                CLASS: {"vr": "UI", "Value": [sop_class]},
                INSTANCE: {"vr": "UI", "Value": [instance]},
            }

    def __eq__(self, other: object) -> bool:
        if isinstance(other, References):
            return self.packed == other.packed
        return list(self) == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal to lists

    def pairs(self) -> Iterator[tuple[str, str]]:
        text = zlib.decompress(base64.b64decode(self.packed)).decode("ascii")
        for line in filter(None, text.split("\n")):
            sop_class, common, distances = line.split("\t")
            for number in accumulate(map(int, distances.split(" "))):
                yield sop_class, f"{common}{number}"

    def as_json(self) -> dict[str, Any]:
        return {PACKED: self.packed, "Count": self._count}


class Packing:
    """References are packed as they come."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._distances: list[str] = []
        self._of: tuple[str, str] = "", ""  # class, and what UIDs have in common
        self._last = 0
        self.count = 0

    def add(self, sop_class: str, instance: str) -> None:
        """Add a reference by its valid UIDs: a part of one has no leading zero, and so is its number."""
        common, dot, end = instance.rpartition(".")
        of, number = (sop_class, common + dot), int(end)
        if of != self._of:
            self._end_line()
            self._of, self._last = of, 0
        self.add_neighbours([number])

    def add_neighbours(self, numbers: Sequence[int]) -> None:
        """Add references that differ from the one before, which there must be, only in their number."""
        distances = map(operator.sub, numbers, chain([self._last], numbers))
        self._distances.extend(map(str, distances))
        self._last = numbers[-1]
        self.count += len(numbers)

    def finish(self) -> References:
        self._end_line()
        compressed = zlib.compress("\n".join(self._lines).encode("ascii"))
        return References(base64.b64encode(compressed).decode("ascii"), self.count)

    def _end_line(self) -> None:
        if self._distances:
            self._lines.append("\t".join((*self._of, " ".join(self._distances))))
            self._distances = []


def packed(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data set with its long sequences of references packed; nothing given is changed."""
    return _with_references(dataset, _packed)


def unpacked(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data set in the DICOM JSON Model."""
    return _with_references(dataset, _unpacked)


def from_json(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data set with `References` for what JSON names so."""
    return _with_references(dataset, _from_json)


def _with_references(dataset: Mapping[str, Any], change: Any) -> dict[str, Any]:
    series = dataset.get(_SERIES_KEY)
    if not isinstance(series, dict) or not isinstance(series.get("Value"), list):
        return dict(dataset)
    values = series["Value"]
    changed = [_in_series(each, change) if isinstance(each, dict) else each for each in values]
    return {**dataset, _SERIES_KEY: {**series, "Value": changed}}


def _in_series(series: dict[str, Any], change: Any) -> dict[str, Any]:
    changed = {}
    for key in _KEYS_IN_SERIES:
        element = series.get(key)
        if isinstance(element, dict) and element.get("Value"):
            changed[key] = {**element, "Value": change(element["Value"])}
    return {**series, **changed}


def _packed(value: Any) -> Any:
    if not isinstance(value, list) or len(value) < FEWEST:
        return value
    pairs = [_pair(item) for item in value]
    return References.of(pair for pair in pairs if pair) if all(pairs) else value


def _unpacked(value: Any) -> Any:
    value = _from_json(value)
    return list(value) if isinstance(value, References) else value


def _from_json(value: Any) -> Any:
    return References(value[PACKED], value["Count"]) if isinstance(value, dict) and PACKED in value else value


def _pair(item: Any) -> tuple[str, str] | None:
    """Return class and instance of an item that has just these, as valid UIDs."""
    if not isinstance(item, dict) or list(item) != [CLASS, INSTANCE]:
        return None
    uids = [_uid(element) for element in item.values()]
    return (uids[0], uids[1]) if all(uids) else None


def _uid(element: Any) -> str:
    if not isinstance(element, dict) or element.keys() != {"vr", "Value"} or element["vr"] != "UI":
        return ""
    value = element["Value"]
    is_one = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
    return value[0] if is_one and representations.problem("UI", value[0]) is None else ""
