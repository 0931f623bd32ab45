"""`start` and `start_api` run gunicorn as it is put together here."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from runpy import run_module

from django.core.management import CommandParser

from pylantir_site.environment import env, program

THREADS = 8
WORKER = "pylantir_site.processes.web_worker.WebWorker"


def add_web_options(parser: CommandParser) -> None:
    parser.add_argument("--api-host", default="127.0.0.1", help="address of the web server")
    parser.add_argument("--api-port", type=int, default=8000, help="port of the web server")


def web_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def why_exposed(host: str) -> str:
    """Return what is to be said where other computers reach a web server at its address; "" if nothing."""
    if host == "localhost" or _is_loopback(host):
        return ""
    return (
        f"Warning: other computers may reach the web server at {host} without TLS. "
        "Put a proxy in front (deploy/nginx.conf) and set BEHIND_TLS_PROXY=true."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def processes() -> int:
    """Return how many processes WEB_CONCURRENCY asks for. Raises ImproperlyConfigured."""
    return env.integer("WEB_CONCURRENCY", 1, least=1, most=64)


def gunicorn(*, host: str, port: int) -> list[str]:
    """Return the command: one process with threads, more by WEB_CONCURRENCY.

    It writes no access log, for URLs may hold names.
    """
    return [
        *(sys.executable, "-m", "gunicorn", "pylantir_site.wsgi", "--bind", web_address(host, port)),
        *("--worker-class", WORKER, "--workers", str(processes()), "--threads", str(THREADS)),
        *("--logger-class", "pylantir_site.processes.web_log.WebLog"),
        *("--keep-alive", "5", "--no-sendfile"),  # answers are written, and sent beside the threads
        *("--log-level", "warning", "--graceful-timeout", "20", "--no-control-socket"),
        *("--pythonpath", str(program.CODE)),  # of a clone: whatever the folder it is started in
    ]


def serve(*, host: str, port: int) -> int:
    """Run gunicorn in this process until it is asked to stop, and return its exit code.

    It is its own command line, with GUNICORN_CMD_ARGS and all.
    """
    words = gunicorn(host=host, port=port)
    module = words.index("gunicorn")
    sys.argv = words[module:]
    run_module("gunicorn", run_name="__main__", alter_sys=True)
    return 0
