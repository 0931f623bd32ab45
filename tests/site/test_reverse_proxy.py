"""nginx runs here with the file that sites are given, before a server that tells what it was asked.

That Pylantir itself lives behind it, cookies and forms included, is tried once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest
import requests

from pylantir_site.processes.web import gunicorn
from tests.conftest import PASSWORD, free_port, sbin_tool, wait_until
from tests.site.fresh import ROOT, environment, manage
from tests.worklist.tls_certificates import Authority

SHIPPED = ROOT / "deploy" / "nginx.conf"
AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/start.log;
events {{ worker_connections 768; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/pylantir.conf;
}}
"""


@dataclass
class Proxy:
    """nginx listens at two ports of localhost; `log` is all that it has written."""

    folder: Path
    port: int
    plain_port: int
    authority: Path

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        url = f"https://localhost:{self.port}{path}"
        return requests.get(url, headers=headers, verify=str(self.authority), timeout=20)

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return context.wrap_socket(connection, server_hostname="localhost")

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


RunProxy = Callable[[int], Proxy]


@pytest.fixture(scope="module")
def run_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunProxy]:
    """Run nginx in front of a port, with the shipped file but for its addresses and paths."""
    program = sbin_tool("nginx")
    processes = []

    def run(port: int) -> Proxy:
        folder = tmp_path_factory.mktemp("nginx")
        folder.chmod(0o755)
        issuer = Authority(folder, "Test CA")
        own = issuer.issue("localhost")
        proxy = Proxy(folder, free_port(), free_port(), issuer.path)
        text = SHIPPED.read_text()
        for shipped, ours in (
            ("127.0.0.1:8000", f"127.0.0.1:{port}"),
            ("listen 443", f"listen 127.0.0.1:{proxy.port}"),
            ("listen 80", f"listen 127.0.0.1:{proxy.plain_port}"),
            ("pylantir.example.org;", "localhost;"),
            ("/etc/ssl/pylantir/web.crt", str(own.certificate)),
            ("/etc/ssl/private/pylantir/web.key", str(own.key)),
            ("_timeout 10s", "_timeout 2s"),  # nobody has to wait for the end of it
            ("/var/log/nginx/", f"{folder}/"),
        ):
            assert shipped in text
            text = text.replace(shipped, ours)
        (folder / "pylantir.conf").write_text(text)
        main = folder / "nginx.conf"
        main.write_text(AROUND.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
        process = subprocess.Popen([program, "-c", str(main), "-e", str(folder / "start.log")])
        processes.append(process)
        wait_until(lambda: _listens(proxy.port) or process.poll() is not None)
        assert process.poll() is None, proxy.log
        return proxy

    yield run
    for process in processes:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Telling(BaseHTTPRequestHandler):
    """It answers with the headers that it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        said = json.dumps({**dict(self.headers.items()), "read": len(self.rfile.read(length))}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Strict-Transport-Security", "max-age=1")
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def proxy(run_proxy: RunProxy) -> Iterator[Proxy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Telling)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield run_proxy(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.acceptance("H127")
def test_pylantir_hears_from_where_and_for_whom(proxy: Proxy) -> None:
    claimed = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    heard = proxy.get("/worklist", headers={**claimed, "Forwarded": "for=6.6.6.6"}).json()

    assert heard["X-Forwarded-For"] == "127.0.0.1"
    assert heard["X-Forwarded-Proto"] == "https"
    assert heard["Host"] == f"localhost:{proxy.port}"
    assert "X-Forwarded-Host" not in heard
    assert "Forwarded" not in heard


@pytest.mark.acceptance("H127")
def test_all_goes_by_tls_and_says_so(proxy: Proxy) -> None:
    plain = requests.get(f"http://localhost:{proxy.plain_port}/admin/?a=b", allow_redirects=False, timeout=20)

    assert plain.status_code == 308
    assert plain.headers["Location"] == "https://localhost/admin/?a=b"
    for path in ("/admin/", "/metrics"):  # the other server's answer, and nginx's own
        assert proxy.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"
    assert proxy.get("/metrics").status_code == 404
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        ssl.create_default_context(cafile=str(proxy.authority)).wrap_socket(
            connection, server_hostname="evil.example"
        )


@pytest.mark.acceptance("H127")
def test_the_log_has_neither_queries_nor_secrets(proxy: Proxy) -> None:
    for path in (
        "/admin/worklist/worklistitem/?q=Featherstone",
        "/admin/worklist/worklistitem/7/change/?_changelist_filters=q%3DFeatherstone",
        "/sources/Featherstone/trigger/a-secret-of-a-trigger",
        "/calendar/a-secret-of-a-calendar.ics",
        "/worklist/Featherstone",
        "/Featherstone",
        "/admin/Featherstone/",
    ):
        assert proxy.get(path, headers={"Referer": "https://localhost/?q=Featherstone"}).ok
    wait_until(lambda: " GET /calendar " in proxy.log and " GET /worklist 200" in proxy.log)

    assert " GET /admin/worklist/worklistitem/ 200" in proxy.log
    assert " GET /sources 200" in proxy.log
    assert not re.search("(?i)featherstone|secret", proxy.log)


@pytest.mark.acceptance("H127")
@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/admin/worklist/worklistitem/import/", 11 * 2**20, 200),
        ("/worklist", 2**20, 200),
        ("/worklist", 11 * 2**20, 413),
    ],
)
def test_sizes_are_limited(proxy: Proxy, path: str, size: int, status: int) -> None:
    with proxy.connect() as connection:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
        )
        connection.sendall(head.encode())
        if status == 200:
            connection.sendall(bytes(size))
        assert connection.recv(12) == f"HTTP/1.1 {status}".encode()


@pytest.mark.acceptance("H127")
def test_who_is_slow_is_ended_and_keeps_nobody_waiting(proxy: Proxy) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(proxy.connect()) for _ in range(40)]
        for number, connection in enumerate(slow):
            body = "POST /worklist HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"
            connection.sendall((body if number % 2 else "GET /admin/ HTTP/1.1\r\nX-Slow: ").encode())
        started = monotonic()
        assert proxy.get("/health").ok
        assert monotonic() - started < 3
        for connection in slow[:2]:
            assert not _said(connection).startswith(b"HTTP/1.1 200")
        assert monotonic() - started < 8


def _said(connection: ssl.SSLSocket) -> bytes:
    try:
        return connection.recv(100)
    except OSError:  # it was reset
        return b""


@pytest.mark.acceptance("H128")
def test_a_person_signs_in_through_the_proxy(run_proxy: RunProxy, migrated: Path) -> None:
    port = free_port()
    behind = {"BEHIND_TLS_PROXY": "true", "ALLOWED_HOSTS": "localhost", "WEB_CONCURRENCY": "1"}
    made = manage(migrated, "create_user", "--username", "alice", "--role", "admin", "--password", PASSWORD)
    assert made.returncode == 0, made.stderr
    web = subprocess.Popen(
        gunicorn(host="127.0.0.1", port=port), env=environment(migrated, **behind), cwd=ROOT
    )
    try:
        proxy = run_proxy(port)
        wait_until(lambda: proxy.get("/health").ok, seconds=40)
        session = requests.Session()
        session.trust_env = False
        session.verify = str(proxy.authority)
        site = f"https://localhost:{proxy.port}"
        page = session.get(f"{site}/admin/login/", timeout=20)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"username": "alice", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        signed_in = session.post(
            f"{site}/admin/login/?next=/admin/password_change/",
            data=form,
            headers={"Origin": site, "Referer": site},
            timeout=20,
        )

        assert signed_in.ok
        assert signed_in.url == f"{site}/admin/password_change/"
        names = {re.sub(r"known_\w+", "known", cookie.name) for cookie in session.cookies}
        assert names == {"__Host-sessionid", "__Host-csrftoken", "__Host-known"}
        assert all(cookie.secure and cookie.path == "/" for cookie in session.cookies)
        beside = requests.get(f"http://127.0.0.1:{port}/admin/", allow_redirects=False, timeout=20)
        assert beside.status_code == 400  # 127.0.0.1 is no host that people type
    finally:
        web.send_signal(signal.SIGTERM)
        web.wait(30)
