"""A plain pynetdicom SCP keeps performed steps in a dictionary: that is what MPPS costs at least.

python -m benchmarks.in_memory --port 11112
"""

from __future__ import annotations

import argparse
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    ModalityPerformedProcedureStep,
    Verification,
)

from benchmarks.client import CALLED

steps: dict[str, Dataset] = {}


def create(event: Event) -> tuple[int, None]:
    uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr]
    if uid in steps:
        return 0x0111, None
    dataset = event.attribute_list
    if dataset.PerformedProcedureStepStatus != "IN PROGRESS":
        return 0x0106, None
    steps[uid] = dataset
    return 0x0000, None


def change(event: Event) -> tuple[int, None]:
    uid = str(event.request.RequestedSOPInstanceUID)  # type: ignore[union-attr]
    if uid not in steps:
        return 0x0112, None
    steps[uid].update(event.modification_list)
    return 0x0000, None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    entity = AE(ae_title=CALLED)
    entity.add_supported_context(Verification)
    entity.add_supported_context(ModalityPerformedProcedureStep)
    handlers: list[Any] = [(evt.EVT_N_CREATE, create), (evt.EVT_N_SET, change)]
    entity.start_server(("127.0.0.1", parser.parse_args().port), evt_handlers=handlers)


if __name__ == "__main__":
    main()
