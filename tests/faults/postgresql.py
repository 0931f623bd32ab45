"""A PostgreSQL server of the tests' own, which may be stopped, killed and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.conftest import free_port, not_installed

NAME, KEPT = "pylantir", "kept"
# Only processes end here, never the machine: what the system was given is not lost.
SETTINGS = ("fsync=off", "max_connections=40", "shared_buffers=16MB", "timezone=UTC")


def binaries() -> Path:
    """Return the folder of the newest server that is installed, or skip the test."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if found:
        return found[-1]
    on_the_path = shutil.which("pg_ctl")
    return Path(on_the_path).parent if on_the_path else Path(not_installed("pg_ctl"))


@dataclass
class Cluster:
    """The server's files lie in a temporary folder; root runs it as the user `postgres`."""

    bin: Path = field(default_factory=binaries)
    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="pylantir-pg-")))

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{NAME}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        lines = [
            f"port={self.port}",
            "listen_addresses='127.0.0.1'",
            f"unix_socket_directories='{self.folder}'",
        ]
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write("\n".join([*lines, *SETTINGS, ""]))
        self.start()
        self._manage(f"CREATE DATABASE {NAME}")

    def keep_as_it_is(self) -> None:
        """Keep the database, so that each test begins with what is in it now."""
        self._manage(f"ALTER DATABASE {NAME} RENAME TO {KEPT}")

    def make_anew(self) -> None:
        self._manage(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        self._manage(f"CREATE DATABASE {NAME} TEMPLATE {KEPT}")

    def _manage(self, statement: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(statement.encode())

    def connect(self, name: str = NAME) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=name, autocommit=True
        )

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql.encode(), parameters).fetchall()

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends what runs and says so, `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    @property
    def is_running(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    def remove(self) -> None:
        if self.is_running:
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        as_postgres = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
        done = subprocess.run(
            [*as_postgres, str(self.bin / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server keeps what it inherits: a pipe would never end
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{program} {arguments[-1]}: exit code {done.returncode}"
