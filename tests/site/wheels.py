"""A wheel is built here as pip builds one, and installed where nothing of this folder can be seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.conftest import not_installed
from tests.site.fresh import ROOT

BUILT_FROM = (
    "LICENSE",
    "README.md",
    "examples",
    "pyproject.toml",
    "requirements.txt",
    "requirements-oidc.txt",
    "requirements-test.txt",
)
PACKAGES = ("accounts", "archives", "pylantir_site", "sources", "worklist")


def build(folder: Path) -> None:
    """Build a wheel into the folder. Without a package index, which setuptools comes from, skip the test."""
    clone = folder / "clone"  # the build leaves files behind
    clone.mkdir()
    for name in (*BUILT_FROM, *PACKAGES):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, clone / name)
    done = _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(clone))
    if "No matching distribution found for setuptools" in done.stderr:
        not_installed("A package index that has setuptools")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(clone)


def install(folder: Path) -> None:
    """Install the folder's one wheel into a virtual environment, which sees what ours has."""
    (wheel,) = folder.glob("pylantir-*.whl")
    venv = folder / "venv"
    assert _run(sys.executable, "-m", "venv", "--without-pip", str(venv)).returncode == 0
    (site_packages,) = venv.glob("lib/python*/site-packages")
    (site_packages / "requirements.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"))
    done = _run(*pip, "install", "--no-deps", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return the environment of somebody who has installed the wheel and set nothing else."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    return {**kept, "PATH": os.environ["PATH"], "HOME": str(home), **variables}


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=170, check=False)
