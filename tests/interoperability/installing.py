"""What a script pins is installed into its folder; Debian's packages are only asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.interoperability.tool import Origin, Tool

# The clients of the tests are these of npm, with all that they need pinned.
LOCKED = Path(__file__).resolve().parents[1] / "dcmjs"


class NotHereError(Exception):
    """A tool cannot be had on this machine; the text says which, and what to do."""


def install(tool: Tool, folder: Path) -> Path:
    """Return the folder of the tool's programs. Raises NotHereError."""
    installers = {Origin.PYPI: _from_pypi, Origin.NPM: _from_npm, Origin.DEBIAN: _from_debian}
    return installers[tool.origin](tool, folder)


def _from_pypi(tool: Tool, folder: Path) -> Path:
    _call(sys.executable, "-m", "venv", str(folder / "venv"))
    programs = folder / "venv" / "bin"
    _call(
        *(str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *tool.packages,
    )
    return programs


def _from_npm(tool: Tool, folder: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKED / name, folder)
    if shutil.which("npm") is None:
        raise NotHereError("npm is not installed: apt-get install npm.")
    _call("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))
    return folder / "node_modules" / ".bin"


def _from_debian(tool: Tool, folder: Path) -> Path:
    for pin in tool.packages:
        package, _, version = pin.partition("==")
        here = _debian_version(package)
        if here != version:
            there = f"the version {here}" if here else "none"
            raise NotHereError(
                f"Debian's package {package} {version} is needed, and here is {there}: "
                f"apt-get install {package} on Debian 12."
            )
    return Path("/usr/sbin")


def _debian_version(package: str) -> str:
    """Return the upstream version of an installed package, or nothing."""
    if shutil.which("dpkg-query") is None:
        return ""
    command = ["dpkg-query", "--show", "--showformat", "${source:Upstream-Version}", package]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.partition("+dfsg")[0] if found.returncode == 0 else ""


def _call(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise NotHereError(f"{' '.join(command)} failed:\n{done.stdout}")
