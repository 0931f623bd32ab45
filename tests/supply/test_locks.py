"""The locks hold all that the requirements need, by the hashes of its files, and nothing else."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
# What each lock is made of, and which lock it is a part of.
LOCKS = {
    "requirements.lock": ("requirements.txt",),
    "requirements-oidc.lock": ("requirements.txt", "requirements-oidc.txt"),
    "requirements-dev.lock": ("requirements.txt", "requirements-oidc.txt", "requirements-test.txt"),
    "requirements-supply.lock": ("requirements-supply.txt",),
}
PARTS = [
    ("requirements.lock", "requirements-oidc.lock"),
    ("requirements-oidc.lock", "requirements-dev.lock"),
]
AGAIN = "Run `make lock`, and commit what it writes."


def wanted(name: str) -> list[Requirement]:
    """Return the requirements that stand in a hand-written file."""
    lines = (
        line.partition("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    )
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def locked(name: str) -> dict[str, tuple[Requirement, frozenset[str]]]:
    """Return a lock's requirements by their name, each with the hashes of its files."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        pin, *hashes = line.split("--hash=")
        requirement = Requirement(pin)
        found[str(canonicalize_name(requirement.name))] = (
            requirement,
            frozenset(each.strip() for each in hashes),
        )
    return found


def needed_here(roots: list[Requirement]) -> set[str]:
    """Return the names of all that the roots need on this machine, as what is installed says of itself."""
    waiting, seen = [(each, "") for each in roots], set()
    while waiting:
        requirement, asked_for = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": asked_for}):
            continue
        name = str(canonicalize_name(requirement.name))
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(Requirement(each), extra) for each in distribution(name).requires or ()]
    return {name for name, _ in seen}


@pytest.mark.acceptance("H140")
@pytest.mark.parametrize("lock", LOCKS)
def test_each_requirement_is_locked_in_its_own_version(lock: str) -> None:
    pins = locked(lock)
    for requirement in (each for name in LOCKS[lock] for each in wanted(name)):
        found, _ = pins.get(str(canonicalize_name(requirement.name)), (None, frozenset()))
        assert found and found.specifier == requirement.specifier, f"{requirement}: {AGAIN}"


@pytest.mark.acceptance("H140")
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_each_package_by_hashes_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|^-", text, re.MULTILINE), (
        "It is installed from whatever index pip asks."
    )
    for name, (requirement, hashes) in locked(lock).items():
        (only,) = requirement.specifier
        assert only.operator == "==", name
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), name


def pinned(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return version and hashes by name: on which Python it is needed may follow from the rest of a lock."""
    return {name: (str(found.specifier), hashes) for name, (found, hashes) in locked(lock).items()}


@pytest.mark.acceptance("H140")
@pytest.mark.parametrize(("part", "whole"), PARTS)
def test_what_runs_is_what_was_tested(part: str, whole: str) -> None:
    smaller, larger = pinned(part), pinned(whole)
    assert {name: larger.get(name) for name in smaller} == smaller, AGAIN


@pytest.mark.acceptance("H140")
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-oidc.lock", "requirements-dev.lock"])
def test_a_lock_holds_what_is_needed_and_nothing_else(lock: str) -> None:
    here = {
        name
        for name, (requirement, _) in locked(lock).items()
        if requirement.marker is None or requirement.marker.evaluate()
    }
    try:
        needed = needed_here([each for name in LOCKS[lock] for each in wanted(name)])
    except PackageNotFoundError as error:
        pytest.fail(f"{error}: run `make setup`.")
    assert needed == here, AGAIN


@pytest.mark.parametrize(
    ("path", "lock"),
    [
        ("Makefile", "requirements.lock"),
        ("Makefile", "requirements-dev.lock"),
        ("Dockerfile", "requirements-oidc.lock"),
    ],
)
def test_whoever_installs_does_it_from_a_lock(path: str, lock: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert lock in text
    assert "--require-hashes" in text
    assert not re.search(r"install[^\n]*-r(equirement)? requirements[\w-]*\.txt", text)
