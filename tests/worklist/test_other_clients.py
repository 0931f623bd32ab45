"""A client that is neither DCMTK nor pynetdicom is served: dcmjs-dimse, with its own defaults.

`npm ci --ignore-scripts` in tests/dcmjs installs it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import not_installed, tool
from tests.worklist.conftest import SOON, RunningServer
from worklist.models import Device

FOLDER = Path(__file__).resolve().parents[1] / "dcmjs"
SUCCESS, PENDING, PENDING_WITHOUT_SOME_KEYS = 0x0000, 0xFF00, 0xFF01
COUNT = 150  # answers do not fit into one segment

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(server: RunningServer) -> Ask:
    """Return `ask(what)`, which gives the statuses, patient IDs and errors that the client saw."""
    node = tool("node")
    if not (FOLDER / "node_modules" / "dcmjs-dimse").is_dir():
        not_installed("dcmjs-dimse")

    def run(what: str, *more: str) -> dict[str, Any]:
        command = [node, str(FOLDER / "ask.js"), what, str(server.port), "MR1", *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SOON, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


def test_it_is_answered_its_echo(ask: Ask) -> None:
    assert ask("echo") == {"statuses": [SUCCESS], "ids": [], "errors": [], "released": True}


def test_it_gets_all_items(ask: Ask, items: Callable[..., Any]) -> None:
    made = items(COUNT)
    told = ask("find")
    assert told["statuses"] == [PENDING] * COUNT + [SUCCESS]
    assert sorted(told["ids"]) == sorted(item.patient_id for item in made)
    assert (told["errors"], told["released"]) == ([], True)


@pytest.mark.acceptance("D211")
def test_its_own_worklist_query_gets_all_items(ask: Ask, items: Callable[..., Any]) -> None:
    made = items(2 * COUNT)
    told = ask("default")
    assert told["statuses"] == [PENDING] * 2 * COUNT + [SUCCESS]
    assert sorted(told["ids"]) == sorted(item.patient_id for item in made)
    assert (told["errors"], told["released"]) == ([], True)


@pytest.mark.acceptance("D211")
def test_by_the_rule_of_its_device_it_gets_all_items_whatever_it_asks(
    ask: Ask, items: Callable[..., Any]
) -> None:
    made = items(2 * COUNT)
    assert PENDING_WITHOUT_SOME_KEYS in ask("unknown")["statuses"]  # which it takes for the end
    Device.objects.create(ae_title="MR1", plain_pending=True)
    told = ask("unknown")
    assert told["statuses"] == [PENDING] * 2 * COUNT + [SUCCESS]
    assert (sorted(told["ids"]), told["errors"]) == (sorted(item.patient_id for item in made), [])


@pytest.mark.acceptance("D156")
def test_it_gets_all_items_though_it_asks_for_its_release_behind_its_query(
    ask: Ask, items: Callable[..., Any]
) -> None:
    items(COUNT)
    told = ask("find", "early")
    assert told["statuses"] == [PENDING] * COUNT + [SUCCESS]
    assert told["released"]
