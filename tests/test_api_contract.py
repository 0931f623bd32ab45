"""The examples of docs/api.md, which are the original's own, run over HTTP as they are written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from tests.conftest import PASSWORD, tool
from worklist.items import intake
from worklist.models import WorklistItem

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^curl.*?(?=\n\n|\n$|\Z)", "\n".join(BLOCKS), re.DOTALL | re.MULTILINE)
(CLIENT,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def admin(transactional_db: None) -> User:
    return User.objects.create_user("admin", password=PASSWORD, role="admin")


@pytest.fixture
def server(admin: User, live_server: Any) -> str:
    return str(live_server.url)


def here(example: str, server: str, token: str = "") -> str:
    """Return the example with our host and password."""
    for theirs, ours in (
        ("http://localhost:8000", server),
        ("your_new_password", PASSWORD),
        ("your_password", PASSWORD),
        ("YOUR_TOKEN", token),
    ):
        example = example.replace(theirs, ours)
    return example


def run(command: str) -> tuple[int, Any]:
    """Return the status and the JSON that curl prints."""
    tool("curl")
    script = command + " --silent --show-error --write-out '\\n%{http_code}'"
    printed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=30)
    body, _, code = printed.stdout.rpartition("\n")
    return int(code), json.loads(body)


def the_example(part: str) -> str:
    (found,) = (each for each in COMMANDS if part in each)
    return str(found)


def token(server: str) -> str:
    status, answer = run(here(the_example("/auth/login"), server))
    assert status == 200
    assert answer["token_type"] == "bearer"
    return str(answer["access_token"])


def an_item(**values: Any) -> WorklistItem:
    return intake.create(
        {
            "patient_name": "Roe^Jane",
            "patient_id": "PATIENT001",
            "modality": "MR",
            "scheduled_start_date": "20260105",
            **values,
        },
        actor="test",
    )


def test_the_page_has_every_example_of_the_original() -> None:
    assert len(COMMANDS) == 6


def test_signing_in_with_curl_answers_a_token_and_nothing_else(server: str) -> None:
    status, answer = run(here(the_example("/auth/login"), server))

    assert (status, set(answer)) == (200, {"access_token", "token_type"})


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ('worklist" \\\n  -H "Authorization: Bearer YOUR_TOKEN"\n', ["running", "PATIENT001"]),
        ("?status=SCHEDULED&status=COMPLETED", ["PATIENT001", "done"]),
        ("?patient_id=PATIENT001", ["PATIENT001"]),
    ],
)
def test_a_list_with_curl_is_what_the_original_promised(part: str, found: list[str], server: str) -> None:
    an_item()
    an_item(patient_id="done", performed_procedure_step_status="COMPLETED", scheduled_start_date="20260106")
    an_item(
        patient_id="running", performed_procedure_step_status="IN_PROGRESS", scheduled_start_date="20260104"
    )
    (example,) = (each for each in COMMANDS if part in f"{each}\n" and "GET" in each)

    status, items = run(here(example, server, token(server)))

    assert (status, [item["patient_id"] for item in items]) == (200, found)


def test_creating_with_curl_makes_the_item(server: str) -> None:
    status, made = run(here(the_example("Doe^John"), server, token(server)))

    item = WorklistItem.objects.get()
    assert status == 201
    assert (made["id"], made["patient_id"], made["performed_procedure_step_status"]) == (
        item.pk,
        "PATIENT001",
        "SCHEDULED",
    )
    assert item.patient_birth_date and item.patient_birth_date.year == 1990


def test_changing_a_status_with_curl_moves_the_item(server: str) -> None:
    item = an_item()
    example = here(the_example("-X PUT"), server, token(server)).replace(
        "/worklist/1", f"/worklist/{item.pk}"
    )

    status, changed = run(example)

    assert (status, changed["performed_procedure_step_status"]) == (200, "IN_PROGRESS")


def test_the_python_client_runs_as_it_is_written(server: str) -> None:
    an_item()
    told = "\nprint(response.status_code, response.json()['patient_id'], len(worklist_items))"

    printed = subprocess.run(
        [sys.executable, "-c", here(CLIENT, server) + told],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert printed.stdout.split() == ["201", "PATIENT002", "1"]
