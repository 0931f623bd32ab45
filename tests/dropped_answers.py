"""Another thread takes answers that have come, as pynetdicom's own does where it is late in pausing."""

from __future__ import annotations

from collections.abc import Container
from itertools import count
from typing import Any

import pytest
from pynetdicom.dimse import DIMSEServiceProvider


def drop_answers(patch: pytest.MonkeyPatch, numbers: Container[int]) -> None:
    """Drop the answers of these numbers, counted from now on, of all that whoever asks waits for."""
    get, counted = DIMSEServiceProvider.get_msg, count()

    def get_another(provider: DIMSEServiceProvider, *, block: bool = False) -> Any:
        while (got := get(provider, block=block)) and block and next(counted) in numbers:
            continue
        return got

    patch.setattr(DIMSEServiceProvider, "get_msg", get_another)
