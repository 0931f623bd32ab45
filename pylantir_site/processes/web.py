"""`start` and `start_api` run gunicorn as it is put together here."""

from __future__ import annotations

import sys

from django.core.management import CommandParser

from pylantir_site.environment import env, program

THREADS = 8


def add_web_options(parser: CommandParser) -> None:
    parser.add_argument("--api-host", default="127.0.0.1", help="address of the web server")
    parser.add_argument("--api-port", type=int, default=8000, help="port of the web server")


def web_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def gunicorn(*, host: str, port: int) -> list[str]:
    """Return the command: one process with threads, more by WEB_CONCURRENCY.

    It writes no access log, for URLs may hold names.
    """
    processes = env.integer("WEB_CONCURRENCY", 1, least=1, most=64)
    return [
        *(sys.executable, "-m", "gunicorn", "pylantir_site.wsgi", "--bind", web_address(host, port)),
        *("--worker-class", "gthread", "--workers", str(processes), "--threads", str(THREADS)),
        *("--log-level", "warning", "--graceful-timeout", "20", "--no-control-socket"),
        *("--pythonpath", str(program.CODE)),  # of a clone: whatever the folder it is started in
    ]
