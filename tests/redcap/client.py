"""A plain client asks the stand-in REDCap, and hides nothing that comes back."""

from __future__ import annotations

from typing import Any

import requests

from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN

Rows = list[dict[str, Any]]


def ask(server: RedcapServer, content: str, **parameters: Any) -> requests.Response:
    """Post a form; a list becomes an array, None leaves a parameter out (`format=None`)."""
    given = {"token": TOKEN, "content": content, "format": "json", "returnFormat": "json"} | parameters
    form: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, list):
            form |= {f"{name}[{number}]": str(each) for number, each in enumerate(value)}
        elif value is not None:
            form[name] = str(value)
    return requests.post(server.url, data=form, timeout=5, allow_redirects=False)


def rows(server: RedcapServer, content: str = "record", **parameters: Any) -> Rows:
    response = ask(server, content, **parameters)
    assert response.status_code == 200, response.text
    found: Rows = response.json()
    return found


def ids(server: RedcapServer, field: str = "record_id", **parameters: Any) -> list[str]:
    """Return the record of each row, when nothing but the record ID field is asked for."""
    return [row[field] for row in rows(server, fields=[field], **parameters)]


def refusal(server: RedcapServer, content: str = "record", **parameters: Any) -> tuple[int, str]:
    response = ask(server, content, **parameters)
    return response.status_code, response.json()["error"]
