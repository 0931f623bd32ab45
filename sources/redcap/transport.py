"""Each POST to REDCap's API carries the token, and its answer is read as REDCap means it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pylantir_site.outside.strict_json import Most
from sources.http.transport import HttpRequest, HttpTransport
from sources.redcap import answers, imports
from sources.redcap.address import REDCAP


@dataclass(frozen=True)
class Access:
    """It says where and how to ask; times are in seconds, and requests are counted in any minute."""

    url: str
    token: str = field(repr=False)
    ca_bundle: str = ""
    read_timeout: float = 120
    connect_timeout: float = 10
    requests_per_minute: int = 300
    batch_size: int = 100
    attempts: int = 4
    pause: float = 1.0  # before the second attempt; then twice as long each time
    most_megabytes: int = 64  # of an answer, as it came and inflated
    most: Most = field(default_factory=Most)  # of rows and columns in it


class Transport(HttpTransport):
    """It is one session with one API. `wait` gets each pause, so that a caller may do more than sleep."""

    def __init__(self, access: Access, wait: Callable[[float], None] = time.sleep) -> None:
        super().__init__(access, REDCAP, wait)
        self.access = access

    def ask(self, asked: str, fields: Mapping[str, str], *, is_divisible: bool = False) -> Any:
        """Return the JSON of the answer. Raises SourceError. `is_divisible`: less can be asked for."""
        return self.ask_for(
            self._post(fields),
            lambda status, body: answers.content_of(status, body, asked=asked, most=self.access.most),
            is_divisible=is_divisible,
        )

    def import_rows(self, rows: Sequence[Mapping[str, str | int]]) -> int:
        """Send rows once, and return how many records REDCap has taken. Raises SourceError.

        Only what differs from "" is taken over (`overwriteBehavior` normal), and days are Y-M-D.
        """
        fields = {
            **{"content": "record", "action": "import", "type": "flat", "overwriteBehavior": "normal"},
            **{"forceAutoNumber": "false", "dateFormat": "YMD", "returnContent": "count"},
            "data": json.dumps(list(rows), ensure_ascii=False),
        }
        return self.ask_for(self._post(fields), imports.count_of, once=True)

    def ask_text(self, asked: str, fields: Mapping[str, str]) -> str:
        return self.ask_for(
            self._post(fields), lambda status, body: answers.plain_text_of(status, body, asked=asked)
        )

    def _post(self, fields: Mapping[str, str]) -> HttpRequest:
        body = {"token": self.access.token, "format": "json", "returnFormat": "json", **fields}
        return HttpRequest("POST", self.access.url, fields=body)
