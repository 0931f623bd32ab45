"""`export bids` writes a BIDS data set: a folder, or a .zip where its name ends so."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from django.db.models import QuerySet

from worklist.bids import folder
from worklist.bids.making import DataSet, data_set
from worklist.exporting import files
from worklist.exporting.telling import Telling

KIND = "bids"


def write(
    target: Path, asked: QuerySet[Any], telling: Telling, *, performed_only: bool, replace: bool
) -> DataSet:
    """Write the data set of the items that are asked for, and return it.

    Raises BidsRefused where it cannot be made, FolderExists and FileNotWritten where it cannot be written.
    """
    if target.suffix.lower() == ".zip":
        with files.written(target, replace=replace) as file:
            return _zipped(file, target.stem, asked, telling, performed_only=performed_only)
    folder.refuse_existing(target)
    data = data_set(asked, telling, performed_only=performed_only)
    try:
        folder.write(data.files, target)
    except OSError as error:
        raise files.FileNotWritten(f"{target} cannot be written: {error.strerror}.") from error
    return data


def _zipped(
    file: BinaryIO, name: str, asked: QuerySet[Any], telling: Telling, *, performed_only: bool
) -> DataSet:
    data = data_set(asked, telling, performed_only=performed_only)
    folder.write_zip(data.files, file, folder=name)
    return data
