"""Each GET to Calpendo carries user and password by HTTP Basic, to the base URL's own host alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from pylantir_site.outside.strict_json import Most
from sources.calpendo import answers
from sources.calpendo.address import CALPENDO
from sources.calpendo.answers import Biskit
from sources.http.transport import HttpRequest, HttpTransport


@dataclass(frozen=True)
class CalpendoAccess:
    """It says where and how to ask; times are in seconds, and requests are counted in any minute."""

    url: str  # as `address.normalise_url` returns it
    user: str
    password: str = field(repr=False)
    ca_bundle: str = ""
    read_timeout: float = 60
    connect_timeout: float = 10
    requests_per_minute: int = 60
    attempts: int = 4
    pause: float = 1.0  # before the second attempt; then twice as long each time
    most_megabytes: int = 64  # of an answer, as it came and inflated
    most: Most = field(default_factory=Most)  # of objects and names in it


class CalpendoTransport(HttpTransport):
    def __init__(self, access: CalpendoAccess, wait: Callable[[float], None] = time.sleep) -> None:
        super().__init__(access, CALPENDO, wait)
        self.access = access

    def ask(self, asked: str, path: str, *, paths: Sequence[str] = (), hint: str = "") -> list[Biskit]:
        """Return the objects of a list. Raises SourceError. `path` is a URL's, encoded already."""
        return self.ask_for(
            self._get(path, paths),
            lambda status, body: answers.biskits_of(
                status, body, asked=asked, most=self.access.most, hint=hint
            ),
        )

    def ask_one(self, asked: str, path: str) -> Biskit:
        return self.ask_for(
            self._get(path),
            lambda status, body: answers.content_of(status, body, asked=asked, most=self.access.most),
        )

    def _get(self, path: str, paths: Sequence[str] = ()) -> HttpRequest:
        wanted = f"?paths={','.join(quote(each, safe='.') for each in paths)}" if paths else ""
        return HttpRequest(
            "GET",
            f"{self.access.url}/webdav/{path}{wanted}",
            credentials=(self.access.user.encode(), self.access.password.encode()),
            accept="application/json",
        )
