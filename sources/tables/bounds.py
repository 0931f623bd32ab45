"""A table is bounded before memory is taken for it: what is larger is refused by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Sizes are in bytes, lengths in characters. A spreadsheet's own cell holds 32,767 characters."""

    file: int = 32 * 1024 * 1024
    unpacked: int = 128 * 1024 * 1024
    rows: int = 100_000
    columns: int = 1_000
    cells: int = 2_000_000  # that are not empty
    cell: int = 32_767


USUAL = Bounds()
