"""A script says what its tool is and does, and runs it where it was installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

PATIENCE = 300  # seconds
NOWHERE = "http://127.0.0.1:9"


class Origin(StrEnum):
    PYPI = "PyPI"
    NPM = "npm"
    DEBIAN = "Debian"


class Part(StrEnum):
    """What a tool has to do with a worklist; the page has a table for each."""

    ASKS = "Tools that ask for the worklist or report to it"
    FILES = "Tools that write worklist files, or serve them"
    IMAGES = "Tools that read the images"


@dataclass(frozen=True)
class Tool:
    """The pins of a script, and its row of the page."""

    name: str
    origin: Origin
    packages: tuple[str, ...]  # NAME==VERSION, the tool's own first
    part: Part
    works: str
    fails: str
    fault: str
    remedy: str

    @property
    def package(self) -> str:
        return self.packages[0].split("==")[0]

    @property
    def version(self) -> str:
        return self.packages[0].split("==")[1]


@dataclass(frozen=True)
class Workplace:
    """A temporary folder of a script's own, where its tool is installed."""

    folder: Path
    programs: Path  # with the tool's interpreter and commands

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command of the tool's, kept from the network and from the home of who runs it."""
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            timeout=PATIENCE,
        )

    def lines(self, *command: str | Path) -> list[str]:
        """Return what the command printed. Raises RuntimeError where it fails."""
        done = self.run(*command)
        if done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout.splitlines()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            # Some ask after new versions or tell of their use.
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE),
            **{"no_proxy": "127.0.0.1", "NO_ET": "1", "BIDSCOIN_TRACKUSAGE": "no"},
        }


@dataclass(frozen=True)
class Script:
    """A module of `scripts`: what it says of its tool, and what it sees when it runs it."""

    name: str
    tool: Tool
    see: Callable[[Workplace], Iterable[str]]

    @classmethod
    def of(cls, module: ModuleType) -> Script:
        return cls(module.__name__.rpartition(".")[2], module.TOOL, module.see)
