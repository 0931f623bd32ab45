"""A program asks the API of a web server that runs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

# It prints the token of a coordinator.
PERSON = """
from accounts.models import User
from accounts.tokens import access_token
print(access_token(User.objects.create_user("bob", password="x", role="write")))
"""


def ask(
    port: int, path: str, token: str = "", body: Any = None, *, method: str | None = None
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        headers=headers,
        data=json.dumps(body).encode() if body else None,
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, None
