"""N-GET on the Modality Performed Procedure Step Retrieve SOP Class is answered here (PS3.4 F.8.2)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.tag import BaseTag

from worklist.dicom import datasets, json_model, representations
from worklist.dicom.character_sets import UTF_8
from worklist.dicom.json_model import DataSet
from worklist.dicom.mpps import STATUS_OF_TERM
from worklist.dicom.mpps_attributes import BY_KEY, SPECIFIC_CHARACTER_SET, STATUS

_TERMS = {status: term for term, status in STATUS_OF_TERM.items()}


def retrieve(stored: DataSet, status: str, tags: Sequence[BaseTag]) -> tuple[Dataset, bool]:
    """Return the requested attributes, all that are stored if there are none, and whether each is supported.

    One of the table's without a value is answered empty; what cannot be encoded is left out. Text beyond
    ASCII is announced as ISO_IR 192.
    """
    current = stored | {STATUS.key: {"vr": STATUS.vr, "Value": [_TERMS[status]]}}
    wanted = [f"{tag:08X}" for tag in tags] or list(current)
    unsupported = [key for key in wanted if key not in current and not _is_in_table(key)]
    answered = {
        key: current.get(key) or {"vr": BY_KEY[key].vr} for key in wanted if key in current or key in BY_KEY
    }
    answer = _dataset(answered)
    if not json.dumps(answered, ensure_ascii=False).isascii():
        answer.SpecificCharacterSet = UTF_8.terms
    return _encodable(answer), not unsupported


def _is_in_table(key: str) -> bool:
    return key in BY_KEY or key == SPECIFIC_CHARACTER_SET.key


def _dataset(elements: DataSet) -> Dataset:
    dataset = Dataset()
    dataset.update({element.tag: element for element in _elements(elements)})
    return dataset


def _elements(elements: DataSet) -> Iterable[DataElement]:
    for key, element in elements.items():
        if not _is_known(key, element["vr"]):
            continue
        try:
            value = _value(element)
            yield DataElement(int(key, 16), element["vr"], value, validation_mode=config.IGNORE)
        except Exception:  # noqa: S112  (stored as it was sent, which may be no value of its VR)
            continue


def _is_known(key: str, vr: str) -> bool:
    """Return whether a reader of Implicit VR, who takes it from the dictionary, would read the VR it has."""
    tag = int(key, 16)
    return not dictionary_has_tag(tag) or vr in dictionary_VR(tag).split(" or ")


def _value(element: dict[str, Any]) -> Any:
    vr = element["vr"]
    if "InlineBinary" in element:
        return base64.b64decode(element["InlineBinary"])
    if vr == "SQ":
        return [_dataset(item) for item in json_model.items(element)]
    values = [_single(vr, value) for value in json_model.values(element)]
    if len(values) > 1:
        return values
    return values[0] if values else None


def _single(vr: str, value: Any) -> Any:
    """Return what pydicom makes a value of; an empty text stands for None between backslashes."""
    if value is None:
        return ""
    if vr == "PN":
        return json_model.text_of(value)
    if vr == "AT":
        return int(value, 16)
    if vr in representations.FLOATS:
        return float(value)
    return value if vr in representations.BINARY else representations.to_text(vr, value)


def _encodable(dataset: Dataset) -> Dataset:
    """Leave out the attributes that pydicom cannot write."""
    if _is_encodable(dataset):
        return dataset
    kept = Dataset()
    for element in dataset:
        alone = Dataset()
        alone.update({each.tag: each for each in (*_character_set(dataset), element)})
        if _is_encodable(alone):
            kept.add(element)
    return kept


def _character_set(dataset: Dataset) -> Iterable[DataElement]:
    return [dataset[SPECIFIC_CHARACTER_SET.tag]] if SPECIFIC_CHARACTER_SET.tag in dataset else []


def _is_encodable(dataset: Dataset) -> bool:
    try:
        for implicit_vr in (True, False):
            datasets.write(dataset, implicit_vr=implicit_vr, deflated=False)
    except Exception:
        return False
    return True
