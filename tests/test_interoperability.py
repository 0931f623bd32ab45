"""docs/interoperability.md says what its scripts say, in the versions that they pin. No tool runs here."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.interoperability import __main__ as runner
from tests.interoperability import installing
from tests.interoperability.interview import Told, interview
from tests.interoperability.page import PAGE, RECORDED, all_scripts, recorded, with_tables
from tests.interoperability.people import EVERYBODY
from tests.interoperability.tool import Origin, Part

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = all_scripts()
WITHOUT_A_WORKLIST = {"dicom_echo"}  # it asks for nothing but an echo
PIN = re.compile(r"[A-Za-z0-9-]+==\d[\w.]*")


@pytest.mark.acceptance("D220")
def test_the_page_has_a_row_for_each_script_and_each_row_is_a_scripts() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert len(SCRIPTS) >= 10
    assert page == with_tables(page, SCRIPTS), "Write it anew: python -m tests.interoperability --page"


@pytest.mark.acceptance("D220")
def test_each_script_has_its_record_and_each_record_its_script() -> None:
    assert {path.stem for path in RECORDED.iterdir()} == {script.name for script in SCRIPTS}
    assert all(recorded(script.name).read_text(encoding="utf-8").strip() for script in SCRIPTS)


@pytest.mark.acceptance("D221")
def test_each_script_pins_what_it_installs() -> None:
    packages = [package for script in SCRIPTS for package in script.tool.packages]

    assert [package for package in packages if not PIN.fullmatch(package)] == []


@pytest.mark.acceptance("D221")
def test_one_package_is_pinned_to_one_version_here_and_in_what_the_product_runs_on() -> None:
    pins = [pin for script in SCRIPTS for pin in script.tool.packages]
    required = re.findall(r"^([\w-]+==[\w.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    clients = json.loads((ROOT / "tests" / "dcmjs" / "package.json").read_text())["dependencies"]
    pins += [pin for pin in required if pin.partition("==")[0] in {each.partition("==")[0] for each in pins}]
    pins += [f"{name}=={version}" for name, version in clients.items()]

    versions: dict[str, set[str]] = {}
    for name, _, version in (pin.partition("==") for pin in pins):
        versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
    npm = {script.tool.package for script in SCRIPTS if script.tool.origin is Origin.NPM}
    assert npm == set(clients)


@pytest.mark.acceptance("D222")
@pytest.mark.parametrize("name", sorted({script.name for script in SCRIPTS if script.tool.part is Part.ASKS}))
def test_each_client_was_told_of_everybody_once(name: str) -> None:
    seen = recorded(name).read_text(encoding="utf-8")

    assert name in WITHOUT_A_WORKLIST or f"everybody: {EVERYBODY} answers about {EVERYBODY} people" in seen


def test_a_client_that_is_told_less_is_told_of() -> None:
    """The interview shows what is missing, broken or twice, and what went wrong."""

    def ask(keys: object) -> Told:
        return Told([("JP01", "^"), ("JP01", "^")], statuses=[0xFF01, 0], errors=["write after end"])

    lines = list(interview(ask))
    assert lines[0] == "everybody: 2 answers about 1 people; FF01 x 1, 0000 x 1; write after end"
    assert "  JP01: ^" in lines
    assert "  RU01: nobody" in lines
    assert lines[-1].startswith("the name *山田*, declared as ISO_IR 192: JP01, JP01; FF01 x 1")


@pytest.mark.acceptance("D223")
def test_what_has_changed_is_printed_and_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = {"findscu": recorded("findscu").read_text(encoding="utf-8"), "odil": "nobody\n"}
    monkeypatch.setattr(runner, "_seen", lambda script: seen[script.name])
    monkeypatch.setattr(sys, "argv", ["interoperability", *seen])

    assert runner.main() == 1
    printed = capsys.readouterr().out
    assert "+nobody" in printed
    assert "1 as recorded, 1 changed, 0 skipped." in printed


@pytest.mark.acceptance("D223")
def test_what_is_not_installed_is_skipped_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installing, "_debian_version", lambda package: "")
    monkeypatch.setattr(sys, "argv", ["interoperability", "findscu"])

    assert runner.main() == 0
    assert (
        "skipped. Debian's package dcmtk 3.6.7 is needed, and here is none: apt-get install dcmtk"
        in capsys.readouterr().out
    )
