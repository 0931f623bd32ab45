"""Files' data sets are read as they were meant, or refused: damage and doubtful text are never passed on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pydicom import DataElement, Dataset, config, dcmread
from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from worklist.dicom import decoding, item_attributes
from worklist.dicom.datasets import UNDEFINED_LENGTH
from worklist.dicom.decoding import CHARACTER_SET, PlainText, TextDecoder
from worklist.dicom.item_attributes import Place
from worklist.dicom.representations import FIRST_GROUP_OF_DATA_SETS

# Of the file, or of the encoding of its text, and not of the item.
_OF_THE_FILE = frozenset({CHARACTER_SET, Tag("SOPClassUID"), Tag("SOPInstanceUID")})
_PREFIX = slice(128, 132)
# pydicom's complaints of a character set do not matter, for texts are not decoded by it.
_HARMLESS = (
    "Incorrect value for Specific Character Set",
    "Unknown encoding",
    "Value '.*' for Specific Character Set",
    "Value '.*' cannot be used as code extension",
    "VR lookup failed",
)


class FileRefused(Exception):
    """A file cannot be used; the sentence says why, with nothing of its values."""


class FileDamaged(FileRefused):
    """A file is not whole: what there is of it is not believed either."""


@contextmanager
def strictly() -> Iterator[None]:
    """Raise pydicom's doubts as errors: a value that is read as something else is worse than none.

    Its log is kept still, for it may quote values. Whether they are valid is not judged here.
    """
    log = logging.getLogger("pydicom")  # its only one
    was_disabled, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("error")
            for message in _HARMLESS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        log.disabled = was_disabled


def read_dataset(data: bytes) -> Dataset:
    """Return a file's data set, with or without file meta information. Raises FileRefused."""
    if data[_PREFIX] != b"DICM" and not _begins_like_a_worklist(data):
        raise FileRefused("This is not a DICOM file.")
    # A few such bytes may unpack to any number, so they are not unpacked.
    if DeflatedExplicitVRLittleEndian.encode("ascii") in data:
        raise FileRefused("It is compressed (Deflated Explicit VR): write it as Explicit VR Little Endian.")
    try:
        return dcmread(BytesIO(data), force=True, stop_before_pixels=True)
    except RecursionError as error:
        raise FileDamaged("Its sequences are nested too deeply.") from error
    except Exception as error:  # hostile bytes make pydicom raise whatever its converters raise
        raise FileDamaged("It is damaged or cut off.") from error


def tags(dataset: Dataset) -> list[BaseTag]:
    """Return the tags of the data set except those that speak of the file. Raises FileRefused."""
    _refuse_if_damaged(dataset)
    return sorted(tag for tag in dataset.keys() if not _is_of_the_file(tag))  # noqa: SIM118  see below


def element(dataset: Dataset, tag: BaseTag, *, declared: bool) -> DataElement:
    """Return one attribute, decoded. Raises FileRefused.

    `declared` says that a character set is known for its text.
    """
    try:
        found, doubt = decoding.element(dataset, tag)
    except RecursionError as error:
        raise FileDamaged("Its sequences are nested too deeply.") from error
    except Exception as error:  # values are decoded on access
        raise FileRefused(f"{name(tag)} cannot be read: damaged, or in another character set.") from error
    if not declared and not _is_ascii(found):
        given = "the one that is given is not known" if decoding.terms(dataset) else "none is given"
        raise FileRefused(f"{name(tag)} is not ASCII; of Specific Character Set (0008,0005), {given}.")
    if doubt:
        raise FileRefused(f"{name(tag)} cannot be read without doubt. {doubt}")
    return found


def plain_text(dataset: Dataset, tag: BaseTag, decoder: TextDecoder, *, declared: bool) -> PlainText | None:
    """Return the text of an attribute that is written plainly: what `element` would say, quickly.

    None stands for any other, damaged ones among them. `decoder` is the data set's.
    """
    raw: Any = dataset.get_item(tag)
    if not isinstance(raw, RawDataElement) or raw.length == UNDEFINED_LENGTH:
        return None
    return decoding.plain_text(raw, decoder, declared=declared)


