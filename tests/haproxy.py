"""HAProxy runs as deploy/haproxy.cfg says, but for addresses and ports."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import free_port, sbin_tool, wait_until
from tests.site.fresh import ROOT

SOON = 20.0  # seconds within which it must have ended


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, list[int]]]:
    """Give its port and those of the two hosts that it passes on to."""
    port, hosts = free_port(), [free_port(), free_port()]
    text = (ROOT / "deploy" / "haproxy.cfg").read_text()
    for shipped, ours in (
        ("bind :4242", f"bind 127.0.0.1:{port}"),
        ("10.0.0.11:4242", f"127.0.0.1:{hosts[0]}"),
        ("10.0.0.12:4242", f"127.0.0.1:{hosts[1]}"),
        ("bind :2762", f"bind 127.0.0.1:{free_port()}"),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    path = folder / "haproxy.cfg"
    path.write_text(text)
    process = subprocess.Popen([sbin_tool("haproxy"), "-db", "-f", str(path)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(port))
        yield port, hosts
    finally:
        process.kill()
        process.wait(SOON)


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
