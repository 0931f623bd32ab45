"""It says where an archive is, who asks it, and how patiently."""

from __future__ import annotations

import ssl
from dataclasses import dataclass


@dataclass(frozen=True)
class CFindAccess:
    """Times are in seconds; questions are counted in any minute, by host and port."""

    host: str
    port: int
    called_ae_title: str
    calling_ae_title: str
    tls: ssl.SSLContext | None = None
    read_timeout: float = 30
    connect_timeout: float = 10
    questions_per_minute: int = 120

    @property
    def place(self) -> str:
        return f"{self.called_ae_title} at {self.host}:{self.port}"