def plain_json_value(plain: PlainText) -> str | float | None:
    """Return what `json_value` does."""
    if not plain.text:
        return None
    if plain.vr == "DS":
        return float(plain.text)
    return int(plain.text) if plain.vr == "IS" else plain.text


def declares_character_set(dataset: Dataset, *, inherited: bool = False) -> bool:
    """Return whether it names one that is known, beyond the default.

    Without, there is only ASCII (PS3.5 6.1.2.1). An item that names none has `inherited` the one around it
    (PS3.5 7.5.3).
    """
    return decoding.decoder(dataset).is_declared if CHARACTER_SET in dataset else inherited


def values(found: DataElement) -> list[Any]:
    return list(found.value) if isinstance(found.value, MultiValue | list) else [found.value]


def json_value(found: DataElement, left_out: list[str], *, declared: bool) -> Any:
    """Return the value as `extra_attributes` holds it, None for an empty one. Raises FileRefused.

    TypeError says that it holds no such value; in items of sequences that goes to `left_out`, by name.
    """
    if found.VR == "SQ":
        return [_item(item, left_out, declared=declared) for item in found.value] or None
    if found.is_empty:
        return None
    plain = [_plain(value) for value in values(found)]
    return plain if isinstance(found.value, MultiValue | list) else plain[0]


def name(tag: BaseTag) -> str:
    return f"{keyword_for_tag(tag)} {tag}".strip()


def _begins_like_a_worklist(data: bytes) -> bool:
    """Return whether a file without the prefix begins with an element that a worklist file may begin with."""
    groups = {tag.group for tag in item_attributes.BY_PLACE[Place.ROOT]} | {0x0002, 0x0008}
    for order in ("little", "big"):
        group, number = (int.from_bytes(data[at : at + 2], order) for at in (0, 2))
        if group in groups and (number == 0 or dictionary_has_tag((group, number))):
            return True
    return False


def _refuse_if_damaged(dataset: Dataset) -> None:
    """Raise FileRefused for a value that ends early: pydicom takes it for what there is of it."""
    for tag in dataset.keys():  # noqa: SIM118  iterating a Dataset decodes every element
        raw: Any = dataset.get_item(tag)
        if not isinstance(raw, RawDataElement) or raw.length == UNDEFINED_LENGTH:
            continue
        if len(raw.value or b"") != raw.length:
            raise FileDamaged(f"It is damaged or cut off in {name(tag)}.")


def _is_of_the_file(tag: BaseTag) -> bool:
    is_group_length = tag.element == 0
    return is_group_length or tag in _OF_THE_FILE or tag.group < FIRST_GROUP_OF_DATA_SETS


def _is_ascii(found: DataElement) -> bool:
    return found.VR == "SQ" or all(_is_plain(str(value)) for value in values(found))


def _is_plain(text: str) -> bool:
    return text.isascii() and "\x1b" not in text


def _item(dataset: Dataset, left_out: list[str], *, declared: bool) -> dict[str, Any]:
    declared = declares_character_set(dataset, inherited=declared)
    decoder = decoding.decoder(dataset)
    item = {}
    for tag in tags(dataset):
        keyword = keyword_for_tag(tag)
        try:
            if not keyword:
                raise TypeError("private, or unknown to the dictionary")
            if (plain := plain_text(dataset, tag, decoder, declared=declared)) is not None:
                item[keyword] = plain_json_value(plain)
                continue
            item[keyword] = json_value(element(dataset, tag, declared=declared), left_out, declared=declared)
        except TypeError:
            left_out.append(name(tag))
    return {keyword: value for keyword, value in item.items() if value is not None}


def _plain(value: Any) -> str | int | float | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        raise TypeError("binary")
    if isinstance(value, BaseTag):
        return f"{value:08X}"
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value).rstrip("\0 ")
